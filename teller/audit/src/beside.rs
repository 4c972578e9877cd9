//! The rows beside a record: its search columns, and the accounts' entries. Promise: each of them
//! is checked against the record, column by column.

use rust_decimal::Decimal;
use shared_events::{
    Amount,
    ledger::{
        ChainedRecord, Direction, InstructionOutcome, JournalEntry, JournalRecord, PostedLeg,
    },
};

use super::difference::{Checked, Row};

/// Checks all that stands beside a record.
pub(super) fn check(row: Row, record: &JournalRecord, found: &ChainedRecord) -> Checked {
    let asked = &record.instruction;
    for (column, expected, found) in [
        ("reference", &asked.reference, &found.reference),
        ("end_to_end_id", &asked.end_to_end_id, &found.end_to_end_id),
    ] {
        row.has(column, text(expected.as_deref()), text(found.as_deref()))?;
    }
    let InstructionOutcome::Posted(posted) = &record.outcome else { return Ok(()) };
    posted.legs.iter().try_for_each(|leg| check_entry(row, record, leg, &found.entries))
}

fn text(column: Option<&str>) -> String {
    column.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"))
}

fn check_entry(
    row: Row,
    record: &JournalRecord,
    leg: &PostedLeg,
    found: &[JournalEntry],
) -> Checked {
    let (account, version) = (leg.account.account_id, leg.account.version);
    let row = row.entry(account, version);
    let is_of_leg = |entry: &&JournalEntry| (entry.account_id, entry.version) == (account, version);
    let Some(entry) = found.iter().find(is_of_leg) else { return Err(row.missing()) };
    row.has("transfer_id", record.instruction.transfer_id, entry.transfer_id)?;
    row.has("amount", Amount(signed(leg)), entry.amount)?;
    row.has("balance_after", leg.account.balance, entry.balance_after)?;
    row.has("booking_date", record.booking_date, entry.booking_date)?;
    row.has("value_date", record.value_date, entry.value_date)?;
    row.has("posted_at", record.decided_at, entry.posted_at)
}

fn signed(leg: &PostedLeg) -> Decimal {
    let amount = leg.money.amount.decimal();
    if leg.direction == Direction::Debit { -amount } else { amount }
}
