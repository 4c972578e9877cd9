//! Messages that arrive before the account they name. Promise: a client that has received the
//! opening of an account is never told that the account is unknown, and a waiting message blocks no
//! other.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::json;
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{Holder, UpdateHolder},
    notifications::{PreferencesChanged, SetPreferences, Topic},
};

use super::{
    bank_client::{customer, transfer},
    mail_server::MailServer,
    notifications::{listed, open},
    webhook_receiver::WebhookReceiver,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        one_unknown_customer_delays_no_notification_of_others,
        preferences_wait_until_the_account_is_known,
    ]
}

/// The known customer is notified now, and once; the other one when the account is known.
async fn one_unknown_customer_delays_no_notification_of_others(bank: Bank) -> Result<()> {
    let (mail_server, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    let mut client = open(bank, &mail_server).await?;
    let alice = client
        .account_with("alice", |command| command.holder.webhook = Some(receiver.url()))
        .await?;
    let carol = client.account("carol").await?;
    client.deposit(alice, "5").await?;
    receiver.wait(1).await?;
    client.wait_recipients().await?;
    // As if the news that she opened an account were late.
    let forget = format!("DELETE FROM recipients WHERE account_id = '{carol}'");
    client.bank.execute("notifications", &forget).await?;
    client.submit(transfer(customer(alice), customer(carol), "2")?).await?;
    receiver.wait(2).await?;
    ensure!(mail_server.mails().is_empty(), "{:?}", mail_server.mails());
    let holder = Holder {
        name: "Carol".to_owned(),
        email: Some("carol@example.com".to_owned()),
        webhook: None,
        language: "en".to_owned(),
    };
    client.request(UpdateHolder { account_id: carol, holder }).await?;
    let mails = mail_server.wait(1).await?;
    ensure!(mails[0].header("Subject").contains("2.00 EUR"), "{mails:?}");
    ensure!(receiver.calls().len() == 2, "alice is told twice: {:?}", receiver.calls());
    ensure!(listed(&client, alice).await?.len() == 2);
    ensure!(client.bank.parked("notifications").await?.is_empty());
    Ok(())
}

/// Commands and events come on different ways, so the command may be first. Where the holder has
/// had another wish meanwhile, the last one holds.
async fn preferences_wait_until_the_account_is_known(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    let mut client = open(bank, &mail_server).await?;
    let (early, changed_mind) = (AccountId::new(), AccountId::new());
    let wants = |account_id, topics: &[Topic]| SetPreferences {
        account_id,
        email: false,
        webhook: true,
        topics: topics.to_vec(),
        webhook_secret: None,
    };
    let first = [early, changed_mind]
        .map(|account| Message::of(MessageId::new(), wants(account, &[Topic::AccountClosed])));
    client.bank.publish_all(&first).await?;
    wait_for("both wait", PATIENCE, async || {
        let waiting = client.bank.waiting("notifications").await?;
        Ok(waiting.iter().map(|(_, count)| count).sum::<u32>() == 2)
    })
    .await?;
    for account in [early, changed_mind] {
        client.account_with("alice", |command| command.account_id = account).await?;
    }
    client.wait_recipients().await?;
    client.request(wants(changed_mind, &[Topic::AccountFrozen])).await?;
    for (command, topic) in first.iter().zip(["account_closed", "account_frozen"]) {
        let outcome = client.bank.events().outcome(command.id()).await?.event;
        ensure!(outcome.kind == PreferencesChanged::TYPE, "{outcome:?}");
        ensure!(outcome.data["topics"] == json!([topic]), "{outcome:?}");
    }
    Ok(())
}
