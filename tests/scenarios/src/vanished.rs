//! A broker that vanishes without a word: no reset, no answer. Promise: services and clients use
//! its successor in less than ten seconds, and nobody restarts them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Bank, Fact, PATIENCE, Proxy, facts, wait_for};
use shared_events::{
    MessageId, Money, TransferId,
    amqp::ConnectionParameters,
    client::{Client, SendOptions},
    ledger::{AccountCode, Party, SubmitTransfers, Transfer},
};

/// From the moment it vanishes to the first answer over its successor.
const BACK_AFTER_MAX: Duration = Duration::from_secs(10);

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_service_uses_the_successor_of_a_broker_that_vanished,
        a_client_uses_the_successor_of_a_broker_that_vanished,
    ]
}

fn payment() -> SubmitTransfers {
    let own = |code: &str| Party::Code(AccountCode(code.to_owned()));
    let transfer = Transfer {
        transfer_id: TransferId::new(),
        debtor: own("cash"),
        creditor: own("fees"),
        money: Money::new(1.into(), "EUR".parse().expect("a currency")),
        reference: None,
        end_to_end_id: None,
        booking_date: None,
    };
    SubmitTransfers { transfers: vec![transfer] }
}

/// Pays once more, and tells how long it took.
async fn pay(client: &Client) -> Result<Duration> {
    let options = SendOptions { deadline: PATIENCE, ..SendOptions::default() };
    let began = Instant::now();
    let outcome = client.request(MessageId::new(), payment(), &options).await?;
    ensure!(outcome[0].kind == "ledger.transfers.posted.v1", "{outcome:?}");
    Ok(began.elapsed())
}

async fn a_service_uses_the_successor_of_a_broker_that_vanished(bank: Bank) -> Result<()> {
    let ledger = bank.start("ledger").await?;
    let client = bank.client("payer")?;
    pay(&client).await?;
    ledger.broker().vanish();
    let took = pay(&client).await?;
    ensure!(took < BACK_AFTER_MAX, "{took:?}");
    // Events, too, leave over another connection.
    wait_for("no event waits", BACK_AFTER_MAX, async || Ok(bank.outbox("ledger").await? == 0)).await
}

async fn a_client_uses_the_successor_of_a_broker_that_vanished(bank: Bank) -> Result<()> {
    let _ledger = bank.start("ledger").await?;
    let proxy = Proxy::to(bank.broker().amqp().clone()).await?;
    let url = format!("amqp://teller:teller-dev@{}/{}", proxy.address(), bank.vhost());
    let client = Client::new(ConnectionParameters::new(&url, None)?, "payer");
    pay(&client).await?;
    proxy.vanish();
    let took = pay(&client).await?;
    ensure!(took < BACK_AFTER_MAX, "{took:?}");
    Ok(())
}
