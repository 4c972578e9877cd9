//! What comes before its account is known. Promise: whoever has heard that an account is open is
//! never told that there is none; and who waits for it holds up nobody else.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::json;
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{Holder, UpdateHolder},
    notifications::{PreferencesChanged, SetPreferences, Topic},
};

use super::{
    desk::{customer, transfer},
    hooks::Hooks,
    mailbox::Mailbox,
    tell::{listed, open},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        one_unknown_customer_holds_up_nobody_elses_news,
        what_a_holder_wants_waits_for_the_account_to_be_known,
    ]
}

/// Whoever is known is told now, and once; the news of the other come when their account is known.
async fn one_unknown_customer_holds_up_nobody_elses_news(bank: Bank) -> Result<()> {
    let (mailbox, hooks) = (Mailbox::open(&[]).await?, Hooks::open(&[]).await?);
    let mut desk = open(bank, &mailbox).await?;
    let alice = desk.account_with("alice", |it| it.holder.webhook = Some(hooks.url())).await?;
    let carol = desk.account("carol").await?;
    desk.deposit(alice, "5").await?;
    hooks.wait(1).await?;
    desk.all_are_known().await?;
    // As if the news that she opened an account were late.
    let forget = format!("DELETE FROM recipients WHERE account_id = '{carol}'");
    desk.bank.execute("notifications", &forget).await?;
    desk.send(transfer(customer(alice), customer(carol), "2")?).await?;
    hooks.wait(2).await?;
    ensure!(mailbox.mails().is_empty(), "{:?}", mailbox.mails());
    let holder = Holder {
        name: "Carol".to_owned(),
        email: Some("carol@example.com".to_owned()),
        webhook: None,
        language: "en".to_owned(),
    };
    desk.tell(UpdateHolder { account_id: carol, holder }).await?;
    let mails = mailbox.wait(1).await?;
    ensure!(mails[0].header("Subject").contains("2.00 EUR"), "{mails:?}");
    ensure!(hooks.calls().len() == 2, "alice is told twice: {:?}", hooks.calls());
    ensure!(listed(&desk, alice).await?.len() == 2);
    ensure!(desk.bank.parked("notifications").await?.is_empty());
    Ok(())
}

/// Commands and events come on different ways, so the command may be first. Where the holder has
/// had another wish meanwhile, the last one holds.
async fn what_a_holder_wants_waits_for_the_account_to_be_known(bank: Bank) -> Result<()> {
    let mailbox = Mailbox::open(&[]).await?;
    let mut desk = open(bank, &mailbox).await?;
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
    desk.bank.publish_all(&first).await?;
    wait_for("both wait", PATIENCE, async || {
        let waiting = desk.bank.waiting("notifications").await?;
        Ok(waiting.iter().map(|(_, count)| count).sum::<u32>() == 2)
    })
    .await?;
    for account in [early, changed_mind] {
        desk.account_with("alice", |it| it.account_id = account).await?;
    }
    desk.all_are_known().await?;
    desk.tell(wants(changed_mind, &[Topic::AccountFrozen])).await?;
    for (command, topic) in first.iter().zip(["account_closed", "account_frozen"]) {
        let outcome = desk.bank.events().outcome(command.id()).await?.event;
        ensure!(outcome.kind == PreferencesChanged::TYPE, "{outcome:?}");
        ensure!(outcome.data["topics"] == json!([topic]), "{outcome:?}");
    }
    Ok(())
}
