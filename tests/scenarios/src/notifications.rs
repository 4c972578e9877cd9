//! Notifications of account holders. Promise: every channel is tried until the delivery succeeds or
//! is given up, its end is an event, and no holder receives a topic that they have declined.

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use harness::{Bank, Fact, Message, facts};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{CloseAccount, FreezeAccount, Holder, OpenAccount, UnfreezeAccount, UpdateHolder},
    code::Open,
    ledger::{RejectedTransfer, Transfer, TransfersPosted, TransfersRejected},
    notifications::{
        Channel, DeliveryFailed, DeliveryStatus, DeliverySucceeded, ListNotifications,
        Notification, SetPreferences, Topic,
    },
};

use super::{
    bank_client::{BankClient, amount, cash, customer, own, transfer},
    instructions::{A_DAY, capture, capture_some, hold, pay, release, reverse},
    mail_server::MailServer,
    webhook_receiver::WebhookReceiver,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_posted_transfer_is_notified_by_e_mail_and_by_signed_webhook,
        a_delivery_that_is_refused_for_now_is_sent_again,
        a_delivery_that_is_refused_for_good_is_given_up,
        every_topic_is_notified_without_the_reason_of_a_freeze,
        a_holder_is_notified_of_holds_and_of_their_end,
        a_topic_that_a_holder_has_declined_is_not_sent,
        a_rejection_for_a_reason_of_a_later_ledger_is_notified_with_its_code,
        a_changed_address_counts_from_the_next_notification_on,
    ]
}

/// The bank's key and the holder's own.
pub(super) const BANKS: &str = "whsec_YmFua3dpcmUtdGVzdHMtc2lnbi13aXRoLXRoaXM=";
pub(super) const HOLDERS: &str = "whsec_YS1ob2xkZXItc2lnbnMtd2l0aC10aGlzLWtleSE=";
/// Three attempts, close together.
const SCHEDULE: &str = "0,0.1,0.1";
const ADDRESS: &str = "alice@example.com";

/// A bank that writes to this mail_server.
pub(super) async fn open(bank: Bank, mail_server: &MailServer) -> Result<BankClient> {
    bank.set("notifications", "BANKWIRE_SMTP__URL", mail_server.url());
    bank.set("notifications", "BANKWIRE_WEBHOOK__SECRET", BANKS);
    bank.set("notifications", "BANKWIRE_DELIVERY__SCHEDULE", SCHEDULE);
    BankClient::with_services(bank).await
}

/// Preferences of a holder who wants to hear of everything, by every way.
pub(super) fn everything(account_id: AccountId, secret: Option<&str>) -> SetPreferences {
    SetPreferences {
        account_id,
        email: true,
        webhook: true,
        topics: Topic::ALL.to_vec(),
        webhook_secret: secret.map(str::to_owned),
    }
}

/// The terms of a holder who can be reached by both channels.
pub(super) fn reached(receiver: &WebhookReceiver) -> impl FnOnce(&mut OpenAccount) {
    let webhook = Some(receiver.url());
    move |command| {
        command.holder.email = Some(ADDRESS.to_owned());
        command.holder.webhook = webhook;
    }
}

async fn a_posted_transfer_is_notified_by_e_mail_and_by_signed_webhook(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    let salary = Transfer {
        reference: Some("Salary for May".to_owned()),
        booking_date: "2026-05-31".parse().ok(),
        ..transfer(cash(), customer(alice), "12.50")?
    };
    let transfer_id = salary.transfer_id;
    ensure!(client.submit(salary).await? == "posted");
    let ends = client.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await?;
    let posted = client.bank.events().wait_for(TransfersPosted::TYPE, 1).await?;
    let [notification] = listed(&client, alice).await?.try_into().ok().context("one is listed")?;

    let [mail] = mail_server.mails().try_into().ok().context("one e-mail came")?;
    ensure!(mail.to == ADDRESS && mail.header("To") == ADDRESS, "{mail:?}");
    ensure!(mail.header("Subject").contains("12.50 EUR"), "{mail:?}");
    ensure!(mail.text.contains("Salary for May"), "{mail:?}");

    let [call] = receiver.calls().try_into().ok().context("one call came")?;
    call.verify(BANKS)?;
    ensure!(call.verify(HOLDERS).is_err(), "any key verifies the signature");
    let body = call.json()?;
    let expected = json!({
        "type": "transfer.posted",
        "timestamp": body["timestamp"],
        "data": {
            "notification_id": notification.notification_id,
            "account_id": alice,
            "event_id": posted[0].event.id,
            "topic": "transfer_posted",
            "transfer_id": transfer_id,
            "direction": "credit",
            "money": {"amount": "12.50", "currency": "EUR"},
            "counterparty": "cash",
            "balance": "12.5",
            "reference": "Salary for May",
            "booking_date": "2026-05-31",
        },
    });
    ensure!(body == expected, "{body:#}\nis not\n{expected:#}");

    for delivery in &notification.deliveries {
        ensure!(delivery.status == DeliveryStatus::Succeeded && delivery.attempts == 1);
        let id = delivery.delivery_id.to_string();
        let end = ends.iter().find(|end| end.event.data["delivery_id"] == id.as_str());
        let end = &end.context("each delivery has an event")?.event;
        ensure!(end.data["attempts"] == 1 && end.data["topic"] == "transfer_posted", "{end:?}");
        match delivery.channel.known().context("a known channel")? {
            Channel::Email => ensure!(mail.header("Message-ID").contains(&id), "{mail:?}"),
            Channel::Webhook => ensure!(call.header("webhook-id")? == id, "{call:?}"),
        }
    }
    ensure!(notification.deliveries.len() == 2, "{notification:?}");
    Ok(())
}

async fn a_delivery_that_is_refused_for_now_is_sent_again(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&["451 later"]).await?;
    let receiver = WebhookReceiver::open(&bank, &[500, 503]).await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.deposit(alice, "1").await?;
    let ends = client.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await?;
    for (channel, attempts) in [("email", 2), ("webhook", 3)] {
        let end = ends.iter().find(|end| end.event.data["channel"] == channel);
        let end = &end.with_context(|| format!("the end of the {channel}"))?.event.data;
        ensure!(end["attempts"] == attempts, "{channel}: {end}");
    }
    let (mails, calls) = (mail_server.mails(), receiver.calls());
    ensure!((mails.len(), calls.len()) == (2, 3));
    ensure!(mails[0].text == mails[1].text, "both times the same e-mail");
    for call in &calls {
        call.verify(BANKS)?;
        ensure!(call.body == calls[0].body, "every time the same body");
        ensure!(call.header("webhook-id")? == calls[0].header("webhook-id")?);
    }
    ensure!(client.bank.events().of_kind(DeliveryFailed::TYPE).await?.is_empty());
    Ok(())
}

async fn a_delivery_that_is_refused_for_good_is_given_up(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&["550 5.1.1 no such user"]).await?;
    let receiver = WebhookReceiver::open(&bank, &[410, 500, 500, 500]).await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.deposit(alice, "1").await?;
    client.bank.events().wait_for(DeliveryFailed::TYPE, 2).await?;
    client.request(everything(alice, None)).await?;
    client.deposit(alice, "1").await?;
    let ends = client.bank.events().wait_for(DeliveryFailed::TYPE, 3).await?;
    let mut ends: Vec<String> = ends
        .iter()
        .map(|end| &end.event.data)
        .map(|end| format!("{} {} {}", end["channel"], end["attempts"], end["error"]))
        .collect();
    ends.sort();
    // The first by Gone, which preferences make good; the second after the whole schedule.
    let expected =
        [r#""email" 1 "550 5.1.1 no such user""#, r#""webhook" 1 "410""#, r#""webhook" 3 "500""#];
    ensure!(ends == expected, "{ends:#?}");
    ensure!(receiver.calls().len() == 4);
    let listed = listed(&client, alice).await?;
    let failed = listed.iter().flat_map(|notification| &notification.deliveries);
    let failed = failed.filter(|delivery| delivery.status == DeliveryStatus::Failed).count();
    ensure!(failed == 3, "{listed:#?}");
    Ok(())
}

async fn every_topic_is_notified_without_the_reason_of_a_freeze(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.deposit(alice, "1").await?;
    receiver.wait(1).await?;
    client.submit(transfer(customer(alice), cash(), "2")?).await?;
    receiver.wait(2).await?;
    let reason = "suspected of smuggling".to_owned();
    client
        .request(FreezeAccount {
            blocks: shared_events::accounts::Blocks::Both,
            account_id: alice,
            reason,
        })
        .await?;
    receiver.wait(3).await?;
    client.request(UnfreezeAccount { account_id: alice }).await?;
    receiver.wait(4).await?;
    client.submit(transfer(customer(alice), cash(), "1")?).await?;
    receiver.wait(5).await?;
    client.request(CloseAccount { payout: None, account_id: alice }).await?;
    let calls = receiver.wait(6).await?;
    let bodies = calls
        .iter()
        .map(super::webhook_receiver::WebhookCall::json)
        .collect::<Result<Vec<Value>>>()?;
    let kinds: Vec<&str> = bodies.iter().filter_map(|body| body["type"].as_str()).collect();
    let expected = [
        "transfer.posted",
        "transfer.rejected",
        "account.frozen",
        "account.unfrozen",
        "transfer.posted",
        "account.closed",
    ];
    ensure!(kinds == expected, "{kinds:?}");
    ensure!(bodies[1]["data"]["reason"] == "insufficient_funds", "{}", bodies[1]);
    let mails = mail_server.wait(6).await?;
    let actual = calls.iter().map(|call| &call.body).chain(mails.iter().map(|mail| &mail.text));
    for text in actual {
        ensure!(!text.contains("smuggling"), "a holder is told why they are frozen: {text}");
    }
    Ok(())
}

async fn a_holder_is_notified_of_holds_and_of_their_end(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.deposit(alice, "10").await?;
    receiver.wait(1).await?;
    let place = |lasts| hold(customer(alice), own("cards"), "4", lasts);
    let (captured, released) = (place(A_DAY)?, place(A_DAY)?);
    let ids = [captured.transfer_id, released.transfer_id];
    let payment = pay(customer(alice), cash(), "1", false)?;
    let paid = payment.transfer_id;
    let steps = [captured, capture_some(ids[0], amount(3)), release(ids[0]), released];
    let more = [capture(ids[1], Some(amount(1))), payment, reverse(paid, None)];
    let mut count = 1;
    for instruction in steps.into_iter().chain(more) {
        client.instruct(vec![instruction]).await?;
        count += 1;
        receiver.wait(count).await?;
    }
    client.instruct(vec![place(TimeDelta::milliseconds(1_500))?]).await?;
    let bodies = receiver.wait(count + 2).await?;
    let bodies = bodies
        .iter()
        .map(super::webhook_receiver::WebhookCall::json)
        .collect::<Result<Vec<Value>>>()?;
    let actual: Vec<String> = bodies
        .iter()
        .skip(1)
        .map(|body| (body["type"].as_str().unwrap_or("-"), &body["data"]))
        .map(|(kind, data)| {
            let word = |field: &str| data[field].as_str().unwrap_or("-").to_owned();
            let amount = data["money"]["amount"].as_str().unwrap_or("-");
            format!("{kind} {amount} {} {}", word("cause"), word("available"))
        })
        .collect();
    let expected = [
        "transfer.held 4.00 - 6",
        "transfer.posted 3.00 - -",
        "hold.released 1.00 released 7",
        "transfer.held 4.00 - 3",
        // Three of it were given back with the capture: nothing is said of it.
        "transfer.posted 1.00 - -",
        "transfer.posted 1.00 - -",
        "transfer.posted 1.00 - -",
        "transfer.held 4.00 - 2",
        "hold.released 4.00 expired 6",
    ];
    ensure!(actual == expected, "{actual:#?}");
    let of = |n: usize, field: &str| bodies[n]["data"][field].clone();
    ensure!(of(2, "hold_id") == json!(ids[0]) && of(5, "hold_id") == json!(ids[1]));
    ensure!(of(7, "reverses") == json!(paid), "{}", bodies[7]);
    let mails = mail_server.wait(count + 2).await?;
    let is_there = |text: &str| mails.iter().any(|mail| mail.header("Subject").contains(text));
    ensure!(is_there("4.00 EUR is on hold") && is_there("4.00 EUR is no longer on hold"));
    ensure!(is_there("1.00 EUR was paid back to you"), "{mails:?}");
    Ok(())
}

async fn a_topic_that_a_holder_has_declined_is_not_sent(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.wait_recipients().await?;
    let preferences = SetPreferences {
        account_id: alice,
        email: false,
        webhook: true,
        topics: vec![Topic::TransferRejected, Topic::AccountFrozen],
        webhook_secret: Some(HOLDERS.to_owned()),
    };
    let answer = client.request(preferences).await?;
    ensure!(answer[0].kind == "notifications.preferences.changed.v1", "{answer:?}");
    ensure!(!answer[0].data.get().contains("whsec_"), "the key is announced: {answer:?}");
    client.deposit(alice, "1").await?;
    client.submit(transfer(customer(alice), cash(), "2")?).await?;
    // News are handled in the order of the events: the deposit's are behind us when these come.
    let call = receiver.wait(1).await?.remove(0);
    ensure!(call.json()?["type"] == "transfer.rejected", "{call:?}");
    call.verify(HOLDERS)?;
    client.bank.events().wait_for(DeliverySucceeded::TYPE, 1).await?;
    let listed = listed(&client, alice).await?;
    let actual: Vec<(Option<Topic>, Vec<Option<Channel>>)> = listed
        .iter()
        .map(|notification| {
            let channels = notification.deliveries.iter().map(|delivery| delivery.channel.known());
            (notification.topic.known(), channels.collect())
        })
        .collect();
    let newest_first = [
        (Some(Topic::TransferRejected), vec![Some(Channel::Webhook)]),
        (Some(Topic::TransferPosted), vec![]),
    ];
    ensure!(actual == newest_first, "{actual:?}");
    ensure!(mail_server.mails().is_empty(), "{:?}", mail_server.mails());
    Ok(())
}

/// A ledger of a later release rejects for a reason that this notifications service does not know.
async fn a_rejection_for_a_reason_of_a_later_ledger_is_notified_with_its_code(
    bank: Bank,
) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.wait_recipients().await?;
    let transfer = transfer(customer(alice), cash(), "2")?;
    let rejected = RejectedTransfer {
        transfer_id: transfer.transfer_id,
        reason: Open::parse("of_tomorrow")?,
        debtor: transfer.debtor,
        creditor: transfer.creditor,
        money: transfer.money,
        debtor_account: None,
    };
    let event = TransfersRejected { command_id: MessageId::new(), transfers: vec![rejected] };
    client.bank.publish(&Message::of(MessageId::new(), event)).await?;
    let call = receiver.wait(1).await?.remove(0).json()?;
    ensure!(call["type"] == "transfer.rejected", "{call:?}");
    ensure!(call["data"]["reason"] == "of_tomorrow", "{call:?}");
    let mail = mail_server.wait(1).await?.remove(0);
    ensure!(mail.text.contains("another reason (of_tomorrow)"), "{mail:?}");
    client.bank.events().wait_for(DeliverySucceeded::TYPE, 2).await.map(drop)
}

async fn a_changed_address_counts_from_the_next_notification_on(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client.account_with("alice", reached(&receiver)).await?;
    client.deposit(alice, "1").await?;
    mail_server.wait(1).await?;
    receiver.wait(1).await?;
    let holder = Holder {
        name: "Alice Nova".to_owned(),
        email: Some("nova@example.org".to_owned()),
        webhook: None,
        language: "cs".to_owned(),
    };
    client.request(UpdateHolder { account_id: alice, holder }).await?;
    client
        .request(FreezeAccount {
            blocks: shared_events::accounts::Blocks::Both,
            account_id: alice,
            reason: "test".to_owned(),
        })
        .await?;
    let mails = mail_server.wait(2).await?;
    let actual: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    ensure!(actual == [ADDRESS, "nova@example.org"], "{actual:?}");
    client.bank.events().wait_for(DeliverySucceeded::TYPE, 3).await?;
    ensure!(receiver.calls().len() == 1, "the webhook was taken away");
    ensure!(mails[1].header("Subject") != mails[0].header("Subject"));
    Ok(())
}

/// The notifications of an account, newest first.
pub(super) async fn listed(client: &BankClient, account: AccountId) -> Result<Vec<Notification>> {
    let query = ListNotifications { account_id: Some(account), ..ListNotifications::default() };
    Ok(client.query(query).await?.notifications)
}
