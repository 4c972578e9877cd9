//! Receivers of webhooks that misbehave. Promise: one that hangs holds up nobody else, one that
//! asks for a pause gets it, one that is gone is left alone, and nobody keeps what it says.

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
    desk::{Desk, cash, customer, transfer},
    hooks::{Hooks, SECRETS, Silent},
    mailbox::Mailbox,
    tell::{BANKS, HOLDERS, everything, listed, open},
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
async fn told_by(desk: &mut Desk, name: &str, webhook: String) -> Result<AccountId> {
    desk.account_with(name, |terms| terms.holder.webhook = Some(webhook)).await
}

async fn three_hundred_deliveries_that_hang_delay_nobody_else(bank: Bank) -> Result<()> {
    let (mailbox, hooks, silent) =
        (Mailbox::open(&[]).await?, Hooks::open(&[]).await?, Silent::open().await?);
    let mut desk = open(bank, &mailbox).await?;
    let alice = told_by(&mut desk, "alice", silent.url()).await?;
    let bob = told_by(&mut desk, "bob", hooks.url()).await?;
    let transfers = (0..300).map(|_| transfer(cash(), customer(alice), "1"));
    let transfers = transfers.collect::<Result<Vec<_>>>()?;
    desk.tell(SubmitTransfers { transfers }).await?;
    wait_for("300 deliveries", PATIENCE, async || {
        let tried = "SELECT count(*) FROM deliveries";
        Ok(desk.bank.number("notifications", tried).await? == 300)
    })
    .await?;
    let sent = std::time::Instant::now();
    desk.deposit(bob, "1").await?;
    let call = hooks.wait(1).await?.remove(0);
    let late = call.at.duration_since(sent);
    ensure!(late < Duration::from_secs(3), "another account's webhook came after {late:?}");
    let begun = "SELECT count(*) FROM deliveries WHERE attempts > 0";
    let begun = desk.bank.number("notifications", begun).await?;
    ensure!((2..=9).contains(&begun), "{begun} deliveries of one account were under way at once");
    Ok(())
}

async fn a_receiver_that_asks_for_a_pause_gets_it(bank: Bank) -> Result<()> {
    let mailbox = Mailbox::open(&[]).await?;
    let hooks = Hooks::asking_for_pauses(&[503], "2").await?;
    let mut desk = open(bank, &mailbox).await?;
    let alice = told_by(&mut desk, "alice", hooks.url()).await?;
    desk.deposit(alice, "1").await?;
    hooks.wait(1).await?;
    // Others of the same receiver wait, too.
    desk.deposit(alice, "1").await?;
    let calls = hooks.wait(3).await?;
    for later in &calls[1..] {
        let pause = later.at.duration_since(calls[0].at);
        ensure!(pause >= Duration::from_millis(1_900), "it was called again after {pause:?}");
    }
    Ok(())
}

async fn a_webhook_that_is_gone_is_left_alone_until_preferences_are_set(bank: Bank) -> Result<()> {
    let (mailbox, hooks) = (Mailbox::open(&[]).await?, Hooks::open(&[410]).await?);
    let mut desk = open(bank, &mailbox).await?;
    let alice = told_by(&mut desk, "alice", hooks.url()).await?;
    let asked = async |desk: &Desk| -> Result<PreferencesFound> {
        Ok(desk.client.ask(GetPreferences { account_id: alice }).await?)
    };
    desk.deposit(alice, "1").await?;
    let disabled = desk.bank.events().wait_for(EndpointDisabled::TYPE, 1).await?.remove(0);
    ensure!(disabled.event.data["account_id"] == json!(alice), "{disabled:?}");
    ensure!(disabled.event.data["channel"] == "webhook", "{disabled:?}");
    ensure!(asked(&desk).await?.webhook_disabled);

    desk.deposit(alice, "2").await?;
    wait_for("the second is noted", PATIENCE, async || Ok(listed(&desk, alice).await?.len() == 2))
        .await?;
    let told = listed(&desk, alice).await?;
    ensure!(told[0].deliveries.is_empty(), "nothing is sent to who is gone: {told:?}");
    let error = told[1].deliveries[0].last_error.as_deref();
    ensure!(error == Some("410"), "{error:?} tells what was answered ({SECRETS})");

    desk.tell(everything(alice, None)).await?;
    ensure!(!asked(&desk).await?.webhook_disabled);
    desk.deposit(alice, "3").await?;
    let calls = hooks.wait(2).await?;
    ensure!(calls[1].json()?["data"]["money"]["amount"] == "3.00", "{calls:?}");
    Ok(())
}

async fn a_new_key_signs_together_with_the_one_before(bank: Bank) -> Result<()> {
    let (mailbox, hooks) = (Mailbox::open(&[]).await?, Hooks::open(&[]).await?);
    let mut desk = open(bank, &mailbox).await?;
    let alice = told_by(&mut desk, "alice", hooks.url()).await?;
    desk.all_are_known().await?;
    let mut count = 0;
    let mut signed_by = async |desk: &Desk, keys: [bool; 3]| -> Result<()> {
        count += 1;
        desk.deposit(alice, "1").await?;
        let call = hooks.wait(count).await?.remove(count - 1);
        let verified = [BANKS, HOLDERS, NEXT].map(|key| call.verify(key).is_ok());
        ensure!(verified == keys, "{verified:?} is not {keys:?}: {call:?}");
        Ok(())
    };
    signed_by(&desk, [true, false, false]).await?;
    desk.tell(everything(alice, Some(HOLDERS))).await?;
    signed_by(&desk, [true, true, false]).await?;
    desk.tell(everything(alice, Some(NEXT))).await?;
    signed_by(&desk, [false, true, true]).await?;
    // The same again is no new key.
    desk.tell(everything(alice, Some(NEXT))).await?;
    desk.tell(everything(alice, None)).await?;
    signed_by(&desk, [false, true, true]).await?;
    let a_day_later = "UPDATE recipients SET webhook_key_before_until = \
                       webhook_key_before_until - interval '1 day'";
    desk.bank.execute("notifications", a_day_later).await?;
    signed_by(&desk, [false, false, true]).await
}

async fn a_row_of_a_newer_version_holds_up_no_other(bank: Bank) -> Result<()> {
    let (mailbox, hooks) = (Mailbox::open(&[]).await?, Hooks::open(&[]).await?);
    let mut desk = open(bank, &mailbox).await?;
    let alice = told_by(&mut desk, "alice", hooks.url()).await?;
    desk.all_are_known().await?;
    desk.bank.execute("notifications", "ALTER TYPE topic ADD VALUE 'weather'").await?;
    for (number, topic) in [(1, "weather"), (2, "account_closed")] {
        plant(&desk, alice, number, topic, r#"{"topic":"weather","rain":true}"#).await?;
    }
    desk.deposit(alice, "1").await?;
    let call = hooks.wait(1).await?.remove(0);
    ensure!(call.json()?["type"] == "transfer.posted", "{call:?}");
    wait_for("both are set aside", PATIENCE, async || {
        let aside = "SELECT count(*) FROM deliveries WHERE status = 'pending' AND attempts = 0
                     AND next_attempt_at > now() + interval '5 minutes'";
        Ok(desk.bank.number("notifications", aside).await? == 2)
    })
    .await?;
    let told = listed(&desk, alice).await?;
    ensure!(told.len() == 2, "what this version knows is listed: {told:?}");
    // A version that can read it takes it up where it was left.
    let known = "UPDATE notifications SET topic = 'account_closed',
                     parameters = '{\"topic\":\"account_closed\"}' WHERE topic = 'weather';
                 UPDATE deliveries SET next_attempt_at = now() FROM notifications n
                 WHERE n.id = notification_id AND n.parameters ->> 'topic' = 'account_closed'";
    desk.bank.execute("notifications", known).await?;
    let calls = hooks.wait(2).await?;
    ensure!(calls[1].json()?["type"] == "account.closed", "{calls:?}");
    desk.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await?;
    let statuses = listed(&desk, alice).await?;
    let done = statuses.iter().flat_map(|told| &told.deliveries);
    let done = done.filter(|delivery| delivery.status == DeliveryStatus::Succeeded).count();
    ensure!(done == 2, "{statuses:?}");
    Ok(())
}

/// A notification as another version of the service stores it, with a webhook that is due.
async fn plant(
    desk: &Desk,
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
    desk.bank.execute("notifications", &statements).await.context("the row is planted")
}
