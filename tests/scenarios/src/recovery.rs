//! Deliveries that are sent again by command, and the deletion of old ones. Promise: no operator
//! needs an SQL statement for either.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, facts, wait_for};
use shared_events::{
    Message as _, MessageId,
    ids::DeliveryId,
    notifications::{
        DeliveriesRecovered, DeliveryFailed, DeliveryResent, DeliverySucceeded, RecoverDeliveries,
        RecoveryRejected, ResendDelivery,
    },
};

use super::{
    cli::refused,
    cli_runner::TellerCli,
    mail_server::MailServer,
    notifications::{listed, open},
    webhook_receiver::WebhookReceiver,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_delivery_that_failed_is_sent_again_by_command,
        teller_recovers_the_deliveries_that_failed_in_a_span_of_time,
        old_notifications_are_deleted_and_pending_ones_stay,
    ]
}

async fn a_delivery_that_failed_is_sent_again_by_command(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[500; 5]).await?);
    let mut client = open(bank, &mail_server).await?;
    let webhook = Some(receiver.url());
    let alice = client.account_with("alice", |terms| terms.holder.webhook = webhook).await?;
    client.deposit(alice, "1").await?;
    client.bank.events().wait_for(DeliveryFailed::TYPE, 1).await?;
    let delivery_id = listed(&client, alice).await?[0].deliveries[0].delivery_id;

    let id = MessageId::new();
    let answer = client.request_as(id, ResendDelivery { delivery_id }).await?;
    ensure!(answer[0].kind == DeliveryResent::TYPE, "{answer:?}");
    // As often as a new one: twice more it is refused, then it arrives.
    let end = client.bank.events().wait_for(DeliverySucceeded::TYPE, 1).await?.remove(0);
    ensure!(end.event.data["attempts"] == 6, "{end:?}");
    let again = client.request_as(id, ResendDelivery { delivery_id }).await?;
    ensure!(again[0].id == answer[0].id, "the same command has one effect: {again:?}");
    let calls = receiver.calls();
    ensure!(calls.len() == 6, "{calls:?}");
    for call in &calls {
        ensure!(call.header("webhook-id")? == delivery_id.to_string());
    }
    let unknown = client.request(ResendDelivery { delivery_id: DeliveryId::new() }).await?;
    let unknown = unknown[0].read::<RecoveryRejected>()?;
    ensure!(unknown.command_type == ResendDelivery::TYPE, "{unknown:?}");
    ensure!(serde_json::to_value(unknown.reason)? == "unknown_delivery");
    let since = chrono::Utc::now();
    let empty = RecoverDeliveries { account_id: None, channel: None, since, until: Some(since) };
    let empty = client.request(empty).await?[0].read::<RecoveryRejected>()?;
    ensure!(empty.field.as_deref() == Some("until"), "{empty:?}");
    Ok(())
}

async fn teller_recovers_the_deliveries_that_failed_in_a_span_of_time(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[500; 6]).await?);
    let begun = chrono::Utc::now();
    let mut client = open(bank, &mail_server).await?;
    let webhook = Some(receiver.url());
    let alice = client.account_with("alice", |terms| terms.holder.webhook = webhook).await?;
    for _ in 0..2 {
        client.deposit(alice, "1").await?;
    }
    client.bank.events().wait_for(DeliveryFailed::TYPE, 2).await?;
    let teller = TellerCli::of(&client.bank)?;
    let (since, account) = (begun.to_rfc3339(), alice.to_string());
    let span = ["notifications", "recover", "--since", &since];
    let of = |more: &[&'static str]| [&span[..], more].concat();
    let none = teller.json(&of(&["--channel", "email"])).await?;
    ensure!(none["recovered"] == 0, "{none}");
    let done = teller.json(&[&span[..], &["--account", &account]].concat()).await?;
    ensure!(done["recovered"] == 2 && done["more"] == false, "{done}");
    client.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await?;
    let actual = client.bank.events().of_kind(DeliveriesRecovered::TYPE).await?;
    ensure!(actual.len() == 2, "{actual:?}");

    // One that has arrived can be sent again, too: its receiver knows it by its id.
    let shown = teller.json(&["notifications", "list", "--account", &account]).await?;
    let delivery = shown[0]["deliveries"][0]["delivery_id"].as_str().context("an id")?;
    let resent = teller.json(&["notifications", "resend", delivery]).await?;
    ensure!(resent["delivery"]["channel"] == "webhook", "{resent}");
    receiver.wait(9).await?;
    let unknown = MessageId::new().to_string();
    refused(&teller, &["notifications", "resend", &unknown], "unknown_delivery").await?;
    let preferences = teller.json(&["preferences", "show", &account]).await?;
    ensure!(preferences["webhook_disabled"] == false, "{preferences}");
    Ok(())
}

/// Notifications by their age in days and the status of their delivery; an empty status is a
/// notification without a delivery.
const PLANTED: &str = "
    INSERT INTO notifications
        (id, account_id, topic, event_id, correlation_id, parameters, created_at)
    SELECT id, gen_random_uuid(), 'account_closed', id, id,
           CASE WHEN status <> '' THEN '{\"topic\":\"account_closed\"}'::jsonb END, made
    FROM (SELECT made, status,
                 (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0')
                  || '70008000' || lpad(number::text, 12, '0'))::uuid AS id
          FROM (SELECT number, status, now() - make_interval(days => days) AS made
                FROM (VALUES (1, 20, ''), (2, 40, ''), (3, 60, 'succeeded'), (4, 100, 'succeeded'),
                             (5, 100, 'failed'), (6, 100, 'pending'))
                     AS told(number, days, status)) AS told) AS told;
    INSERT INTO deliveries (id, notification_id, channel, status, attempts, next_attempt_at)
    SELECT id, id, 'email',
           (CASE right(id::text, 1) WHEN '6' THEN 'pending' WHEN '5' THEN 'failed'
            ELSE 'succeeded' END)::delivery_status, 1,
           CASE right(id::text, 1) WHEN '6' THEN now() + interval '1 day' END
    FROM notifications WHERE parameters IS NOT NULL;
    INSERT INTO attempts (delivery_id, number, at, took_ms, outcome)
    SELECT id, 1, now(), 1, 'failed' FROM deliveries";

async fn old_notifications_are_deleted_and_pending_ones_stay(bank: Bank) -> Result<()> {
    let instance = bank.start("notifications").await?;
    instance.stop().await?;
    bank.execute("notifications", PLANTED).await?;
    instance.start().await?;
    let count = async |table: &str| {
        bank.number("notifications", &format!("SELECT count(*) FROM {table}")).await
    };
    wait_for("the old ones are deleted", PATIENCE, async || Ok(count("notifications").await? == 3))
        .await?;
    // One is 20 days old, one was delivered 60 days ago, and one is still to be tried.
    let left = "notifications WHERE right(id::text, 1) IN ('1', '3', '6')";
    ensure!(count(left).await? == 3);
    ensure!(count("deliveries").await? == 2 && count("attempts").await? == 2);
    Ok(())
}
