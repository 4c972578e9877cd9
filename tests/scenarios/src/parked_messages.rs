//! Parked messages, which their service lists, returns, drops and edits for operators. Promise:
//! every message is listed by name, none can control the terminal, and every command ends within
//! its timeout; an operator's command is carried out once, recorded and announced.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Direction, Fact, Message, PATIENCE, Proxy,
    broker::{CLIENT, TESTER},
    facts,
    raw::{RawProperty, raw_nested, raw_text},
    wait_for,
};
use lapin::types::AMQPValue;
use serde_json::{Value, json};
use shared_events::{
    MessageId,
    topology::{COMMANDS, PARKED, PRINCIPAL_HEADER},
};
use uuid::Uuid;

use super::{
    bank_client::opening,
    cli_runner::{TellerCli, wait_output},
};

const OF: [&str; 2] = ["--service", "accounts"];
/// The type of commands that the accounts service parks, because their bodies are no envelopes.
const BROKEN: &str = "accounts.account.open.v1";

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_service_killed_in_the_middle_of_a_replay_replays_each_message_once,
        a_message_of_any_bytes_is_listed_shown_and_dropped,
        more_than_a_thousand_parked_messages_are_reached_and_keep_their_order,
        parking_headers_of_others_are_ignored,
        a_command_that_is_repeated_moves_nothing_again,
        an_edit_changes_the_data_alone_and_is_announced,
        a_command_ends_when_it_must,
    ]
}

async fn parked(teller: &TellerCli, command: &[&str]) -> Result<Value> {
    teller.json(&[&["--timeout", "120", "parked"], command, &OF].concat()).await
}

fn broken(id: &str) -> Message {
    Message::new(COMMANDS, BROKEN, "{}").with_id(id)
}

/// The database refuses accounts of this holder until somebody mends it.
async fn refuse_poison(bank: &Bank) -> Result<()> {
    let rule = "ADD CONSTRAINT no_poison CHECK (holder_name <> 'poison')";
    bank.execute("accounts", &format!("ALTER TABLE accounts {rule}")).await
}

async fn accept_poison(bank: &Bank) -> Result<()> {
    bank.execute("accounts", "ALTER TABLE accounts DROP CONSTRAINT no_poison").await
}

fn poison() -> Result<Message> {
    Ok(Message::of(MessageId::new(), opening("poison")?))
}

/// The announced messages of events of this type, with how often each was announced.
async fn announced(bank: &Bank, kind: &str) -> Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    for event in bank.events().of_kind(kind).await? {
        if !seen.insert(event.event.id) {
            continue;
        }
        for message in event.event.data["messages"].as_array().into_iter().flatten() {
            let id = message["id"].as_str().unwrap_or_default().to_owned();
            *found.entry(id).or_default() += 1;
        }
    }
    Ok(found)
}

async fn a_service_killed_in_the_middle_of_a_replay_replays_each_message_once(
    bank: Bank,
) -> Result<()> {
    const COUNT: usize = 200;
    let teller = TellerCli::of(&bank)?;
    let accounts = bank.start("accounts").await?;
    refuse_poison(&bank).await?;
    let mut commands = Vec::new();
    for _ in 0..COUNT {
        commands.push(poison()?);
    }
    bank.publish_all(&commands).await?;
    bank.wait_parked("accounts", COUNT).await?;
    accept_poison(&bank).await?;
    let replay = [&["--timeout", "120", "parked", "replay", "--all"][..], &OF].concat();
    let replaying = teller.start(&replay)?;
    let effects = "SELECT count(*) FROM accounts WHERE holder_name = 'poison'";
    // Once in each of the two commands of a hundred messages.
    for begun in [1, 101] {
        wait_for("messages have their effect", PATIENCE, async || {
            Ok(bank.number("accounts", effects).await? >= begun)
        })
        .await?;
        accounts.kill().await?;
        accounts.start().await?;
    }
    let output = wait_output(replaying).await?;
    ensure!(output.code == 0, "{output:?}");
    let expected = i64::try_from(COUNT)?;
    wait_for("all have their effect", PATIENCE, async || {
        Ok(bank.number("accounts", effects).await? == expected)
    })
    .await?;
    wait_for("all are announced", PATIENCE, async || {
        Ok(announced(&bank, "accounts.parked.replayed.v1").await?.len() == COUNT)
    })
    .await?;
    let announced = announced(&bank, "accounts.parked.replayed.v1").await?;
    ensure!(announced.values().all(|times| *times == 1), "{announced:?}");
    ensure!(parked(&teller, &["list"]).await? == json!([]));
    ensure!(bank.depth("accounts.parked").await? == 0);
    for command in &commands {
        let led_to = bank.events().caused_by(command.id()).await?;
        let first = led_to.first().context("each leads to an event")?;
        ensure!(led_to.iter().all(|event| event.event.id == first.event.id), "{led_to:?}");
    }
    Ok(())
}

async fn a_message_of_any_bytes_is_listed_shown_and_dropped(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    let mut publisher = bank.raw_publisher(TESTER).await?;
    let deep = RawProperty::headers(&[(b"deep", raw_nested(4_000))]);
    let keyed = RawProperty::headers(&[(b"\xff\xfe", raw_text(b"x"))]);
    let (id, user) = (RawProperty::message_id, RawProperty::user_id(CLIENT.as_bytes()));
    let messages: [(&[RawProperty], &[u8]); 7] = [
        (&[id(b"no text: \xe9\xff")], b"{}"),
        (&[deep], b"deep"),
        (&[keyed, id(b"keyed")], b"\xff\x00"),
        (&[id(b"red \x1b[31m\xe2\x80\xae")], b"\x1b]0;title\x07"),
        (&[], b"one without an id"),
        (&[], b"another"),
        (&[id(b"twice")], b""),
    ];
    for (properties, body) in messages {
        let properties = [properties, std::slice::from_ref(&user)].concat();
        publisher.publish(COMMANDS, BROKEN.as_bytes(), &properties, body).await?;
    }
    let odd = b"accounts.account.open.\xff";
    publisher.publish(COMMANDS, odd, std::slice::from_ref(&user), b"lost").await?;
    publisher.finish().await?;
    bank.wait_parked("accounts", 8).await?;

    let list = parked(&teller, &["list"]).await?;
    let rows = list.as_array().cloned().unwrap_or_default();
    ensure!(rows.len() == 8, "{list}");
    ensure!(rows.iter().all(|row| row["principal"] == CLIENT), "{list}");
    let details: Vec<&str> = rows.iter().filter_map(|row| row["detail"].as_str()).collect();
    for (row, detail) in [(0, "message_id"), (2, "headers' key"), (7, "routing key")] {
        ensure!(details[row] == format!("its {detail} is not UTF-8 text"), "{details:?}");
    }
    let table = teller.run(&[&["parked", "list"][..], &OF].concat()).await?;
    let shown =
        teller.run(&[&["parked", "show", "red \x1b[31m\u{202e}"][..], &OF].concat()).await?;
    for output in [table, shown] {
        ensure!(output.code == 0 && output.out.contains("red"), "{output:?}");
        let steers = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        ensure!(!output.out.contains(steers), "{output:?}");
    }

    // One of several without an id, by its fingerprint.
    let print = rows[5]["fingerprint"].as_str().unwrap_or_default();
    let shown = parked(&teller, &["show", print]).await?;
    ensure!(shown["body"] == "another", "{shown}");
    let dropped = parked(&teller, &["drop", print, "keyed"]).await?;
    ensure!(dropped["dropped"] == json!(["keyed", print]), "{dropped}");
    let dropped = parked(&teller, &["drop", "--all"]).await?;
    ensure!(dropped["dropped"].as_array().map(Vec::len) == Some(6), "{dropped}");
    wait_depth(&bank, 0).await
}

/// Waits until the accounts service's parked queue has so many messages.
async fn wait_depth(bank: &Bank, depth: usize) -> Result<()> {
    wait_for(&format!("{depth} messages are parked"), PATIENCE, async || {
        Ok(usize::try_from(bank.depth("accounts.parked").await?)? == depth)
    })
    .await
}

async fn more_than_a_thousand_parked_messages_are_reached_and_keep_their_order(
    bank: Bank,
) -> Result<()> {
    const COUNT: usize = 1_205;
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    let messages: Vec<Message> = (0..COUNT).map(|n| broken(&n.to_string())).collect();
    bank.publish_all(&messages).await?;
    wait_depth(&bank, COUNT).await?;
    let all: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    for _ in 0..2 {
        let list = parked(&teller, &["list"]).await?;
        let rows = list.as_array().cloned().unwrap_or_default();
        let found: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        let first = found.iter().zip(&all).position(|(found, expected)| found != expected);
        let differing = first.and_then(|place| found.get(place..(place + 20).min(found.len())));
        ensure!(
            found == all,
            "{} rows, from {first:?} in another order: {differing:?}",
            rows.len()
        );
    }
    let dropped = parked(&teller, &["drop", "0", "1204", "600"]).await?;
    ensure!(dropped["dropped"].as_array().map(Vec::len) == Some(3), "{dropped}");
    ensure!(dropped["not_found"] == json!([]), "{dropped}");
    // Each fails again, and is replayed once all the same.
    let replayed = parked(&teller, &["replay", "--all"]).await?;
    ensure!(replayed["replayed"].as_array().map(Vec::len) == Some(COUNT - 3), "no: {replayed}");
    wait_depth(&bank, COUNT - 3).await?;
    let dropped = parked(&teller, &["drop", "--all"]).await?;
    ensure!(dropped["dropped"].as_array().map(Vec::len) == Some(COUNT - 3), "{dropped}");
    wait_depth(&bank, 0).await
}

/// Where the broker gives a message up, the message keeps its sender's headers.
async fn parking_headers_of_others_are_ignored(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    let text = |value: &str| AMQPValue::LongString(value.into());
    let forged = broken("forged")
        .to(PARKED, "accounts")
        .with_header("x-parked-reason", text("hopeless"))
        .with_header("x-parked-queue", text("accounts.commands"))
        .with_header(PRINCIPAL_HEADER, text("somebody"));
    bank.publish(&forged).await?;
    let list = parked(&teller, &["list"]).await?;
    ensure!(list[0]["reason"] == "delivery_limit" && list[0]["queue"] == "", "{list}");
    ensure!(list[0]["principal"].is_null(), "{list}");
    let all = parked(&teller, &["replay", "--all"]).await?;
    ensure!(all["replayed"] == json!([]), "{all}");
    let named = teller.run(&[&["parked", "replay", "forged"][..], &OF].concat()).await?;
    ensure!(named.code == 1 && named.err.contains("no_author"), "{named:?}");
    wait_depth(&bank, 1).await
}

async fn a_command_that_is_repeated_moves_nothing_again(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    bank.publish_all(&[broken("one"), broken("two")]).await?;
    bank.wait_parked("accounts", 2).await?;
    let id = Uuid::now_v7().to_string();
    let drop = ["drop", "one", "--id", &id];
    let first = parked(&teller, &drop).await?;
    bank.publish(&broken("one")).await?;
    bank.wait_parked("accounts", 2).await?;
    ensure!(parked(&teller, &drop).await? == first, "another answer");
    let list = parked(&teller, &["list"]).await?;
    ensure!([&list[0]["id"], &list[1]["id"]] == ["two", "one"], "{list}");
    // The same id with other content is refused, and moves nothing.
    let other = teller.run(&[&["parked", "drop", "two", "--id", &id][..], &OF].concat()).await?;
    ensure!(other.code == 1 && other.err.contains("other content"), "{other:?}");
    let events = bank.events().wait_for("accounts.parked.dropped.v1", 1).await?;
    ensure!(events.len() == 1, "{events:?}");
    let data = &events[0].event.data;
    ensure!(data["principal"] == CLIENT && data["messages"][0]["id"] == "one", "{data}");
    ensure!(data["messages"][0]["principal"] == CLIENT, "{data}");
    let recorded = format!(
        "SELECT count(*) FROM bus.parked_commands JOIN bus.parked_moves USING (command_id)
         WHERE principal = '{CLIENT}' AND command_id = '{id}'"
    );
    ensure!(bank.number("accounts", &recorded).await? == 1, "the move is not recorded");
    Ok(())
}

async fn an_edit_changes_the_data_alone_and_is_announced(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    refuse_poison(&bank).await?;
    let command = poison()?;
    bank.publish(&command).await?;
    bank.wait_parked("accounts", 1).await?;
    let envelope: Value = serde_json::from_slice(&command.body)?;
    let mut data = envelope["data"].clone();
    data["holder"]["name"] = "Jana".into();
    let file = std::env::temp_dir().join(format!("bankwire-edit-{}.json", command.id()));
    std::fs::write(&file, data.to_string())?;
    let path = file.to_str().context("a path is text")?;
    let id = command.id().to_string();
    let edited = parked(&teller, &["edit", &id, "--data", path]).await?;
    std::fs::remove_file(&file)?;
    let outcome = bank.events().outcome(command.id()).await?.event;
    ensure!(outcome.kind == "accounts.account.opened.v2", "{outcome:?}");
    let edited_name = "SELECT count(*) FROM accounts WHERE holder_name = 'Jana'";
    ensure!(bank.number("accounts", edited_name).await? == 1, "{outcome:?}");
    let events = bank.events().wait_for("accounts.parked.edited.v1", 1).await?;
    let told = &events[0].event.data;
    ensure!(events.len() == 1 && *told == edited, "{events:?}");
    ensure!(told["principal"] == CLIENT && told["message"]["id"] == id.as_str(), "{told}");
    ensure!(told["digest_before"] != told["digest_after"], "{told}");
    ensure!(bank.depth("accounts.parked").await? == 0);
    Ok(())
}

async fn a_command_ends_when_it_must(bank: Bank) -> Result<()> {
    bank.start("accounts").await?;
    bank.publish(&broken("held")).await?;
    bank.wait_parked("accounts", 1).await?;
    let proxy = Proxy::to(bank.broker().amqp().clone()).await?;
    let teller = TellerCli::of(&bank)?.with_broker_address(proxy.address())?;
    for direction in [Direction::ToClient, Direction::ToServer] {
        proxy.pause(direction, "");
        for command in [&["list"][..], &["show", "held"], &["replay", "held"], &["drop", "--all"]] {
            let arguments = [&["--timeout", "2", "parked"], command, &OF].concat();
            let began = Instant::now();
            let output = wait_output(teller.start(&arguments)?).await?;
            let took = began.elapsed();
            ensure!(output.code == 3 && took < Duration::from_secs(20), "{took:?}: {output:?}");
        }
        proxy.resume();
    }
    ensure!(bank.depth("accounts.parked").await? == 1, "the message is gone");
    Ok(())
}
