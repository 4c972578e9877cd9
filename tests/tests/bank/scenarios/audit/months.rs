//! The journal's months. Promise: a record lies where its id says, is found wherever it lies, and
//! is decided once.

use anyhow::{Result, ensure};
use integration_tests::{Bank, Fact, facts};
use shared_events::{TransferId, ledger::SubmitTransfers};
use uuid::Uuid;

use super::{open, transfer, verified};
use crate::scenarios::desk::{Desk, cash, customer};

pub(super) fn facts() -> Vec<Fact> {
    facts![
        a_record_lies_in_the_table_of_its_month_and_is_decided_once,
        what_was_written_before_there_were_months_moves_to_its_own,
    ]
}

/// The tables that the journal consists of.
pub(super) async fn tables(bank: &Bank) -> Result<Vec<String>> {
    let tables = "SELECT inhrelid::regclass::text FROM pg_inherits
         WHERE inhparent = 'journal'::regclass ORDER BY 1";
    Ok(sqlx::query_scalar(tables).fetch_all(&bank.pool("ledger").await?).await?)
}

/// The table of this month.
async fn this_month(bank: &Bank) -> Result<String> {
    let name = "SELECT 'journal_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')";
    Ok(sqlx::query_scalar(name).fetch_one(&bank.pool("ledger").await?).await?)
}

/// How many records lie in a table.
async fn lie_in(bank: &Bank, table: &str) -> Result<i64> {
    bank.number("ledger", &format!("SELECT count(*) FROM {table}")).await
}

async fn a_record_lies_in_the_table_of_its_month_and_is_decided_once(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
    let of_today = transfer(cash(), customer(alice), "1")?;
    let mut random = transfer(cash(), customer(alice), "2")?;
    random.transfer_id = TransferId(Uuid::new_v5(&Uuid::now_v7(), b"random"));
    // Each twice in one command, and all of it again.
    let all = [&of_today, &random, &random, &of_today].map(Clone::clone);
    for _ in 0..2 {
        desk.tell(SubmitTransfers { transfers: all.to_vec() }).await?;
    }
    let this_month = this_month(&desk.bank).await?;
    for (table, lying) in [(this_month.as_str(), 1), ("journal_rest", 1), ("journal", 2)] {
        let lie = lie_in(&desk.bank, table).await?;
        ensure!(lie == lying, "{lie} records lie in {table}");
    }
    for id in [of_today.transfer_id, random.transfer_id] {
        ensure!(desk.found(id).await?.record.instruction.transfer_id == id, "{id} is not found");
    }
    Ok(())
}

/// As if the ledger were brought up to date in the middle of a month.
async fn what_was_written_before_there_were_months_moves_to_its_own(bank: Bank) -> Result<()> {
    let (desk, auditor) = open(bank).await?;
    let records = verified(&auditor, &[]).await?.records;
    let (bank, this_month) = (&desk.bank, this_month(&desk.bank).await?);
    let lay = lie_in(bank, &this_month).await?;
    ensure!(lay > 10, "only {lay} records are of this month");
    let back = format!(
        "BEGIN; ALTER TABLE journal DETACH PARTITION {this_month};
         INSERT INTO journal SELECT * FROM {this_month}; DROP TABLE {this_month}; COMMIT"
    );
    bank.execute("ledger", &back).await?;
    ensure!(verified(&auditor, &[]).await?.records == records, "all lie in the rest");

    bank.execute("ledger", "SELECT keep_journal(14)").await?;
    ensure!(lie_in(bank, &this_month).await? == lay, "they are in their month again");
    let tables = tables(bank).await?;
    ensure!(tables.len() == 16, "fifteen months and the rest: {tables:?}");
    ensure!(verified(&auditor, &[]).await?.records == records, "all are there");
    Ok(())
}
