//! The topology as RabbitMQ's definitions file (3.13 to 4.x). Promise: settings on which
//! correctness depends (queue types, single active consumer, delays) are queue arguments, which no
//! policy can change; settings for an operator to tune are policies.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    AUDIT, AUDIT_AGE_MAX, AUDIT_BYTES_MAX, CLIENT_QUEUE_BYTES_MAX, CLIENT_QUEUE_PREFIX,
    CLIENT_QUEUE_UNUSED_MAX, COMMANDS, DELIVERIES_MAX, EVENTS, PARKED, PARKED_BYTES_MAX,
    PARTITION_KEY_HEADER, QUERY_AGE_MAX, REPLIES, RETRY, RETRY_TIERS, SERVICES, SUBSCRIPTIONS,
    Subscription, UNROUTED, UNROUTED_BYTES_MAX, VIRTUAL_HOST, any_version, exchange_of,
    parked_queue,
};

/// A user of the broker, with its rights as regular expressions.
#[derive(Clone, Debug)]
pub struct User {
    /// The name; the development password is `<name>-dev`.
    pub name: String,
    /// Management UI tags.
    pub tags: &'static [&'static str],
    /// The right to declare.
    pub configure: String,
    /// The right to publish.
    pub write: String,
    /// The right to read.
    pub read: String,
    /// The exchange and the routing keys, if the right to publish is restricted further.
    pub topics: Vec<(&'static str, String)>,
}

const NOTHING: &str = "^$";
/// A delivery limit without effect, on every version: 3.13 has no limit, the default of 4.x is 20.
const LOOKS_MAX: u32 = 1_000_000;

/// All users. A service publishes only its own events and reads only its own queues.
#[must_use]
pub fn users() -> Vec<User> {
    let mut users: Vec<User> = SERVICES.iter().map(|service| service_user(service)).collect();
    let own = format!("{}.*", CLIENT_QUEUE_PREFIX.replace('.', "\\."));
    users.push(User {
        name: "client".to_owned(),
        tags: &[],
        configure: format!("^{own}$"),
        write: format!("^(bank\\.commands|{own})$"),
        read: format!("^(bank\\.events|bank\\.replies|bank\\.audit|{own})$"),
        topics: vec![],
    });
    users.push(User {
        name: "repair".to_owned(),
        tags: &[],
        configure: NOTHING.to_owned(),
        write: "^bank\\.retry$".to_owned(),
        read: format!("^(({})\\.parked|bank\\.unrouted)$", SERVICES.join("|")),
        topics: vec![],
    });
    users.push(User {
        name: "operator".to_owned(),
        tags: &["monitoring"],
        configure: NOTHING.to_owned(),
        write: NOTHING.to_owned(),
        read: NOTHING.to_owned(),
        topics: vec![],
    });
    users
}

fn service_user(service: &str) -> User {
    User {
        name: service.to_owned(),
        tags: &[],
        configure: NOTHING.to_owned(),
        write: "^bank\\.(events|retry|parked|replies)$".to_owned(),
        read: queues_of(service, |_| true),
        topics: vec![
            (EVENTS, format!("^{service}\\.")),
            (RETRY, format!("^{service}\\.")),
            (PARKED, format!("^{service}$")),
        ],
    }
}

/// The definitions file: a broker with all objects that services verify and clients use.
#[must_use]
pub fn definitions() -> Value {
    let users = users();
    json!({
        "vhosts": [{ "name": VIRTUAL_HOST, "default_queue_type": "quorum" }],
        "users": users.iter().map(render_user).collect::<Vec<_>>(),
        "permissions": users.iter().map(render_permission).collect::<Vec<_>>(),
        "topic_permissions": users.iter().flat_map(render_topics).collect::<Vec<_>>(),
        "exchanges": exchanges(),
        "queues": queues(),
        "bindings": bindings(),
        "policies": policies(),
    })
}

fn render_user(user: &User) -> Value {
    let name = &user.name;
    // RabbitMQ's scheme: base64 of a 4-byte salt and SHA-256 over salt and password. The salt is
    // fixed so that rendering is repeatable; the broker's start script replaces these hashes.
    let salt = &Sha256::digest(name)[..4];
    let hash = Sha256::new().chain_update(salt).chain_update(format!("{name}-dev")).finalize();
    json!({
        "name": name,
        "password_hash": BASE64_STANDARD.encode([salt, hash.as_slice()].concat()),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": user.tags,
    })
}

fn render_permission(user: &User) -> Value {
    json!({
        "user": user.name,
        "vhost": VIRTUAL_HOST,
        "configure": user.configure,
        "write": user.write,
        "read": user.read,
    })
}

fn render_topics(user: &User) -> Vec<Value> {
    let topic = |(exchange, write): &(&str, String)| {
        json!({
            "user": user.name,
            "vhost": VIRTUAL_HOST,
            "exchange": exchange,
            "write": write,
            "read": ".*",
        })
    };
    user.topics.iter().map(topic).collect()
}

fn exchanges() -> Vec<Value> {
    let exchange = |name: &str, kind: &str, arguments: Value| {
        json!({
            "name": name,
            "vhost": VIRTUAL_HOST,
            "type": kind,
            "durable": true,
            "auto_delete": false,
            "internal": false,
            "arguments": arguments,
        })
    };
    // Unroutable messages go to a queue that operators watch. Replies are the exception: a client
    // that has gone away wants no answer.
    let seen = json!({ "alternate-exchange": UNROUTED });
    let mut exchanges = vec![
        exchange(COMMANDS, "topic", seen.clone()),
        exchange(EVENTS, "topic", seen.clone()),
        exchange(RETRY, "topic", seen.clone()),
        exchange(PARKED, "topic", seen),
        exchange(REPLIES, "direct", json!({})),
        exchange(UNROUTED, "fanout", json!({})),
    ];
    let hashed = json!({ "hash-header": PARTITION_KEY_HEADER });
    let partitioned = SUBSCRIPTIONS.iter().filter(|subscription| subscription.partitions.is_some());
    exchanges.extend(
        partitioned
            .map(|subscription| exchange(subscription.name, "x-consistent-hash", hashed.clone())),
    );
    exchanges
}

fn queues() -> Vec<Value> {
    let queue = |name: &str, arguments: Value| {
        json!({
            "name": name,
            "vhost": VIRTUAL_HOST,
            "durable": true,
            "auto_delete": false,
            "arguments": arguments,
        })
    };
    let plain = json!({ "x-queue-type": "quorum" });
    // One consumer at a time, so that two instances of a service never change the order.
    let ordered = json!({ "x-queue-type": "quorum", "x-single-active-consumer": true });
    let mut queues = vec![queue(AUDIT, json!({ "x-queue-type": "stream" }))];
    queues.push(queue(UNROUTED, plain.clone()));
    queues.extend(SERVICES.iter().map(|service| queue(&parked_queue(service), plain.clone())));
    for subscription in SUBSCRIPTIONS {
        for name in subscription.queues() {
            if subscription.is_queries() {
                queues.push(queue(&name, plain.clone()));
                continue;
            }
            queues.push(queue(&name, ordered.clone()));
            for (delay, wait) in RETRY_TIERS {
                let waiting = json!({
                    "x-queue-type": "quorum",
                    "x-message-ttl": millis(wait),
                    "x-dead-letter-exchange": RETRY,
                    "x-dead-letter-routing-key": name,
                    "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                });
                queues.push(queue(&format!("{name}.retry.{delay}"), waiting));
            }
        }
    }
    queues
}

fn bindings() -> Vec<Value> {
    let mut bindings =
        vec![binding(EVENTS, "queue", AUDIT, "#"), binding(UNROUTED, "queue", UNROUTED, "")];
    for service in SERVICES {
        bindings.push(binding(PARKED, "queue", &parked_queue(service), service));
    }
    for subscription in SUBSCRIPTIONS {
        bindings.extend(sources(&subscription));
        for queue in subscription.queues() {
            if subscription.partitions.is_some() {
                // Of a hash exchange the key is a weight: all partitions have the same.
                bindings.push(binding(subscription.name, "queue", &queue, "1"));
            }
            if !subscription.is_queries() {
                bindings.push(binding(RETRY, "queue", &queue, &queue));
                bindings.extend(RETRY_TIERS.iter().map(|(delay, _)| {
                    let waiting = format!("{queue}.retry.{delay}");
                    binding(RETRY, "queue", &waiting, &waiting)
                }));
            }
        }
    }
    bindings
}

/// The bindings from a subscription's message types to its queue, or to the exchange before its
/// partitions.
fn sources(subscription: &Subscription) -> Vec<Value> {
    let destination = if subscription.partitions.is_some() { "exchange" } else { "queue" };
    let source = |kind: &&str| {
        let exchange = exchange_of(kind).expect("a subscription carries published types only");
        binding(exchange, destination, subscription.name, &any_version(kind))
    };
    let mut sources: Vec<Value> = subscription.types.iter().map(source).collect();
    // The versions of a type stand in a row, and share a binding.
    sources.dedup();
    sources
}

fn binding(source: &str, destination_type: &str, destination: &str, key: &str) -> Value {
    json!({
        "source": source,
        "vhost": VIRTUAL_HOST,
        "destination": destination,
        "destination_type": destination_type,
        "routing_key": key,
        "arguments": {},
    })
}

fn policies() -> Vec<Value> {
    let policy = |name: &str, pattern: String, definition: Value| {
        json!({
            "name": name,
            "vhost": VIRTUAL_HOST,
            "pattern": pattern,
            "apply-to": "queues",
            "priority": 1,
            "definition": definition,
        })
    };
    let mut policies = vec![
        policy(
            "queries",
            format!("^({})\\.queries$", SERVICES.join("|")),
            json!({ "message-ttl": millis(QUERY_AGE_MAX), "delivery-limit": DELIVERIES_MAX }),
        ),
        policy(
            "audit",
            format!("^{}$", AUDIT.replace('.', "\\.")),
            json!({ "max-age": AUDIT_AGE_MAX, "max-length-bytes": AUDIT_BYTES_MAX }),
        ),
    ];
    // A client that has gone for good leaves its durable queues behind. An unused queue is deleted
    // after a while; a full queue loses its oldest messages, so that publishers are never blocked.
    policies.push(policy(
        "clients",
        format!("^{}", CLIENT_QUEUE_PREFIX.replace('.', "\\.")),
        json!({
            "expires": millis(CLIENT_QUEUE_UNUSED_MAX),
            "max-length-bytes": CLIENT_QUEUE_BYTES_MAX,
            "overflow": "drop-head",
        }),
    ));
    // Any client can fill this one.
    policies.push(policy(
        "unrouted",
        format!("^{}$", UNROUTED.replace('.', "\\.")),
        json!({
            "delivery-limit": LOOKS_MAX,
            "max-length-bytes": UNROUTED_BYTES_MAX,
            "overflow": "drop-head",
        }),
    ));
    // An operator's look at a parked message counts as a delivery, and must never use the message
    // up. If the queue is full, the service keeps the message: its own queue waits, and no message
    // is lost.
    policies.push(policy(
        "parked",
        format!("^({})\\.parked$", SERVICES.join("|")),
        json!({
            "delivery-limit": LOOKS_MAX,
            "max-length-bytes": PARKED_BYTES_MAX,
            "overflow": "reject-publish",
        }),
    ));
    // Innocent messages come back with every restart: the service finds the message that kills the
    // service, and the broker's limit is never reached. At-least-once dead-lettering needs
    // reject-publish; without it the broker silently falls back to at-most-once.
    policies.extend(SERVICES.iter().map(|service| {
        policy(
            &format!("{service} work"),
            queues_of(service, |subscription| !subscription.is_queries()),
            json!({
                "delivery-limit": LOOKS_MAX,
                "dead-letter-exchange": PARKED,
                "dead-letter-routing-key": service,
                "dead-letter-strategy": "at-least-once",
                "overflow": "reject-publish",
            }),
        )
    }));
    policies
}

/// A pattern that matches the queues of the wanted subscriptions of a service, and no others.
fn queues_of(service: &str, wanted: fn(&Subscription) -> bool) -> String {
    let own = SUBSCRIPTIONS
        .iter()
        .filter(|subscription| subscription.service == service && wanted(subscription));
    let names: Vec<&str> =
        own.map(|subscription| &subscription.name[service.len() + 1..]).collect();
    format!("^{service}\\.({})(\\.[0-9]+)?$", names.join("|"))
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("waiting times are minutes, not ages")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::LedgerAccountOpened, message::Message};

    #[test]
    fn the_versions_of_a_type_share_a_binding() {
        let types = &[LedgerAccountOpened::TYPE, LedgerAccountOpened::TYPE];
        let subscription = Subscription { types, ..super::super::ACCOUNTS_EVENTS };
        assert_eq!(sources(&subscription).len(), 1);
    }
}
