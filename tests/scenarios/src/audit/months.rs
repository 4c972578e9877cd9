//! The journal's months. Promise: a record lies where its id says, is found wherever it lies, and
//! is decided once.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, facts};
use shared_events::{TransferId, ledger::SubmitTransfers};
use teller_audit::Anchors;
use uuid::Uuid;

use super::{open, transfer, verified};
use crate::bank_client::{BankClient, cash, customer};

pub(super) fn facts() -> Vec<Fact> {
    facts![
        a_record_lies_in_the_table_of_its_month_and_is_decided_once,
        records_from_before_there_were_months_move_to_their_month,
        a_new_month_reads_nothing_of_what_lies_in_the_rest,
        an_id_of_any_time_sent_again_has_one_effect,
    ]
}

/// The tables that the journal consists of.
pub(super) async fn tables(bank: &Bank) -> Result<Vec<String>> {
    let tables = "SELECT relid::text FROM pg_partition_tree('journal') WHERE isleaf ORDER BY 1";
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
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let of_today = transfer(cash(), customer(alice), "1")?;
    let mut random = transfer(cash(), customer(alice), "2")?;
    random.transfer_id = TransferId(Uuid::new_v5(&Uuid::now_v7(), b"random"));
    // Each twice in one command, and all of it again.
    let all = [&of_today, &random, &random, &of_today].map(Clone::clone);
    for _ in 0..2 {
        client.request(SubmitTransfers { transfers: all.to_vec() }).await?;
    }
    let this_month = this_month(&client.bank).await?;
    for (table, lying) in [(this_month.as_str(), 1), ("journal_rest", 1), ("journal", 2)] {
        let lie = lie_in(&client.bank, table).await?;
        ensure!(lie == lying, "{lie} records lie in {table}");
    }
    for id in [of_today.transfer_id, random.transfer_id] {
        ensure!(
            client.instruction(id).await?.record.instruction.transfer_id == id,
            "{id} is not found"
        );
    }
    Ok(())
}

/// As if the ledger were brought up to date in the middle of a month.
async fn records_from_before_there_were_months_move_to_their_month(bank: Bank) -> Result<()> {
    let (client, auditor) = open(bank).await?;
    let records = verified(&auditor, &Anchors::default()).await?.records;
    let (bank, this_month) = (&client.bank, this_month(&client.bank).await?);
    let lay = lie_in(bank, &this_month).await?;
    ensure!(lay > 10, "only {lay} records are of this month");
    let back = format!(
        "BEGIN; ALTER TABLE journal DETACH PARTITION {this_month};
         INSERT INTO journal SELECT * FROM {this_month}; DROP TABLE {this_month}; COMMIT"
    );
    bank.execute("ledger", &back).await?;
    ensure!(
        verified(&auditor, &Anchors::default()).await?.records == records,
        "all lie in the rest"
    );

    bank.execute("ledger", "SELECT keep_journal(14)").await?;
    ensure!(lie_in(bank, &this_month).await? == lay, "they are in their month again");
    let tables = tables(bank).await?;
    ensure!(tables.len() == 17, "fifteen months and two rests: {tables:?}");
    ensure!(verified(&auditor, &Anchors::default()).await?.records == records, "all are there");
    Ok(())
}

/// Attaching a partition scans the default partition of its parent under a lock that blocks every
/// posting. The records from before there were months must not lie in that default partition.
async fn a_new_month_reads_nothing_of_what_lies_in_the_rest(bank: Bank) -> Result<()> {
    bank.start("ledger").await?;
    let mut tx = bank.pool("ledger").await?.begin().await?;
    sqlx::query("SELECT keep_journal(5)").execute(&mut *tx).await?;
    let read = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_xact_user_tables
        WHERE relname = 'journal_rest'";
    let read: i64 = sqlx::query_scalar(read).fetch_one(&mut *tx).await?;
    ensure!(read == 0, "the rest was scanned {read} times");
    let locked = "SELECT count(*) FROM pg_locks
        WHERE relation = 'journal_rest'::regclass AND mode = 'AccessExclusiveLock'";
    let locked: i64 = sqlx::query_scalar(locked).fetch_one(&mut *tx).await?;
    ensure!(locked == 0, "the rest was locked");
    Ok(())
}

/// Ids of long ago, of years to come and of no time at all; sent again after the tables of their
/// months were made.
async fn an_id_of_any_time_sent_again_has_one_effect(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let made = |seconds| Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0));
    let year = 365 * 24 * 3_600_u64;
    let now = chrono::Utc::now().timestamp().unsigned_abs();
    let ids =
        [made(now - 9 * year), made(now - year / 4), made(now + year / 3), made(now + 90 * year)];
    let random = Uuid::new_v5(&Uuid::now_v7(), b"random");
    let mut transfers = vec![];
    for id in ids.into_iter().chain([Uuid::now_v7(), random]) {
        let transfer = transfer(cash(), customer(alice), "1")?;
        transfers.push(shared_events::ledger::Transfer { transfer_id: TransferId(id), ..transfer });
    }
    client.request(SubmitTransfers { transfers: transfers.clone() }).await?;
    client.bank.execute("ledger", "SELECT keep_journal(6)").await?;
    client.request(SubmitTransfers { transfers: transfers.clone() }).await?;
    let records = lie_in(&client.bank, "journal").await?;
    ensure!(records == 6, "{records} records of six transfers");
    let credits =
        "SELECT posted_credits::bigint FROM accounts WHERE posted_credits > 0 AND code IS NULL";
    ensure!(client.bank.number("ledger", credits).await? == 6);
    Ok(())
}
