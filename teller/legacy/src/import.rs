//! The import of a legacy bank's export. Promise: an account's rows are sent only once the account
//! can take them, because a rejection is final; an import that is started again continues.

use std::{
    collections::{BTreeMap, HashSet},
    time::Instant,
};

use serde::Serialize;
use shared_events::AccountId;
use teller_client::{
    Teller, TellerError,
    in_order::{BATCH_TRANSFERS, batches},
};
use teller_files::{Rejection, Results};

use super::{
    lines::BadRow,
    plan::{NAMESPACE, Plan, PlannedRow, plan},
    read::Export,
    ready::{AccountCounts, prepare_accounts},
};

/// All commands of all imports have this key: they are handled in the order of sending.
const PARTITION_KEY: &str = "legacy-import";

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Imported {
    /// Accounts.
    pub accounts: AccountCounts,
    /// How many rows the export has.
    pub rows: usize,
    /// How many of them are posted, now or by an earlier run.
    pub posted: usize,
    /// How many of them are rejected, now or by an earlier run.
    pub rejected: usize,
    /// How many were rejected for which reason.
    pub rejected_by_reason: BTreeMap<String, usize>,
    /// The rejected rows.
    pub rejections: Vec<Rejection>,
    /// How many were not sent, because their account cannot take them.
    pub not_sent: usize,
    /// The omitted rows, with their rules.
    pub bad_rows: Vec<BadRow>,
    /// How long it took.
    pub seconds: f64,
    /// How many outcomes came in a second.
    pub rows_per_second: f64,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many accounts are looked up, opened where they were missing.
    Accounts {
        /// How many.
        done: usize,
        /// Of how many.
        total: usize,
    },
    /// So many rows have an outcome.
    Rows {
        /// How many.
        done: usize,
        /// Of how many.
        total: usize,
    },
}

/// Opens the accounts of an export and posts its rows, by date, then in the order of the file.
/// Waits for a bank that is away, for each answer as long as the timeout.
pub async fn import(
    bank: &Teller,
    export: &Export,
    mut progress: impl FnMut(Progress),
) -> Result<Imported, TellerError> {
    let started = Instant::now();
    let Plan { accounts, rows } = plan(export);
    let total = accounts.len();
    let each = |done| progress(Progress::Accounts { done, total });
    let mut ready = prepare_accounts(bank, accounts, each).await?;
    let (rows, left_out) = sendable(rows, &ready.unusable);
    let mut results = Results::of(rows.iter().map(|row| (row.transfer.transfer_id, row.line)));
    let total = rows.len();
    let transfers = rows.into_iter().map(|row| row.transfer).collect();
    let batches = batches(NAMESPACE, transfers, BATCH_TRANSFERS);
    bank.submit_in_order(PARTITION_KEY, batches, |batch| {
        results.take(batch);
        progress(Progress::Rows { done: results.count(), total });
    })
    .await?;
    let seconds = started.elapsed().as_secs_f64();
    let mut bad_rows = export.bad_rows.clone();
    bad_rows.append(&mut ready.bad_rows);
    Ok(Imported {
        accounts: ready.counts,
        rows: export.rows_total,
        posted: results.posted,
        rejected: results.rejections.len(),
        rejected_by_reason: results.by_reason(),
        rejections: results.rejections,
        not_sent: left_out,
        bad_rows,
        seconds,
        rows_per_second: total as f64 / seconds,
    })
}

/// The rows of the accounts that can take them, and how many others there are.
fn sendable(rows: Vec<PlannedRow>, unusable: &HashSet<AccountId>) -> (Vec<PlannedRow>, usize) {
    let all = rows.len();
    let sendable: Vec<PlannedRow> =
        rows.into_iter().filter(|row| !unusable.contains(&row.account_id)).collect();
    let left_out = all - sendable.len();
    (sendable, left_out)
}
