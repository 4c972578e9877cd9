//! Attacks of one client on the bank and on the other clients, within its permissions. Promise: no
//! queue, exchange or binding of a client evades its roles or stops another user of the broker.

use std::{collections::BTreeSet, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use lapin::{
    Channel, Connection, ExchangeKind,
    options::{
        BasicConsumeOptions, ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use reqwest::Method;
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{AccountFrozen, AccountOpened, Blocks, FreezeAccount, UnfreezeAccount},
    amqp::ConnectionParameters,
    client::{Client, RequestError, SendOptions},
    ledger::{ClosePeriod, GetTrialBalance, TransfersPosted},
    topology::{COMMANDS, ClientPrincipal, EVENTS, SERVICES, UNROUTED},
};

use crate::{bank_client::BankClient, rights::acts::connect};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        events_forwarded_to_the_commands_change_nothing_and_are_not_kept,
        an_exchange_of_a_client_carries_no_command_past_its_roles,
        a_queue_that_could_harm_others_goes_away_with_its_client,
        a_full_queue_of_a_client_stops_nobody,
        a_client_that_acknowledges_nothing_is_locked_out,
        unroutable_messages_drop_the_oldest_and_stop_nobody,
        a_watcher_hears_the_events_of_its_roles,
        a_command_without_a_right_is_refused_at_once_and_alone,
    ]
}

/// The broker cannot refuse the binding: the client may write to one exchange and read the other.
async fn events_forwarded_to_the_commands_change_nothing_and_are_not_kept(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let attacker = client.bank.add_client(&["clerk"]).await?;
    let connection = connect(&client.bank, &attacker.name).await?;
    let channel = connection.create_channel().await?;
    let options = ExchangeBindOptions::default();
    channel
        .exchange_bind(
            COMMANDS.into(),
            EVENTS.into(),
            AccountFrozen::TYPE.into(),
            options,
            FieldTable::default(),
        )
        .await?;
    client.request(freeze(alice)).await?;
    client.wait_event(AccountFrozen::TYPE, alice).await?;
    let path = format!("bindings/{}/e/{EVENTS}/e/{COMMANDS}", client.bank.vhost());
    wait_for("the binding is removed", PATIENCE, async || {
        let found = client.bank.broker().api(Method::GET, &path, None).await?;
        Ok(found.as_array().is_some_and(Vec::is_empty))
    })
    .await?;
    let kept = client.bank.depth(UNROUTED).await?;
    client.request(UnfreezeAccount { account_id: alice }).await?;
    client.request(freeze(alice)).await?;
    // The answer to the freeze may come before the ledger has heard of it.
    let frozen = "SELECT count(*) FROM accounts WHERE status = 'frozen' AND followed_status > 4";
    wait_for("the account is frozen once more", PATIENCE, async || {
        Ok(client.bank.number("ledger", frozen).await? == 1)
    })
    .await?;
    ensure!(client.deposit(alice, "1").await? != "posted", "a frozen account takes no deposit");
    ensure!(client.bank.depth(UNROUTED).await? == kept, "events go on to the unrouted messages");
    for service in SERVICES {
        ensure!(
            client.bank.parked(service).await?.is_empty(),
            "{service} took an event as a command"
        );
    }
    Ok(())
}

/// A message published to the client's own exchange needs no right by type, and a binding to
/// `bank.commands` carries it on.
async fn an_exchange_of_a_client_carries_no_command_past_its_roles(bank: Bank) -> Result<()> {
    let mut attacker = bank.add_client(&["customer_channel"]).await?;
    let name = format!("{}mine", attacker.queue_prefix());
    let connection = connect(&bank, &attacker.name).await?;
    let channel = connection.create_channel().await?;
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let kind = ExchangeKind::Topic;
    channel.exchange_declare(name.as_str().into(), kind, options, FieldTable::default()).await?;
    let path = format!("exchanges/{}/{name}", bank.vhost());
    wait_for("the exchange is deleted", PATIENCE, async || {
        Ok(bank.broker().api(Method::GET, &path, None).await.is_err())
    })
    .await?;
    locked_out(&bank, &attacker, &connection).await?;
    // An operator lets it in again.
    attacker.max_channels += 1;
    bank.put_client(&attacker).await?;
    connect(&bank, &attacker.name).await?;
    Ok(())
}

/// Dead letters reach `bank.commands` with any key and without a right; a queue that refuses
/// messages makes the broker refuse an event to the service that announces it; a stream is kept for
/// ever.
async fn a_queue_that_could_harm_others_goes_away_with_its_client(bank: Bank) -> Result<()> {
    let text = |text: &str| AMQPValue::LongString(text.into());
    let cases: [(&str, Vec<(&str, AMQPValue)>); 3] = [
        (
            "dead-letters",
            vec![
                ("x-message-ttl", AMQPValue::LongInt(0)),
                ("x-dead-letter-exchange", text(COMMANDS)),
                ("x-dead-letter-routing-key", text(ClosePeriod::TYPE)),
            ],
        ),
        (
            "refuses",
            vec![("x-max-length", AMQPValue::LongInt(1)), ("x-overflow", text("reject-publish"))],
        ),
        ("stream", vec![("x-queue-type", text("stream"))]),
    ];
    for (case, arguments) in cases {
        let attacker = bank.add_client(&["customer_channel"]).await?;
        let connection = connect(&bank, &attacker.name).await?;
        let queue = format!("{}{case}", attacker.queue_prefix());
        declare(&connection, &queue, arguments).await?;
        wait_for(&format!("the queue is deleted: {case}"), PATIENCE, async || {
            let path = format!("queues/{}/{queue}", bank.vhost());
            Ok(bank.broker().api(Method::GET, &path, None).await.is_err())
        })
        .await?;
        locked_out(&bank, &attacker, &connection).await.context(case)?;
    }
    Ok(())
}

/// The harmless form drops its oldest messages; the other one is deleted, and the service announces
/// its events once more.
async fn a_full_queue_of_a_client_stops_nobody(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let lazy = client.bank.add_client(&["customer_channel"]).await?;
    bound_queues(&client.bank, &lazy, "max-length", 3).await?;
    let evil = client.bank.add_client(&["customer_channel"]).await?;
    for (owner, arguments) in [
        (&lazy, vec![("x-max-length", AMQPValue::LongInt(1_000_000))]),
        (
            &evil,
            vec![
                ("x-max-length", AMQPValue::LongInt(1)),
                ("x-overflow", AMQPValue::LongString("reject-publish".into())),
            ],
        ),
    ] {
        let connection = connect(&client.bank, &owner.name).await?;
        let queue = format!("{}full", owner.queue_prefix());
        let channel = declare(&connection, &queue, arguments).await?;
        let (name, options) = (queue.as_str().into(), QueueBindOptions::default());
        let key = TransfersPosted::TYPE.into();
        channel.queue_bind(name, EVENTS.into(), key, options, FieldTable::default()).await?;
    }
    for _ in 0..20 {
        ensure!(client.deposit(alice, "1").await? == "posted");
    }
    wait_for("every event is announced", PATIENCE, async || {
        Ok(client.bank.outbox("ledger").await? == 0)
    })
    .await?;
    let events = client.bank.events().of_kind(TransfersPosted::TYPE).await?;
    let heard: BTreeSet<_> = events.iter().map(|event| event.event.id).collect();
    ensure!(heard.len() == 20, "{} of 20 payments were heard", heard.len());
    let kept = client.bank.depth(&format!("{}full", lazy.queue_prefix())).await?;
    ensure!(kept <= 3, "a client's argument raised the bound: {kept} messages are kept");
    Ok(())
}

/// The bound of a queue counts no message that a consumer holds.
async fn a_client_that_acknowledges_nothing_is_locked_out(bank: Bank) -> Result<()> {
    for kind in ["classic", "quorum"] {
        let hoarder = bank.add_client(&["customer_channel"]).await?;
        bound_queues(&bank, &hoarder, "max-length-bytes", 10_000).await?;
        let connection = connect(&bank, &hoarder.name).await?;
        let queue = format!("{}hoard", hoarder.queue_prefix());
        let quorum = vec![("x-queue-type", AMQPValue::LongString(kind.into()))];
        let channel = declare(&connection, &queue, quorum).await?;
        let (name, options) = (queue.as_str().into(), QueueBindOptions::default());
        let key = TransfersPosted::TYPE.into();
        channel.queue_bind(name, EVENTS.into(), key, options, FieldTable::default()).await?;
        let (name, options) = (queue.as_str().into(), BasicConsumeOptions::default());
        let held = channel.basic_consume(name, "hoard".into(), options, FieldTable::default());
        let _held = held.await?;
        let event = Message::new(EVENTS, TransfersPosted::TYPE, "x".repeat(1_000));
        wait_for("the client holds more than it may", PATIENCE, async || {
            bank.publish_all(&vec![event.clone(); 8]).await?;
            Ok(!connection.status().connected())
        })
        .await?;
        locked_out(&bank, &hoarder, &connection).await.context(kind)?;
        wait_for("the queue is within its bound", PATIENCE, async || {
            Ok(bank.depth(&queue).await? <= 10)
        })
        .await?;
    }
    Ok(())
}

async fn unroutable_messages_drop_the_oldest_and_stop_nobody(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let path = format!("policies/{}/unrouted", client.bank.vhost());
    let mut policy = client.bank.broker().api(Method::GET, &path, None).await?;
    policy["definition"]["max-length-bytes"] = 10_000.into();
    client.bank.broker().api(Method::PUT, &path, Some(policy)).await?;
    wait_for("the policy holds", PATIENCE, async || {
        let path = format!("queues/{}/{UNROUTED}", client.bank.vhost());
        let found = client.bank.broker().api(Method::GET, &path, None).await?;
        Ok(found["effective_policy_definition"]["max-length-bytes"] == 10_000)
    })
    .await?;
    let lost = Message::new(COMMANDS, "ledger.unknown.v1", "x".repeat(1_000));
    client.bank.publish_all(&vec![lost; 100]).await?;
    ensure!(client.deposit(alice, "1").await? == "posted");
    let kept = client.bank.depth(UNROUTED).await?;
    ensure!(kept <= 10, "{kept} messages are kept");
    Ok(())
}

async fn a_watcher_hears_the_events_of_its_roles(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let watching = client.bank.add_client(&["customer_channel"]).await?;
    let watcher = client_of(&client.bank, &watching)?;
    let mut watch = watcher.watch(&["#".to_owned()]).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "1").await?;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|kind| kind != TransfersPosted::TYPE) {
        let next = tokio::time::timeout(PATIENCE, watch.next()).await;
        heard.push(next.context("an event")?.context("the connection lives")?.kind);
    }
    ensure!(!heard.iter().any(|kind| kind == AccountOpened::TYPE), "{heard:?}");
    for pattern in [AccountOpened::TYPE, "accounts.holder.current.*"] {
        let refused = watcher.watch(&[pattern.to_owned()]).await;
        let why = refused.err().context("no right, and no refusal")?.to_string();
        ensure!(why.contains(&format!("no role with a right to read {pattern}")), "{why}");
    }
    Ok(())
}

async fn a_command_without_a_right_is_refused_at_once_and_alone(bank: Bank) -> Result<()> {
    bank.start_all(&["accounts", "ledger"]).await?;
    let auditing = bank.add_client(&["auditor"]).await?;
    let auditor = client_of(&bank, &auditing)?;
    let began = Instant::now();
    let command = ClosePeriod { through: "2020-01-31".parse()? };
    let options = SendOptions::default();
    let (refused, answered) = tokio::join!(
        auditor.request(MessageId::new(), command, &options),
        auditor.ask(GetTrialBalance::default()),
    );
    match refused {
        Err(RequestError::NotPermitted(error)) => {
            ensure!(error.to_string().contains(ClosePeriod::TYPE), "{error}");
        }
        other => bail!("not refused for want of a right: {other:?}"),
    }
    ensure!(began.elapsed() < PATIENCE, "the refusal took {:?}", began.elapsed());
    answered.context("the query of the same client is answered")?;
    Ok(())
}

fn freeze(account_id: AccountId) -> FreezeAccount {
    FreezeAccount { account_id, reason: "lost card".to_owned(), blocks: Blocks::Both }
}

pub(super) fn client_of(bank: &Bank, principal: &ClientPrincipal) -> Result<Client> {
    let amqp = ConnectionParameters::new(&bank.amqp_url(&principal.name), None)?;
    Ok(Client::new(amqp, "fact"))
}

/// Declares a durable classic queue, unless the arguments name another type.
pub(super) async fn declare(
    connection: &Connection,
    queue: &str,
    arguments: Vec<(&str, AMQPValue)>,
) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), options, table).await?;
    Ok(channel)
}

/// Waits until a client is disconnected, and checks that it cannot come back.
pub(super) async fn locked_out(
    bank: &Bank,
    client: &ClientPrincipal,
    connection: &Connection,
) -> Result<()> {
    wait_for("the client is disconnected", PATIENCE, async || Ok(!connection.status().connected()))
        .await?;
    let refused = refusal(connect(bank, &client.name).await)?;
    ensure!(refused.contains("connection limit (0)"), "{refused}");
    Ok(())
}

/// Why a connection was refused; empty if it was not.
pub(super) fn refusal(connected: Result<Connection>) -> Result<String> {
    match connected {
        Ok(_) => Ok(String::new()),
        Err(error) => Ok(format!("{error:#}")),
    }
}

/// Bounds a client's queues by the operator policy of all clients, with one lower bound.
async fn bound_queues(bank: &Bank, client: &ClientPrincipal, name: &str, bound: u32) -> Result<()> {
    let path = format!("operator-policies/{}/clients", bank.vhost());
    let mut policy = bank.broker().api(Method::GET, &path, None).await?;
    policy["definition"][name] = bound.into();
    policy["pattern"] = format!("^{}", client.queue_prefix().replace('.', "\\.")).into();
    policy["priority"] = 2.into();
    let path = format!("operator-policies/{}/{}", bank.vhost(), client.name);
    bank.broker().api(Method::PUT, &path, Some(policy)).await?;
    wait_for("the policy is there", PATIENCE, async || {
        let found = bank.broker().api(Method::GET, &path, None).await?;
        Ok(found["definition"][name] == bound)
    })
    .await
}
