//! The cost of a batch, in statements and messages and not in time. Promise: a batch of any size
//! runs the same statements and one acknowledgement, its events travel in few messages, and leaves
//! no row behind. Jobs that find nothing to do keep their connections.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use shared_events::{
    AccountId, Message as _, MessageId,
    ledger::{SubmitTransfers, TRANSFERS_MAX, TransfersPosted},
    topology::SERVICES,
};

use super::bank_client::{BankClient, cash, customer, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_thousand_transfers_cost_the_statements_of_one,
        the_events_of_a_hundred_waiting_commands_travel_in_few_messages,
        a_service_without_work_opens_no_connection,
    ]
}

/// The statements of a batch of transfers, by a part of each that no other statement has.
const STATEMENTS: [&str; 4] = [
    "FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    "FROM chains LIMIT 1 FOR UPDATE SKIP LOCKED",
    "INSERT INTO journal",
    "INSERT INTO bus.outbox (lane, events, message_id,",
];

async fn a_thousand_transfers_cost_the_statements_of_one(bank: Bank) -> Result<()> {
    bank.set("ledger", "RUST_LOG", "info,sqlx::query=debug");
    bank.start("accounts").await?;
    let ledger = bank.start("ledger").await?;
    let mut client = BankClient::new(bank)?;
    let (alice, bob) = (client.account("alice").await?, client.account("bob").await?);
    client.deposit(alice, "5000").await?;
    for transfers in [1, 10, TRANSFERS_MAX] {
        let before = ledger.log()?.len();
        let list: Result<Vec<_>> =
            (0..transfers).map(|_| transfer(customer(alice), customer(bob), "1")).collect();
        client.request(SubmitTransfers { transfers: list? }).await?;
        let log = ledger.log()?;
        let new = log.get(before..).context("a log only grows")?;
        let spaced = new.replace("\\n", " ");
        let squeezed = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        for statement in STATEMENTS {
            let count = squeezed.matches(statement).count();
            ensure!(count == 1, "{transfers} transfers: {count} times {statement:?}");
        }
        ensure!(!squeezed.contains("access_log"), "{transfers} transfers write the access log");
    }
    nothing_is_left(&client.bank).await
}

/// The ledger may take the commands in batches of any sizes: the events of a batch are published
/// together.
async fn the_events_of_a_hundred_waiting_commands_travel_in_few_messages(bank: Bank) -> Result<()> {
    bank.start("accounts").await?;
    let ledger = bank.start("ledger").await?;
    let mut client = BankClient::new(bank)?;
    let alice = client.account("alice").await?;
    ledger.stop().await?;
    let commands: Result<Vec<Message>> = (0..100).map(|_| one_deposit(alice)).collect();
    client.bank.publish_all(&commands?).await?;
    ledger.start().await?;
    client.bank.events().wait_for(TransfersPosted::TYPE, 100).await?;

    let messages = ledger.metric("bus_relay_messages_total").await?;
    let batches = ledger.metric("bus_batch_messages_count").await?;
    ensure!(messages <= batches, "{messages} messages for {batches} batches");
    let acknowledgements = ledger.metric("bus_acknowledgements_total").await?;
    ensure!(acknowledgements <= batches, "{acknowledgements} of them for {batches} batches");
    ensure!(batches <= 50.0, "{batches} batches for 100 commands that were all there");
    nothing_is_left(&client.bank).await
}

fn one_deposit(account: AccountId) -> Result<Message> {
    let transfers = vec![transfer(cash(), customer(account), "1")?];
    Ok(Message::of(MessageId::new(), SubmitTransfers { transfers }))
}

/// A login with TLS costs both sides some ten milliseconds, and delays the postings beside it.
async fn a_service_without_work_opens_no_connection(bank: Bank) -> Result<()> {
    // Time for each job to look for work several times.
    const ROUNDS: Duration = Duration::from_secs(12);
    // Statements that run at the same moment need a connection each.
    const AT_ONCE_MAX: i64 = 2;
    bank.start_all(&SERVICES).await?;
    let sessions = async || {
        let mut all = Vec::new();
        for service in SERVICES {
            let count = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()";
            all.push(bank.number(service, count).await?);
        }
        Ok::<_, anyhow::Error>(all)
    };
    tokio::time::sleep(ROUNDS).await;
    let before = sessions().await?;
    tokio::time::sleep(ROUNDS).await;
    let opened = sessions().await?.into_iter().zip(before);
    for (service, (now, before)) in SERVICES.into_iter().zip(opened) {
        ensure!(now - before <= AT_ONCE_MAX, "{service}: {} new connections", now - before);
    }
    Ok(())
}

/// No row of the outbox; and no row of the ledger's inbox, since a transfer is its own proof.
async fn nothing_is_left(bank: &Bank) -> Result<()> {
    wait_for("the outbox is empty", PATIENCE, async || Ok(bank.outbox("ledger").await? == 0))
        .await?;
    let inbox = bank.number("ledger", "SELECT count(*) FROM bus.inbox").await?;
    ensure!(inbox == 0, "{inbox} rows in the inbox");
    Ok(())
}
