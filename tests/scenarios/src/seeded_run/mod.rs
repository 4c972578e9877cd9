//! A run of commands that follows from a seed. Promise: the same commands lead to the same events
//! and replies as in the golden file, which other builds of the services have written.
//!
//! ```text
//! seed        numbers and ids
//! session     one message after another     transcript
//! settled     the wait for a bank at rest
//! people      openings and holders          states        limits, freezes, closings
//! money       payments, reject reasons      traffic       random instructions
//! arrangements, orders                      deliveries    notifications
//! questions   queries                       parked        messages of operators
//! access      changes of grants             history       of accounts and grants
//! access_log  who has asked for what
//! ```

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use harness::{Bank, Fact, binaries::scratch_folder, facts};
use shared_events::{catalogue, message::Kind};

use self::{seed::Seed, session::Session};
use crate::{mail_server::MailServer, webhook_receiver::WebhookReceiver};

mod access;
mod access_log;
mod approvals;
mod arrangements;
mod deliveries;
mod history;
mod money;
mod orders;
mod parked;
mod people;
mod questions;
mod seed;
mod session;
mod settled;
mod states;
mod traffic;
mod transcript;

pub(crate) fn facts() -> Vec<Fact> {
    facts![a_seeded_run_leads_to_the_events_of_the_golden_file]
}

/// With `renew` in this variable, the fact writes the golden file.
const VARIABLE: &str = "BANKWIRE_SEEDED_RUN";
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/seeded_run.txt");
const SEED: u64 = 0x5eed_ed00_ba9c;
/// A Friday at noon, five weeks before Easter.
const BEGIN: &str = "2025-03-14T11:00:00Z";
const RANDOM_COMMANDS: u64 = 160;

async fn a_seeded_run_leads_to_the_events_of_the_golden_file(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&deliveries::MAILS_REFUSED).await?;
    let hook = WebhookReceiver::open(&bank, &deliveries::CALLS_ANSWERED).await?;
    let mut session = Session::open(bank, Seed(SEED), &mail_server, BEGIN).await?;
    let people = people::open_all(&mut session, &hook).await?;
    deliveries::fail_and_recover(&mut session, &people).await?;
    states::limits(&mut session, &people).await?;
    states::freezes(&mut session, &people).await?;
    people::update(&mut session, &people).await?;
    let posted = money::refused_transfers(&mut session, &people).await?;
    let (held, expiring) = money::refused_instructions(&mut session, &people).await?;
    traffic::send(&mut session, &people, RANDOM_COMMANDS).await?;
    parked::ask_all(&mut session).await?;
    deliveries::preferences(&mut session, &people).await?;
    states::closings(&mut session, &people).await?;
    arrangements::monitors(&mut session, &people).await?;
    arrangements::interest(&mut session, &people).await?;
    let orders = orders::set_all(&mut session, &people).await?;
    arrangements::periods(&mut session, &people).await?;
    orders::days_pass(&mut session, &people, expiring).await?;
    questions::ask_all(&mut session, &people, [posted, held], orders).await?;
    access::change(&mut session).await?;
    approvals::ask_all(&mut session).await?;
    history::ask_all(&mut session, &people).await?;
    access_log::ask_all(&mut session).await?;
    every_message_of_a_client_is_sent(&session)?;
    compare(session.transcript.text())
}

/// Fails if the contract has a command or a query that the run does not send.
fn every_message_of_a_client_is_sent(session: &Session) -> Result<()> {
    let of_clients = catalogue::PUBLISHED
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Command | Kind::Query))
        .map(|entry| entry.kind_name);
    let missing: Vec<_> = of_clients.filter(|kind| !session.sent.contains_key(kind)).collect();
    ensure!(missing.is_empty(), "the run does not send {missing:?}");
    Ok(())
}

/// Compares the transcript with the golden file, or writes the file.
fn compare(actual: &str) -> Result<()> {
    if std::env::var(VARIABLE).is_ok_and(|value| value == "renew") {
        return std::fs::write(GOLDEN, actual).context(GOLDEN);
    }
    let golden = std::fs::read_to_string(GOLDEN).context(GOLDEN)?;
    if actual == golden {
        return Ok(());
    }
    let file = scratch_folder()?.join(Path::new(GOLDEN).file_name().context("a file's name")?);
    std::fs::write(&file, actual)?;
    let mut lines = (1..).zip(actual.lines().zip(golden.lines()));
    let differs = lines.find(|(_, (actual, golden))| actual != golden);
    let (number, (actual, golden)) = differs.unwrap_or((0, ("one ends early", "")));
    bail!("line {number} of {} differs:\n{actual}\nand not:\n{golden}", file.display())
}
