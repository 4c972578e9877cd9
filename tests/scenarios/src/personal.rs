//! Data of holders. Promise: they travel on an exchange of their own, and stand in no event that
//! everybody may hear and in no answer that is kept; readers of version 1 go on until it is
//! retired.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, RETIRED_EVENTS, facts, wait_for};
use reqwest::Method;
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{AccountOpened, Holder, HolderCurrent, HolderUpdated, UpdateHolder, v1},
    client::{Client, SendOptions, Watch},
    topology::{EVENTS, PERSONAL, SERVICES},
};

use crate::{
    bank_client::{BankClient, opening},
    principals::client_of,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        data_of_holders_travel_on_their_own_exchange_alone,
        readers_of_version_1_go_on_until_it_is_retired,
    ]
}

/// Part of the name and of both addresses of the holder in these facts.
const SECRET: &str = "zdenka";

fn holder() -> Holder {
    Holder {
        name: format!("{SECRET} Skrytá"),
        email: Some(format!("{SECRET}@example.com")),
        webhook: Some(format!("https://{SECRET}.example.com/hook")),
        language: "cs".to_owned(),
    }
}

/// A clerk that hears of holders on these types alone.
async fn clerk_that_hears(bank: &Bank, kinds: &[&str]) -> Result<(Client, Watch)> {
    let clerk = client_of(bank, &bank.add_client(&["clerk"]).await?)?;
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let watch = clerk.watch(&kinds).await?;
    Ok((clerk, watch))
}

async fn next<M: shared_events::Message>(watch: &mut Watch) -> Result<M> {
    let next = tokio::time::timeout(PATIENCE, watch.next()).await;
    let event = next.with_context(|| format!("no {}", M::TYPE))?.context("the connection lives")?;
    ensure!(event.kind == M::TYPE, "{} instead of {}", event.kind, M::TYPE);
    Ok(event.read()?)
}

async fn data_of_holders_travel_on_their_own_exchange_alone(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (_clerk, mut watch) =
        clerk_that_hears(&client.bank, &["accounts.holder.current.*"]).await?;
    let alice = client.account_with("alice", |open| open.holder = holder()).await?;
    let renamed = Holder { name: format!("{SECRET} Tichá"), ..holder() };
    client.request(UpdateHolder { account_id: alice, holder: renamed.clone() }).await?;
    client.wait_event(HolderUpdated::TYPE, alice).await?;
    let opened: HolderCurrent = next(&mut watch).await?;
    let updated: HolderCurrent = next(&mut watch).await?;
    ensure!((opened.account_id, opened.version, opened.holder) == (alice, 1, holder()));
    ensure!((updated.account_id, updated.version, updated.holder) == (alice, 3, renamed));
    knows_the_holder(&client.bank, alice, 3).await?;
    for event in client.bank.events().events().await? {
        let told = serde_json::to_string(&event.event)?;
        ensure!(!told.contains(SECRET), "everybody hears: {told}");
    }
    // The stream has what this exchange carries, and nothing else.
    let readers = format!("exchanges/{}/{PERSONAL}/bindings/source", client.bank.vhost());
    let readers = client.bank.broker().api(Method::GET, &readers, None).await?;
    let readers: Vec<&str> = readers
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|binding| binding["destination"].as_str())
        .filter(|reader| !reader.starts_with("client."))
        .collect();
    ensure!(readers == ["notifications.events"], "{readers:?}");
    for service in SERVICES {
        let kept = format!(
            "SELECT count(*) + (SELECT count(*) FROM bus.outbox)
             FROM bus.inbox WHERE convert_from(outcome, 'UTF8') LIKE '%{SECRET}%'"
        );
        wait_for(&format!("{service} keeps nothing"), PATIENCE, async || {
            Ok(client.bank.number(service, &kept).await? == 0)
        })
        .await?;
    }
    Ok(())
}

async fn readers_of_version_1_go_on_until_it_is_retired(bank: Bank) -> Result<()> {
    let old = [v1::AccountOpened::TYPE, v1::HolderUpdated::TYPE];
    bank.set("accounts", "BANKWIRE_EVENTS__RETIRED", "");
    let services = bank.start_all(&SERVICES).await?;
    let mut client = BankClient::new(bank)?;
    let (clerk, mut watch) = clerk_that_hears(&client.bank, &old).await?;
    let alice = client.account_with("alice", |open| open.holder = holder()).await?;
    let update = UpdateHolder { account_id: alice, holder: holder() };
    let answer = clerk.request(MessageId::new(), update, &SendOptions::default()).await?;
    let kinds: Vec<&str> = answer.iter().map(|event| event.kind.as_str()).collect();
    ensure!(kinds == [v1::HolderUpdated::TYPE, HolderUpdated::TYPE], "{kinds:?}");
    let opened: v1::AccountOpened = next(&mut watch).await?;
    let updated: v1::HolderUpdated = next(&mut watch).await?;
    ensure!((opened.account_id, opened.holder) == (alice, holder()));
    ensure!((updated.account_id, updated.version) == (alice, 3));
    knows_the_holder(&client.bank, alice, 3).await?;
    let both = "
accounts.account.opened.v1 alice overdraft_limit=0 holder.name=zdenka Skrytá version=1
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
accounts.holder.updated.v1 alice holder.name=zdenka Skrytá version=3
accounts.holder.updated.v2 alice version=3
";
    client.expect_transcript(both).await?;
    for service in SERVICES {
        let parked = client.bank.parked(service).await?;
        ensure!(parked.is_empty(), "{service}: {parked:?}");
    }
    client.bank.set("accounts", "BANKWIRE_EVENTS__RETIRED", RETIRED_EVENTS);
    let accounts = services.first().context("the accounts service")?;
    accounts.stop().await?;
    client.bank.start("accounts").await?;
    let answer = client.request(opening("bob")?).await?;
    let kinds: Vec<&str> = answer.iter().map(|event| event.kind.as_str()).collect();
    ensure!(kinds == [AccountOpened::TYPE], "{kinds:?}");
    let opened: AccountOpened = answer[0].read()?;
    knows_the_holder(&client.bank, opened.account_id, 1).await?;
    let events = client.bank.events().events().await?;
    let told = events.iter().filter(|event| old.contains(&event.event.kind.as_str())).count();
    ensure!(told == 2, "version 1 is announced {told} times on {EVENTS}");
    Ok(())
}

/// Waits until the notifications service has the holder of this version of the account.
async fn knows_the_holder(bank: &Bank, account: AccountId, version: i64) -> Result<()> {
    let known = format!(
        "SELECT count(*) FROM recipients WHERE account_id = '{account}' AND version = {version}
            AND iban IS NOT NULL"
    );
    wait_for("the holder is known", PATIENCE, async || {
        Ok(bank.number("notifications", &known).await? == 1)
    })
    .await
}
