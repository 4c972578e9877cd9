//! The broker as operators find it. Promise: after boot the broker has the exchanges, queues and
//! policies of the topology and no others, and each connection and consumer has a descriptive name.
//! Permissions: `rights`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_value};
use reqwest::Method;
use serde_json::{Value, json};
use shared_events::topology::{PARKED, Principals, SUBSCRIPTIONS, VIRTUAL_HOST, definitions};

use super::bank_client::BankClient;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_broker_boots_with_the_topology_and_nothing_else,
        a_message_that_kills_its_service_is_parked_from_every_queue,
        every_connection_and_consumer_has_a_name_that_explains_itself,
        a_forgotten_queue_of_a_client_is_bounded_holds_nobody_up_and_goes_away,
    ]
}

/// The fields of each kind of broker object that are compared, and the path of the management API
/// that lists them.
const THINGS: [(&str, &str, &[&str]); 6] = [
    ("exchanges", "exchanges/{vhost}", &["name", "type", "durable", "internal", "arguments"]),
    ("queues", "queues/{vhost}", &["name", "durable", "auto_delete", "arguments"]),
    ("bindings", "bindings/{vhost}", &["source", "destination", "destination_type", "routing_key"]),
    ("policies", "policies/{vhost}", &["name", "pattern", "definition", "apply-to", "priority"]),
    ("permissions", "vhosts/{vhost}/permissions", &["user", "configure", "write", "read"]),
    (
        "topic_permissions",
        "vhosts/{vhost}/topic-permissions",
        &["user", "exchange", "write", "read"],
    ),
];

/// In the virtual host that the broker made of its definitions when it started.
async fn a_broker_boots_with_the_topology_and_nothing_else(bank: Bank) -> Result<()> {
    let wanted = definitions(&Principals::development());
    for (name, path, fields) in THINGS {
        let path = path.replace("{vhost}", VIRTUAL_HOST);
        let found = bank.broker().api(Method::GET, &path, None).await?;
        let found = described(&found, fields).with_context(|| path.clone())?;
        let wanted = described(&wanted[name], fields).with_context(|| name.to_owned())?;
        ensure!(!wanted.is_empty(), "there are no {name} in the topology");
        let missing: Vec<_> = wanted.difference(&found).collect();
        let unwanted: Vec<_> = found.difference(&wanted).collect();
        ensure!(missing.is_empty(), "{name} that are missing: {missing:#?}");
        ensure!(unwanted.is_empty(), "{name} that nobody asked for: {unwanted:#?}");
    }
    Ok(())
}

/// The broker says of each queue which policy holds for it: one that no policy names would drop a
/// message after twenty deliveries.
async fn a_message_that_kills_its_service_is_parked_from_every_queue(bank: Bank) -> Result<()> {
    let worked_on =
        SUBSCRIPTIONS.iter().filter(|subscription| !subscription.name.ends_with(".queries"));
    for (service, queue) in worked_on.flat_map(|subscription| {
        subscription.queues().into_iter().map(|q| (subscription.service, q))
    }) {
        let path = format!("queues/{VIRTUAL_HOST}/{queue}");
        // The management API hears of a queue's policy some moments after the queue.
        let what = format!("the policy of {queue}");
        let policy = wait_value(&what, PATIENCE, async || {
            let found = bank.broker().api(Method::GET, &path, None).await?;
            Ok(Some(found["effective_policy_definition"].clone()).filter(Value::is_object))
        });
        let policy = policy.await?;
        let parks = policy["dead-letter-exchange"] == PARKED
            && policy["dead-letter-routing-key"] == service
            && policy["dead-letter-strategy"] == "at-least-once"
            && policy["overflow"] == "reject-publish"
            && policy["delivery-limit"].is_u64();
        ensure!(parks, "{queue}: {policy}");
    }
    Ok(())
}

/// Each thing as text, without what the broker has of its own: `amq.*` and the default exchange,
/// to which every queue is bound.
fn described(things: &Value, fields: &[&str]) -> Result<BTreeSet<String>> {
    let things = things.as_array().context("a list")?;
    let is_ours = |thing: &&Value| {
        let origin = thing["source"].as_str().or(thing["name"].as_str());
        origin.is_none_or(|name| !name.is_empty() && !name.starts_with("amq."))
    };
    let description = |thing: &Value| {
        let actual: serde_json::Map<String, Value> =
            fields.iter().map(|field| ((*field).to_owned(), thing[*field].clone())).collect();
        json!(actual).to_string()
    };
    Ok(things.iter().filter(is_ours).map(description).collect())
}

async fn every_connection_and_consumer_has_a_name_that_explains_itself(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "1").await?;
    let host = host_name()?;
    let mut wanted = BTreeSet::from([format!("teller scenario/client@{host}")]);
    for service in ["accounts", "ledger", "notifications"] {
        let roles: &[&str] = match service {
            // It was asked nothing, so it has no connection for replies.
            "notifications" => &["consume", "relay"],
            _ => &["consume", "relay", "reply"],
        };
        wanted.extend(roles.iter().map(|role| format!("{service} {service}-svc/{role}@{host}")));
    }
    let names = connections(&client.bank, wanted.len()).await?;
    ensure!(names == wanted, "connections: {names:#?}\nand not {wanted:#?}");

    let mut wanted: BTreeSet<String> = SUBSCRIPTIONS
        .iter()
        .flat_map(|subscription| {
            subscription.queues().into_iter().map(|queue| (subscription.service, queue))
        })
        .map(|(service, queue)| format!("{queue} {service}-svc/{queue}@{host}"))
        .collect();
    wanted.insert(format!("client.teller.scenario.<id> scenario@{host}"));
    let tags = consumers(&client.bank, wanted.len()).await?;
    ensure!(tags == wanted, "consumers: {tags:#?}\nand not {wanted:#?}");
    Ok(())
}

/// User and name of each connection to the bank, except the tests' own. The management API hears
/// of a connection some moments later.
async fn connections(bank: &Bank, count: usize) -> Result<BTreeSet<String>> {
    wait_value(&format!("{count} connections"), PATIENCE, async || {
        let path = format!("vhosts/{}/connections", bank.vhost());
        let found = bank.broker().api(Method::GET, &path, None).await?;
        let named = found.as_array().context("a list")?.iter().map(|connection| {
            let name =
                connection["client_properties"]["connection_name"].as_str().unwrap_or("(no name)");
            format!("{} {name}", connection["user"].as_str().unwrap_or_default())
        });
        let named: BTreeSet<String> =
            named.filter(|name| !name.contains("integration-tests")).collect();
        Ok((named.len() >= count).then_some(named))
    })
    .await
}

/// Queue and tag of each consumer.
async fn consumers(bank: &Bank, count: usize) -> Result<BTreeSet<String>> {
    wait_value(&format!("{count} consumers"), PATIENCE, async || {
        let path = format!("consumers/{}", bank.vhost());
        let found = bank.broker().api(Method::GET, &path, None).await?;
        let named = found.as_array().context("a list")?.iter().map(|connection| {
            let queue = connection["queue"]["name"].as_str().unwrap_or_default();
            let queue = match queue.rsplit_once('.') {
                Some((queue, id)) if uuid::Uuid::parse_str(id).is_ok() => format!("{queue}.<id>"),
                _ => queue.to_owned(),
            };
            format!("{queue} {}", connection["consumer_tag"].as_str().unwrap_or_default())
        });
        let named: BTreeSet<String> = named.collect();
        Ok((named.len() >= count).then_some(named))
    })
    .await
}

fn host_name() -> Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned())
}

/// The policy of the definitions, and then the same with figures that a test can wait for.
async fn a_forgotten_queue_of_a_client_is_bounded_holds_nobody_up_and_goes_away(
    bank: Bank,
) -> Result<()> {
    let (broker, vhost) = (bank.broker(), bank.vhost());
    let wanted = definitions(&Principals::development());
    let mut policies = wanted["policies"].as_array().into_iter().flatten();
    let mut policy =
        policies.find(|policy| policy["name"] == "clients").cloned().context("a policy")?;
    let bounds = wanted["parameters"].as_array().into_iter().flatten();
    let mut bounds = bounds.filter(|bound| bound["component"] == "operator_policy");
    let bound = bounds.next().context("an operator policy")?;
    let mut effective = policy["definition"].clone();
    let merged = effective.as_object_mut().context("a definition is an object")?;
    merged.extend(bound["value"]["definition"].as_object().cloned().context("a definition")?);
    let effective = &effective;
    for kind in ["quorum", "classic"] {
        let queue = format!("client.forgotten.{kind}");
        let body = json!({ "durable": true, "arguments": { "x-queue-type": kind } });
        broker.api(Method::PUT, &format!("queues/{vhost}/{queue}"), Some(body)).await?;
        let binding = format!("bindings/{vhost}/e/bank.events/q/{queue}");
        broker.api(Method::POST, &binding, Some(json!({ "routing_key": "#" }))).await?;
        let path = format!("queues/{vhost}/{queue}");
        wait_value("the policy holds", PATIENCE, async || {
            let found = broker.api(Method::GET, &path, None).await?;
            Ok((found["effective_policy_definition"] == *effective).then_some(()))
        })
        .await?;
    }
    let object = policy.as_object_mut().context("a policy is an object")?;
    object.retain(|name, _| !matches!(name.as_str(), "name" | "vhost"));
    object["definition"]["expires"] = 3_000.into();
    object["definition"]["max-length-bytes"] = 10_000.into();
    broker.api(Method::PUT, &format!("policies/{vhost}/clients"), Some(policy)).await?;
    // Each is confirmed, also when the queue has lost many times what it may hold.
    let event = Message::new("bank.events", "ledger.anything.v1", "x".repeat(1_000));
    bank.publish_all(&vec![event; 100]).await?;
    for kind in ["quorum", "classic"] {
        let path = format!("queues/{vhost}/client.forgotten.{kind}");
        wait_value("the queue is deleted", PATIENCE, async || {
            let gone = broker.api(Method::GET, &path, None).await.is_err();
            Ok(gone.then_some(()))
        })
        .await?;
    }
    Ok(())
}
