//! Webhook receivers that misbehave. Promise: a receiver that hangs delays no other, one that asks
//! for a pause gets the pause, one that answers Gone is disabled, and no response text is stored.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, facts, wait_for};
use serde_json::json;
use shared_events::{
    AccountId, Message as _,
    ledger::SubmitTransfers,
    notifications::{
        DeliveryStatus, DeliverySucceeded, EndpointDisabled, GetPreferences, PreferencesFound,
    },
};

use super::{
    bank_client::{BankClient, cash, customer, transfer},
    mail_server::MailServer,
    notifications::{BANKS, HOLDERS, everything, listed, open},
    webhook_receiver::{SECRETS, SilentReceiver, WebhookReceiver},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        three_hundred_deliveries_that_hang_delay_nobody_else,
        a_receiver_that_asks_for_a_pause_gets_it,
        a_webhook_that_is_gone_is_left_alone_until_preferences_are_set,
        a_new_key_signs_together_with_the_one_before,
        a_row_of_a_newer_version_holds_up_no_other,
    ]
}

/// Another key of a holder.
const NEXT: &str = "whsec_bmV4dC1rZXktb2YtdGhlLXNhbWUtaG9sZGVyIQ==";

/// An account whose holder can be told by this webhook only.
async fn account_with_webhook(
    client: &mut BankClient,
    name: &str,
    webhook: String,
) -> Result<AccountId> {
    client.account_with(name, |terms| terms.holder.webhook = Some(webhook)).await
}

async fn three_hundred_deliveries_that_hang_delay_nobody_else(bank: Bank) -> Result<()> {
    let (mail_server, receiver, silent) = (
        MailServer::open(&[]).await?,
        WebhookReceiver::open(&bank, &[]).await?,
        SilentReceiver::open(&bank).await?,
    );
    let mut client = open(bank, &mail_server).await?;
    let alice = account_with_webhook(&mut client, "alice", silent.url()).await?;
    let bob = account_with_webhook(&mut client, "bob", receiver.url()).await?;
    let transfers = (0..300).map(|_| transfer(cash(), customer(alice), "1"));
    let transfers = transfers.collect::<Result<Vec<_>>>()?;
    client.request(SubmitTransfers { transfers }).await?;
    wait_for("300 deliveries", PATIENCE, async || {
        let tried = "SELECT count(*) FROM deliveries";
        Ok(client.bank.number("notifications", tried).await? == 300)
    })
    .await?;
    let sent = std::time::Instant::now();
    client.deposit(bob, "1").await?;
    let call = receiver.wait(1).await?.remove(0);
    let late = call.at.duration_since(sent);
    ensure!(late < Duration::from_secs(3), "another account's webhook came after {late:?}");
    let begun = "SELECT count(*) FROM deliveries WHERE attempts > 0";
    let begun = client.bank.number("notifications", begun).await?;
    ensure!((2..=9).contains(&begun), "{begun} deliveries of one account were under way at once");
    Ok(())
}

async fn a_receiver_that_asks_for_a_pause_gets_it(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    let receiver = WebhookReceiver::asking_for_pauses(&bank, &[503], "2").await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = account_with_webhook(&mut client, "alice", receiver.url()).await?;
    client.deposit(alice, "1").await?;
    receiver.wait(1).await?;
    // Others of the same receiver wait, too.
    client.deposit(alice, "1").await?;
    let calls = receiver.wait(3).await?;
    for later in &calls[1..] {
        let pause = later.at.duration_since(calls[0].at);
        ensure!(pause >= Duration::from_millis(1_900), "the next call came after {pause:?}");
    }
    Ok(())
}

async fn a_webhook_that_is_gone_is_left_alone_until_preferences_are_set(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[410]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = account_with_webhook(&mut client, "alice", receiver.url()).await?;
    let query = async |client: &BankClient| -> Result<PreferencesFound> {
        Ok(client.query(GetPreferences { account_id: alice }).await?)
    };
    client.deposit(alice, "1").await?;
    let disabled = client.bank.events().wait_for(EndpointDisabled::TYPE, 1).await?.remove(0);
    ensure!(disabled.event.data["account_id"] == json!(alice), "{disabled:?}");
    ensure!(disabled.event.data["channel"] == "webhook", "{disabled:?}");
    ensure!(query(&client).await?.webhook_disabled);

    client.deposit(alice, "2").await?;
    wait_for(
        "the second is noted",
        PATIENCE,
        async || Ok(listed(&client, alice).await?.len() == 2),
    )
    .await?;
    let actual = listed(&client, alice).await?;
    ensure!(actual[0].deliveries.is_empty(), "nothing is sent to who is gone: {actual:?}");
    let error = actual[1].deliveries[0].last_error.as_deref();
    ensure!(error == Some("410"), "{error:?} tells what was answered ({SECRETS})");

    client.request(everything(alice, None)).await?;
    ensure!(!query(&client).await?.webhook_disabled);
    client.deposit(alice, "3").await?;
    let calls = receiver.wait(2).await?;
    ensure!(calls[1].json()?["data"]["money"]["amount"] == "3.00", "{calls:?}");
    Ok(())
}

async fn a_new_key_signs_together_with_the_one_before(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = account_with_webhook(&mut client, "alice", receiver.url()).await?;
    client.wait_recipients().await?;
    let mut count = 0;
    let mut signed_by = async |client: &BankClient, keys: [bool; 3]| -> Result<()> {
        count += 1;
        client.deposit(alice, "1").await?;
        let call = receiver.wait(count).await?.remove(count - 1);
        let verified = [BANKS, HOLDERS, NEXT].map(|key| call.verify(key).is_ok());
        ensure!(verified == keys, "{verified:?} is not {keys:?}: {call:?}");
        Ok(())
    };
    signed_by(&client, [true, false, false]).await?;
    client.request(everything(alice, Some(HOLDERS))).await?;
    signed_by(&client, [true, true, false]).await?;
    client.request(everything(alice, Some(NEXT))).await?;
    signed_by(&client, [false, true, true]).await?;
    // The same again is no new key.
    client.request(everything(alice, Some(NEXT))).await?;
    client.request(everything(alice, None)).await?;
    signed_by(&client, [false, true, true]).await?;
    let a_day_later = "UPDATE recipients SET webhook_key_before_until = \
                       webhook_key_before_until - interval '1 day'";
    client.bank.execute("notifications", a_day_later).await?;
    signed_by(&client, [false, false, true]).await
}

async fn a_row_of_a_newer_version_holds_up_no_other(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = account_with_webhook(&mut client, "alice", receiver.url()).await?;
    client.wait_recipients().await?;
    client.bank.execute("notifications", "ALTER TYPE topic ADD VALUE 'weather'").await?;
    for (number, topic) in [(1, "weather"), (2, "account_closed")] {
        plant(&client, alice, number, topic, r#"{"topic":"weather","rain":true}"#).await?;
    }
    client.deposit(alice, "1").await?;
    let call = receiver.wait(1).await?.remove(0);
    ensure!(call.json()?["type"] == "transfer.posted", "{call:?}");
    wait_for("both are set aside", PATIENCE, async || {
        let aside = "SELECT count(*) FROM deliveries WHERE status = 'pending' AND attempts = 0
                     AND next_attempt_at > now() + interval '5 minutes'";
        Ok(client.bank.number("notifications", aside).await? == 2)
    })
    .await?;
    let actual = listed(&client, alice).await?;
    ensure!(actual.len() == 2, "what this version knows is listed: {actual:?}");
    // A version that can read it takes it up where it was left.
    let known = "UPDATE notifications SET topic = 'account_closed',
                     parameters = '{\"topic\":\"account_closed\"}' WHERE topic = 'weather';
                 UPDATE deliveries SET next_attempt_at = now() FROM notifications n
                 WHERE n.id = notification_id AND n.parameters ->> 'topic' = 'account_closed'";
    client.bank.execute("notifications", known).await?;
    let calls = receiver.wait(2).await?;
    ensure!(calls[1].json()?["type"] == "account.closed", "{calls:?}");
    client.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await?;
    let statuses = listed(&client, alice).await?;
    let done = statuses.iter().flat_map(|actual| &actual.deliveries);
    let done = done.filter(|delivery| delivery.status == DeliveryStatus::Succeeded).count();
    ensure!(done == 2, "{statuses:?}");
    Ok(())
}

/// A notification as another version of the service stores it, with a webhook that is due.
async fn plant(
    client: &BankClient,
    account: AccountId,
    number: u32,
    topic: &str,
    parameters: &str,
) -> Result<()> {
    let id = format!("01a20297-de08-7a11-a1b8-00000000000{number}");
    let statements = format!(
        "INSERT INTO notifications
             (id, account_id, topic, event_id, correlation_id, parameters, created_at)
         VALUES ('{id}', '{account}', '{topic}', '{id}', '{id}', '{parameters}', now());
         INSERT INTO deliveries (id, notification_id, channel, next_attempt_at)
         VALUES ('{id}', '{id}', 'webhook', now() - interval '1 hour')"
    );
    client.bank.execute("notifications", &statements).await.context("the row is planted")
}
