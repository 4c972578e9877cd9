//! The ledger's state snapshot against the replay of the journal. Promise: every row of a page is
//! the result of the records up to the page's ends; no row is missing, and none is too many.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use chrono::{NaiveDate, TimeDelta};
use shared_events::{
    AccountId, TransferId,
    ledger::{AccountRow, BooksFound, BooksRows, EntriesCount, HoldRow, HoldStatus},
};
use uuid::Uuid;

use super::{
    difference::{Checked, Row, Table},
    replay::{Hold, Replay, Sums},
};

/// Compares a page of the books that begins with the id `from`.
pub(super) fn page(replay: &Replay, from: Option<Uuid>, page: &BooksFound) -> Checked {
    if let Some(astray) = page.astray.first() {
        return Err(Row::of(Table::Journal)
            .transfer(*astray)
            .differs("chain", "0 to 3", "another"));
    }
    let range = (
        from.map_or(Bound::Unbounded, Bound::Included),
        page.next.map_or(Bound::Unbounded, Bound::Excluded),
    );
    match &page.rows {
        BooksRows::Accounts(rows) => {
            let expected = within(&replay.accounts, range, AccountId);
            both(
                &expected,
                rows,
                |account| account.account_id,
                |id, expected, found| {
                    account(Row::of(Table::Accounts).account(id), expected, found)
                },
            )
        }
        BooksRows::Holds(rows) => {
            let expected = within(&replay.holds, range, TransferId);
            both(
                &expected,
                rows,
                |hold| hold.hold_id,
                |id, expected, found| hold(Row::of(Table::Holds).transfer(id), expected, found),
            )
        }
        BooksRows::Reversals(rows) => {
            let expected = within(&replay.reversed, range, TransferId);
            both(
                &expected,
                rows,
                |reversal| reversal.original_id,
                |id, expected, found| {
                    let row = Row::of(Table::Reversals).transfer(id);
                    let (expected, found) = there(row, expected, found)?;
                    row.has("amount", expected.to_string(), found.amount.clone())
                },
            )
        }
        BooksRows::Entries(rows) => {
            let expected = within(&replay.accounts, range, AccountId);
            both(
                &expected,
                rows,
                |count| count.account_id,
                |id, expected, found| {
                    let expected = expected.map_or(0, |account| account.entries);
                    let found = found.map_or(0, |count: &EntriesCount| count.entries);
                    Row::of(Table::Entries).account(id).has("number of rows", expected, found)
                },
            )
        }
    }
}

/// The expected rows of a page.
fn within<K: Copy + Ord, V>(
    all: &BTreeMap<K, V>,
    (from, to): (Bound<Uuid>, Bound<Uuid>),
    key: fn(Uuid) -> K,
) -> BTreeMap<K, &V> {
    let range = all.range((from.map(key), to.map(key)));
    range.map(|(key, value)| (*key, value)).collect()
}

/// Compares what is expected, or found, or both, in the order of ids.
fn both<K: Copy + Ord, E, R>(
    expected: &BTreeMap<K, &E>,
    rows: &[R],
    key: impl Fn(&R) -> K,
    compare: impl Fn(K, Option<&E>, Option<&R>) -> Checked,
) -> Checked {
    let found: BTreeMap<K, &R> = rows.iter().map(|row| (key(row), row)).collect();
    let keys: BTreeSet<K> = expected.keys().chain(found.keys()).copied().collect();
    keys.into_iter()
        .try_for_each(|key| compare(key, expected.get(&key).copied(), found.get(&key).copied()))
}

fn there<E, R>(row: Row, expected: Option<E>, found: Option<R>) -> Checked<(E, R)> {
    match (expected, found) {
        (Some(expected), Some(found)) => Ok((expected, found)),
        (Some(_), None) => Err(row.missing()),
        (None, _) => Err(row.too_many()),
    }
}

/// An account that no record has touched is there all the same, with nothing on it.
fn account(row: Row, expected: Option<&Sums>, found: Option<&AccountRow>) -> Checked {
    let Some(found) = found else { return Err(row.missing()) };
    let version = expected.map_or(1, |account| account.version);
    // The version of its locking comes from an event, not from a record: nothing comes after it.
    let locked = matches!(found.status.as_str(), "locked" | "closed");
    if !(locked && found.version == version + 1) {
        row.has("version", version, found.version)?;
    }
    let posted = expected.map(|account| account.posted).unwrap_or_default();
    let pending = expected.map(|account| account.pending).unwrap_or_default();
    for (column, expected, found) in [
        ("posted_debits", posted.debits, &found.posted_debits),
        ("posted_credits", posted.credits, &found.posted_credits),
        ("pending_debits", pending.debits, &found.pending_debits),
        ("pending_credits", pending.credits, &found.pending_credits),
    ] {
        row.has(column, expected.to_string(), found.clone())?;
    }
    let Some(expected) = expected else { return Ok(()) };
    row.has("currency", expected.currency.code(), found.currency.as_str())?;
    let name = |code: Option<&String>| code.map_or("none", String::as_str).to_owned();
    row.has("code", name(expected.code.as_ref()), name(found.code.as_ref()))
}

fn hold(row: Row, expected: Option<&Hold>, found: Option<&HoldRow>) -> Checked {
    let (expected, found) = there(row, expected, found)?;
    row.has("debtor_id", expected.debtor, found.debtor_id)?;
    row.has("creditor_id", expected.creditor, found.creditor_id)?;
    row.has("currency", expected.currency.code(), found.currency.as_str())?;
    row.has("remaining", expected.remaining.to_string(), found.remaining.clone())?;
    row.has("status", status(expected.status), found.status.as_str())?;
    // The database keeps microseconds.
    let instant = found.expires_at.map_or(i64::MAX, |instant| instant.timestamp_micros());
    if instant != expected.expires_at.timestamp_micros() {
        let found =
            found.expires_at.map_or_else(|| "never".to_owned(), |instant| instant.to_rfc3339());
        return Err(row.differs("expires_at", expected.expires_at.to_rfc3339(), found));
    }
    placed_on(row, expected, &found.placed_on)
}

/// The bank's day. Where the instruction named another day to book on, the record does not tell
/// it: then it is the day of the instant in some time zone.
fn placed_on(row: Row, expected: &Hold, found: &str) -> Checked {
    let day = expected.placed_at.date_naive();
    match (expected.placed_on, found.parse::<NaiveDate>()) {
        (None, Ok(found)) if (found - day).abs() <= TimeDelta::days(1) => Ok(()),
        (on, _) => row.has("placed_on", on.unwrap_or(day).to_string(), found.to_owned()),
    }
}

const fn status(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Open => "open",
        HoldStatus::Captured => "captured",
        HoldStatus::Released => "released",
        HoldStatus::Expired => "expired",
    }
}
