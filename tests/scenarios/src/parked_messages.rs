//! The tools for parked messages, on queues with messages of any content. Promise: every message is
//! listed by name, none can control the terminal, and every command ends within its timeout.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Direction, Fact, Message, PATIENCE, Proxy, facts,
    raw::{RawProperty, raw_nested, raw_text},
    wait_for,
};
use lapin::types::AMQPValue;
use serde_json::{Value, json};
use shared_events::topology::{COMMANDS, UNROUTED};

use super::cli_runner::{TellerCli, wait_output};

const OF: [&str; 2] = ["--service", "unrouted"];
/// A type that nobody takes.
const LOST: &str = "kitchen.coffee.make.v1";

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_message_of_any_bytes_is_listed_shown_and_dropped,
        more_than_a_thousand_parked_messages_are_reached_and_stay_as_they_were,
        parking_headers_of_an_unrouted_message_are_ignored,
        a_command_ends_when_it_must,
    ]
}

async fn parked(teller: &TellerCli, command: &[&str]) -> Result<Value> {
    teller.json(&[&["parked"], command, &OF].concat()).await
}

async fn a_message_of_any_bytes_is_listed_shown_and_dropped(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    let mut publisher = bank.raw_publisher("client").await?;
    let deep = RawProperty::headers(&[(b"deep", raw_nested(4_000))]);
    let keyed = RawProperty::headers(&[(b"\xff\xfe", raw_text(b"x"))]);
    let id = RawProperty::message_id;
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
        publisher.publish(COMMANDS, LOST.as_bytes(), properties, body).await?;
    }
    publisher.publish(COMMANDS, b"kitchen.\xff", &[], b"lost").await?;
    publisher.finish().await?;

    let list = parked(&teller, &["list"]).await?;
    let rows = list.as_array().cloned().unwrap_or_default();
    ensure!(rows.len() == 8, "{list}");
    let details: Vec<&str> = rows.iter().filter_map(|row| row["detail"].as_str()).collect();
    let expected = ["its message_id is not UTF-8 text", "", "its headers' key is not UTF-8 text"];
    ensure!(details[..3] == expected, "{details:?}");
    ensure!(details[7] == "its routing key is not UTF-8 text", "{details:?}");
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
    wait_for("nothing is left", PATIENCE, async || Ok(bank.depth(UNROUTED).await? == 0)).await
}

async fn more_than_a_thousand_parked_messages_are_reached_and_stay_as_they_were(
    bank: Bank,
) -> Result<()> {
    const COUNT: usize = 1_205;
    let teller = TellerCli::of(&bank)?;
    let message = |n: usize| Message::new(COMMANDS, LOST, "{}").with_id(&n.to_string());
    bank.publish_all(&(0..COUNT).map(message).collect::<Vec<_>>()).await?;
    let ids: Vec<Value> = (0..COUNT).map(|n| json!(n.to_string())).collect();
    for _ in 0..2 {
        let list = parked(&teller, &["list"]).await?;
        let found = list.as_array().into_iter().flatten().map(|row| row["id"].clone());
        ensure!(found.eq(ids.iter().cloned()), "not all, or not in order: {list}");
        wait_for("all are back", PATIENCE, async || Ok(bank.depth(UNROUTED).await? == 1_205))
            .await?;
    }
    let dropped = parked(&teller, &["drop", "0", "1204", "600"]).await?;
    ensure!(dropped == json!({ "dropped": ["0", "600", "1204"], "not_found": [] }), "{dropped}");
    let dropped = parked(&teller, &["drop", "--all"]).await?;
    ensure!(dropped["dropped"].as_array().map(Vec::len) == Some(COUNT - 3), "{dropped}");
    ensure!(bank.depth(UNROUTED).await? == 0);
    Ok(())
}

/// A client's own `x-parked-...` headers would send its message past all checks when replayed.
async fn parking_headers_of_an_unrouted_message_are_ignored(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    let forged = Message::new(COMMANDS, LOST, "{}")
        .with_id("forged")
        .with_header("x-parked-reason", AMQPValue::LongString("hopeless".into()))
        .with_header("x-parked-queue", AMQPValue::LongString("ledger.commands.0".into()));
    bank.publish(&forged).await?;
    let list = parked(&teller, &["list"]).await?;
    ensure!(list[0]["reason"] == "unrouted" && list[0]["queue"] == "", "{list}");
    let replay = teller.run(&[&["parked", "replay", "--all"][..], &OF].concat()).await?;
    ensure!(replay.code == 0 && !replay.out.contains("forged"), "{replay:?}");
    ensure!(bank.depth(UNROUTED).await? == 1);
    Ok(())
}

async fn a_command_ends_when_it_must(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.publish(&Message::new(COMMANDS, LOST, "{}").with_id("held")).await?;
    let proxy = Proxy::to(bank.broker().amqp().clone()).await?;
    let direct = bank.amqp_url("repair");
    let (who, _) = direct.rsplit_once('@').context("a URL names its user")?;
    let url = format!("{who}@{}/{}", proxy.address(), bank.vhost());
    for direction in [Direction::ToClient, Direction::ToServer] {
        proxy.pause(direction, "");
        for command in [&["list"][..], &["show", "held"], &["replay", "held"], &["drop", "--all"]] {
            let arguments = [&["--timeout", "2", "parked"], command, &OF].concat();
            let began = Instant::now();
            let mut command = teller.command(&arguments);
            let output = wait_output(command.env("TELLER_REPAIR_URL", &url).spawn()?).await?;
            let took = began.elapsed();
            ensure!(output.code == 3 && took < Duration::from_secs(10), "{took:?}: {output:?}");
        }
        proxy.resume();
    }
    ensure!(bank.depth(UNROUTED).await? == 1, "the message is gone");
    Ok(())
}
