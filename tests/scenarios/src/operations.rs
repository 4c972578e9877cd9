//! Operating the bus by the command line. Promise: events are shown as they are published, and
//! parked messages can be listed, replayed and dropped.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{MessageId, accounts::FreezeAccount, topology::SERVICES};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    time::timeout,
};

use super::{
    bank_client::{BankClient, opening},
    cli_runner::{TellerCli, wait_output},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        events_are_shown_as_they_happen,
        a_parked_message_is_listed_shown_and_replayed,
        parked_messages_are_dropped_by_name,
    ]
}

async fn events_are_shown_as_they_happen(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bob = client.account("bob").await?;
    let name = ada.to_string();
    let watch = ["--json", "watch", "accounts.#", "ledger.transfers.*.v1", "--account", &name];
    let mut watch = teller.start(&[&watch[..], &["--count", "2"]].concat())?;
    is_watching(&mut watch).await?;
    client.deposit(bob, "1").await?;
    client.deposit(ada, "2").await?;
    client
        .request(FreezeAccount {
            blocks: shared_events::accounts::Blocks::Both,
            account_id: ada,
            reason: "test".to_owned(),
        })
        .await?;
    let output = wait_output(watch).await?;
    ensure!(output.code == 0, "{output:?}");
    let events: Vec<Value> =
        output.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    ensure!(kinds == ["ledger.transfers.posted.v1", "accounts.account.frozen.v1"], "{kinds:?}");
    ensure!(events[0]["data"]["transfers"][0]["creditor"]["account_id"] == json!(ada));
    Ok(())
}

/// It says so before it hears anything.
async fn is_watching(watch: &mut Child) -> Result<()> {
    let mut said =
        BufReader::new(watch.stderr.take().context("the process has a standard error")?).lines();
    let line = timeout(PATIENCE, said.next_line()).await??.unwrap_or_default();
    ensure!(line.contains("watching"), "{line}");
    Ok(())
}

/// The database refuses one account, until somebody mends it.
async fn a_parked_message_is_listed_shown_and_replayed(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start_all(&SERVICES).await?;
    let rule = "CHECK (holder_name <> 'poison')";
    bank.execute("accounts", &format!("ALTER TABLE accounts ADD CONSTRAINT no_poison {rule}"))
        .await?;
    let (id, command) = (MessageId::new(), opening("poison")?);
    bank.publish(&Message::of(id, command)).await?;
    bank.wait_parked("accounts", 1).await?;
    let name = id.to_string();
    let of = ["--service", "accounts"];
    let list = teller.json(&[&["parked", "list"][..], &of].concat()).await?;
    let facts = ["id", "type", "reason", "queue"].map(|field| &list[0][field]);
    let expected = [&name, "accounts.account.open.v1", "hopeless", "accounts.commands"];
    ensure!(facts == expected && list[1].is_null(), "{list}");
    let shown = teller.json(&[&["parked", "show", &name][..], &of].concat()).await?;
    ensure!(shown["body"]["data"]["holder"]["name"] == "poison", "{shown}");
    ensure!(shown["detail"].as_str().is_some_and(|detail| detail.contains("no_poison")), "{shown}");
    ensure!(bank.parked("accounts").await?.len() == 1, "showing the message has removed a message");

    bank.execute("accounts", "ALTER TABLE accounts DROP CONSTRAINT no_poison").await?;
    let replay = [&["parked", "replay", &name][..], &of].concat();
    let replayed = teller.json(&replay).await?;
    let expected = json!({"replayed": [name], "refused": [], "not_found": []});
    ensure!(replayed == expected, "{replayed}");
    let outcome = bank.events().outcome(id).await?;
    ensure!(outcome.event.kind == "accounts.account.opened.v2", "{outcome:?}");
    ensure!(bank.parked("accounts").await?.is_empty());
    let again = teller.run(&replay).await?;
    ensure!(again.code == 1 && again.err.contains("not_found"), "{again:?}");
    Ok(())
}

async fn parked_messages_are_dropped_by_name(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start_all(&["ledger"]).await?;
    for id in ["one", "two", "three"] {
        let garbage = Message::new("bank.commands", "ledger.transfers.submit.v1", "garbage");
        bank.publish(&garbage.with_id(id).with_partition_key(Some("same"))).await?;
    }
    bank.wait_parked("ledger", 3).await?;
    let of = ["--service", "ledger"];
    let dropped = teller.json(&[&["parked", "drop", "two"][..], &of].concat()).await?;
    ensure!(dropped == json!({"dropped": ["two"], "refused": [], "not_found": []}), "{dropped}");
    let table = teller.run(&[&["parked", "list"][..], &of].concat()).await?;
    ensure!(table.out.contains("one") && table.out.contains("three"), "{table:?}");
    ensure!(!table.out.contains("two") && table.out.contains("undecodable"), "{table:?}");
    let replayed = teller.json(&[&["parked", "replay", "--all"][..], &of].concat()).await?;
    ensure!(replayed["replayed"] == json!(["one", "three"]), "{replayed}");
    // They are garbage still, and come back.
    bank.wait_parked("ledger", 2).await?;
    teller.json(&[&["parked", "drop", "--all"][..], &of].concat()).await?;
    wait_for("nothing is parked", PATIENCE, async || Ok(bank.parked("ledger").await?.is_empty()))
        .await
}
