//! Compares the ledger's books with the legacy bank's.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use rust_decimal::Decimal;
use serde::Serialize;
use shared_events::ledger::{Party, TransferStatus};
use teller_client::{AT_ONCE, Teller, TellerError};

use super::{
    compare::{Entry, LedgerEntries, Mismatch, Tally, compare, two_digits},
    lines::BadRow,
    plan::{account_id, transfer_id},
    read::Export,
    transactions::LegacyRow,
};

/// The number of concurrent queries of statements: each may fill a large message.
const STATEMENTS_AT_ONCE: usize = 16;

/// How the ledger agrees with the legacy bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Accounts, by their worst day.
    pub accounts: Tally,
    /// Days on which an account has rows.
    pub account_days: Tally,
    /// How many rows the export has.
    pub rows: usize,
    /// How many of them were posted.
    pub posted: usize,
    /// How many of them were rejected.
    pub rejected: usize,
    /// How many of them the ledger does not know, though they could be read.
    pub not_sent: usize,
    /// The sum of the ledger's balances of all the accounts.
    #[serde(serialize_with = "two_digits")]
    pub closing_sum: Decimal,
    /// The days that do not agree.
    pub mismatches: Vec<Mismatch>,
    /// The rows that cannot be read.
    pub bad_rows: Vec<BadRow>,
}

/// Fetches the ledger's entries of the export's accounts, and compares them. `each` is called
/// after each account with the number of done accounts.
pub async fn reconcile(
    bank: &Teller,
    export: &Export,
    each: impl FnMut(usize),
) -> Result<Reconciled, TellerError> {
    let books = fetch_books(bank, export, each).await?;
    let posted: HashSet<_> = books.values().flatten().map(|entry| entry.transfer_id).collect();
    let comparison = compare(export, &books);
    let missing = export.rows.iter().filter(|row| {
        books.contains_key(&row.account) && !posted.contains(&transfer_id(row.trans_id))
    });
    let missing: Vec<u64> = missing.map(|row| row.trans_id).collect();
    let rejected = count_rejected(bank, missing).await?;
    let is_posted = |row: &&LegacyRow| posted.contains(&transfer_id(row.trans_id));
    let posted = export.rows.iter().filter(is_posted).count();
    Ok(Reconciled {
        accounts: comparison.accounts,
        account_days: comparison.account_days,
        rows: export.rows_total,
        posted,
        rejected,
        not_sent: export.rows.len() - posted - rejected,
        closing_sum: comparison.closing_sum,
        mismatches: comparison.mismatches,
        bad_rows: export.bad_rows.clone(),
    })
}

async fn fetch_books(
    bank: &Teller,
    export: &Export,
    mut each: impl FnMut(usize),
) -> Result<LedgerEntries, TellerError> {
    let numbers: Vec<u64> = export.accounts.iter().map(|account| account.number).collect();
    let mut fetched = stream::iter(numbers)
        .map(async |number| (number, fetch_entries(bank, number).await))
        .buffer_unordered(STATEMENTS_AT_ONCE)
        .enumerate();
    let mut books = LedgerEntries::new();
    while let Some((done, (number, entries))) = fetched.next().await {
        books.extend(entries?.map(|entries| (number, entries)));
        each(done + 1);
    }
    Ok(books)
}

/// The ledger's entries on an account; `None` where it knows no such account.
async fn fetch_entries(bank: &Teller, number: u64) -> Result<Option<Vec<Entry>>, TellerError> {
    let account = Party::AccountId(account_id(number));
    let statement = match bank.statement(account, None, (None, None)).await {
        Ok(statement) => statement,
        Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => return Ok(None),
        Err(error) => return Err(error),
    };
    let entries = statement.entries.into_iter().map(|entry| Entry {
        transfer_id: entry.transfer_id,
        booking_date: entry.booking_date,
        balance_after: entry.balance_after.decimal(),
    });
    Ok(Some(entries.collect()))
}

async fn count_rejected(bank: &Teller, trans_ids: Vec<u64>) -> Result<usize, TellerError> {
    let rejected = stream::iter(trans_ids)
        .map(async |trans_id| match bank.transfer_status(transfer_id(trans_id)).await {
            Ok(found) => Ok(found.status == TransferStatus::Rejected),
            Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => Ok(false),
            Err(error) => Err(error),
        })
        .buffer_unordered(AT_ONCE);
    rejected.try_fold(0, async |count, rejected| Ok(count + usize::from(rejected))).await
}
