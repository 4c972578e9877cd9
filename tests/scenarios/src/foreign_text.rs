//! Texts by which a stranger would steer a terminal, a spreadsheet, a log or another program.
//! Promise: no such text has its effect in any medium, also one that was stored before the rules.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::Value;
use shared_events::{
    ledger::Transfer,
    text::{first_hidden, visible},
    topology::COMMANDS,
};

use super::{
    bank_client::{BankClient, cash, customer, transfer},
    cli_runner::{CliOutput, TellerCli},
    mail_server::MailServer,
    notifications::open,
    webhook_receiver::WebhookReceiver,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_statement_of_texts_of_long_ago_steers_nothing_in_any_format,
        an_error_that_quotes_a_stranger_is_one_line_that_steers_nothing,
        a_log_of_hostile_messages_has_no_line_of_theirs,
        a_webhook_of_a_text_of_long_ago_steers_nothing,
    ]
}

/// A formula, control sequences of both kinds, marks of direction, ends of lines, and the end of an
/// element of XML.
const EVIL: &str = "=HYPERLINK(\"http://evil.example\")\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\
    \u{61c}\r\n1999-01-01 forged\u{2028}\u{85}\u{7f}\u{fffe}</Ustrd>end";

/// Fails where a line has a character that cannot be seen.
fn seen(output: &CliOutput) -> Result<()> {
    for line in output.out.split('\n').chain(output.err.split('\n')) {
        let hidden = first_hidden(line);
        ensure!(hidden.is_none(), "{hidden:?} in {line:?}");
        ensure!(!line.starts_with("1999-01-01"), "a stranger wrote the line {line:?}");
    }
    Ok(())
}

async fn a_statement_of_texts_of_long_ago_steers_nothing_in_any_format(bank: Bank) -> Result<()> {
    const MARK: &str = "MARK-OF-A-TEXT";
    const ID_MARK: &str = "MARK-OF-AN-ID";
    /// As long as an end-to-end id may be.
    const EVIL_ID: &str = "@SUM(1)\u{1b}[2J\u{202e}\u{2028}\r\n\u{85}x";
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account_with("alice", |_| ()).await?;
    let paid = Transfer {
        reference: Some(MARK.to_owned()),
        end_to_end_id: Some(ID_MARK.to_owned()),
        ..transfer(cash(), customer(alice), "12.50")?
    };
    ensure!(client.submit(paid).await? == "posted");
    // As a version without the rule has stored it.
    let planted = |text: &str| anyhow::Ok(serde_json::to_string(text)?.replace('\'', "''"));
    let statements = format!(
        "BEGIN; ALTER TABLE journal DISABLE TRIGGER USER;
         UPDATE journal SET
             record = replace(record, '\"author\":{{', '\"author\":{{\"actor\":{},'),
             reference = '{}'::json #>> '{{}}',
             end_to_end_id = '{}'::json #>> '{{}}'
         WHERE reference = '{MARK}' AND end_to_end_id = '{ID_MARK}';
         ALTER TABLE journal ENABLE TRIGGER USER; COMMIT",
        planted(EVIL)?,
        planted(EVIL)?,
        planted(EVIL_ID)?,
    );
    client.bank.execute("ledger", &statements).await?;

    let teller = TellerCli::of(&client.bank)?;
    let (account, mut shown) = (alice.to_string(), Vec::new());
    let period = ["statement", &account, "--from", "2020-01-01", "--to", "2199-12-31"];
    for format in ["table", "csv", "camt053", "json"] {
        let output = teller.run(&[&period[..], &["--format", format]].concat()).await?;
        ensure!(output.code == 0 && output.out.contains("HYPERLINK"), "{format}: {output:?}");
        seen(&output).with_context(|| format.to_owned())?;
        shown.push(output.out);
    }
    let [table, csv, camt053, json] = shown.try_into().ok().context("four formats")?;
    let line = visible(EVIL).into_owned();
    let id = visible(EVIL_ID).into_owned();
    ensure!(table.contains(&format!("┆ {line} ┆ {id} ")), "{table}");
    let row = csv.lines().find(|row| row.starts_with("entry,")).context("a row")?;
    let cell = format!("\"'{}\"", line.replace('"', "\"\""));
    ensure!(row.contains(&format!(",12.50,EUR,12.50,cash,{cell},'{id},")), "{row}");
    ensure!(csv.lines().count() == 4, "{csv}");
    ensure!(camt053.matches("</Ustrd>").count() == 1, "{camt053}");
    ensure!(camt053.contains("&lt;/Ustrd&gt;end</Ustrd>"), "{camt053}");
    let answer: Value = serde_json::from_str(&json)?;
    ensure!(answer["entries"][0]["reference"] == EVIL, "{answer}");

    let authors = [&period[..], &["--authors"]].concat();
    for command in [&["search", &account, "--min", "1"][..], &authors, &["audit", "export"]] {
        let output = teller.run(command).await?;
        ensure!(output.code == 0 && output.out.contains("HYPERLINK"), "{command:?}: {output:?}");
        seen(&output).with_context(|| format!("{command:?}"))?;
    }
    Ok(())
}

async fn an_error_that_quotes_a_stranger_is_one_line_that_steers_nothing(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    let unknown = ["parked", "drop", EVIL, "--service", "accounts"];
    let output = teller.run(&unknown).await?;
    // The id of the command, and the error.
    ensure!(output.code == 1 && output.err.lines().count() == 2, "{output:?}");
    ensure!(output.err.contains("forged"), "{output:?}");
    seen(&output)?;
    let output = teller.run(&[&["--json"], &unknown[..]].concat()).await?;
    seen(&output)?;
    let error: Value = serde_json::from_str(output.err.lines().last().unwrap_or_default())?;
    let message = error["error"]["message"].as_str().unwrap_or_default();
    ensure!(message.ends_with(EVIL), "a program reads it exactly: {error}");
    // Scripts make arguments of texts of strangers.
    for wrong in [["account", "show", "ada", "x\u{1b}[2J\u{202e}"], ["--\u{9b}2J", "a", "b", "c"]] {
        let output = teller.run(&wrong).await?;
        ensure!(output.code == 2 && output.err.starts_with("error: "), "{output:?}");
        seen(&output)?;
    }
    Ok(())
}

async fn a_log_of_hostile_messages_has_no_line_of_theirs(bank: Bank) -> Result<()> {
    let service = bank.start("accounts").await?;
    let kind = "accounts.account.open.v1";
    let envelope = |id: &str, kind: &str| {
        serde_json::json!({
            "specversion": "1.0", "id": id, "type": kind, "source": EVIL, "actor": EVIL,
            "time": EVIL, "correlationid": EVIL, "data": { EVIL: EVIL },
        })
    };
    let bodies = [
        EVIL.to_owned(),
        envelope(EVIL, EVIL).to_string(),
        envelope("01a20297-de08-7a11-a1b8-000000000001", kind).to_string(),
        format!("{{\"{}\":1}}", EVIL.replace('"', "")),
    ];
    for body in &bodies {
        bank.publish(&Message::new(COMMANDS, kind, body.clone()).with_id(EVIL)).await?;
    }
    let parked = bank.wait_parked("accounts", bodies.len()).await?;
    ensure!(parked.len() == bodies.len(), "{parked:?}");
    wait_for("each is logged", PATIENCE, async || {
        Ok(service.log()?.matches("message parked").count() == bodies.len())
    })
    .await?;
    let (out, err) = (service.log()?, String::new());
    ensure!(out.contains("forged"), "{out}");
    seen(&CliOutput { code: 0, out, err })
}

async fn a_webhook_of_a_text_of_long_ago_steers_nothing(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    let receiver = WebhookReceiver::open(&bank, &[]).await?;
    let mut client = open(bank, &mail_server).await?;
    let webhook = Some(receiver.url());
    let alice = client.account_with("alice", |terms| terms.holder.webhook = webhook).await?;
    client.wait_recipients().await?;
    // PostgreSQL's JSON has no NUL, and neither has this text.
    let reference = serde_json::to_string(EVIL)?.replace('\'', "''");
    let statements = format!(
        r#"INSERT INTO notifications
            (id, account_id, topic, event_id, correlation_id, created_at, parameters)
        SELECT id, '{alice}', 'transfer_posted', id, id, now(), jsonb_build_object(
            'topic', 'transfer_posted', 'transfer_id', id, 'direction', 'credit', 'balance', '1',
            'money', jsonb_build_object('amount', '1.00', 'currency', 'EUR'),
            'reference', '{reference}'::jsonb, 'booking_date', '2026-11-22')
        FROM (SELECT '01a20297-de08-7a11-a1b8-000000000001'::uuid) AS planted(id);
        INSERT INTO deliveries (id, notification_id, channel, next_attempt_at)
        SELECT id, id, 'webhook', now() FROM notifications"#
    );
    client.bank.execute("notifications", &statements).await?;
    let call = receiver.wait(1).await?.remove(0);
    ensure!(first_hidden(&call.body).is_none(), "{:?}", call.body);
    ensure!(call.json()?["data"]["reference"] == *visible(EVIL), "{:?}", call.body);
    Ok(())
}
