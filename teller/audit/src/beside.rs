//! The rows beside a record: its search columns, and the accounts' entries. Promise: each of them
//! is checked against the record, column by column; erased texts are told apart from changed ones.

use rust_decimal::Decimal;
use shared_events::{
    Amount,
    code::Open,
    ledger::{
        ChainedRecord, Direction, InstructionOutcome, JournalEntry, JournalRecord, PostedLeg,
        RejectReason, StoredRecord,
    },
};

use super::difference::{Checked, Row};

/// The texts beside a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// They are the record's.
    Proved,
    /// They are gone, and the salt with them. Whether they were erased, the history tells.
    Missing,
}

/// Checks all that stands beside a record.
pub(super) fn check(row: Row, stored: &StoredRecord, found: &ChainedRecord) -> Checked<Texts> {
    let texts = check_texts(row, stored, found)?;
    let record = &stored.record;
    if let InstructionOutcome::Posted(posted) = &record.outcome {
        posted.legs.iter().try_for_each(|leg| check_entry(row, record, leg, &found.entries))?;
    }
    Ok(texts)
}

/// Texts that the record contains are the same beside it; texts that the record commits to have the
/// commitment under the salt beside it, or are gone with the salt. There is nothing else.
fn check_texts(row: Row, stored: &StoredRecord, found: &ChainedRecord) -> Checked<Texts> {
    let Some(commitment) = stored.texts else {
        let asked = &stored.record.instruction;
        for (column, expected, found) in [
            ("reference", &asked.reference, &found.reference),
            ("end_to_end_id", &asked.end_to_end_id, &found.end_to_end_id),
        ] {
            row.has(column, text(expected.as_deref()), text(found.as_deref()))?;
        }
        let salt = found.salt.map(|salt| salt.to_string());
        row.has("salt", text(None), text(salt.as_deref()))?;
        return Ok(Texts::Proved);
    };
    let has_no_text = found.reference.is_none() && found.end_to_end_id.is_none();
    match found.commitment() {
        None if has_no_text => return Ok(Texts::Missing),
        None => return Err(row.differs("salt", "a salt", "nothing")),
        Some(_) if has_no_text && is_unstorable(&stored.record) => {}
        Some(under_salt) => row.has("commitment to the texts", commitment, under_salt)?,
    }
    Ok(Texts::Proved)
}

/// Whether the instruction was refused for texts that no database takes: they are stored nowhere.
fn is_unstorable(record: &JournalRecord) -> bool {
    let invalid_text = Open::Known(RejectReason::InvalidText);
    matches!(&record.outcome, InstructionOutcome::Rejected(no) if no.reason == invalid_text)
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared_events::{
        TransferId,
        evidence::{Hash256, Salt, commitment},
    };
    use uuid::Uuid;

    use super::{super::difference::Table, *};

    const SALT: Salt = Salt([7; 16]);

    /// A rejected instruction with the reference `rent`, and its row.
    fn rejected(version: u8, reason: &str) -> (StoredRecord, ChainedRecord) {
        let texts = commitment(SALT, &[("reference", Some("rent"))]);
        let id = Uuid::from_u128(1);
        let mut record = json!({
            "instruction": {"transfer_id": id, "action": {"release": {"hold_id": id}}},
            "command_id": id,
            "decided_at": "2026-11-22T09:31:03.482911Z",
            "booking_date": "2026-11-22",
            "value_date": "2026-11-22",
            "outcome": {"rejected": {"reason": reason}},
        });
        match version {
            1 => record["instruction"]["reference"] = json!("rent"),
            _ => {
                record["version"] = json!(version);
                record["author"] = json!({"principal": "acme"});
                record["texts"] = json!(texts);
            }
        }
        let found = ChainedRecord {
            chain: 0,
            place: 1,
            transfer_id: TransferId(id),
            hash: Hash256::default(),
            digest: Hash256::default(),
            record: record.to_string(),
            reference: Some("rent".to_owned()),
            end_to_end_id: None,
            salt: (version > 1).then_some(SALT),
            entries: vec![],
        };
        (StoredRecord::from_text(&found.record).expect("a record"), found)
    }

    #[test]
    fn a_changed_text_or_salt_is_found() {
        type Change = fn(&mut ChainedRecord);
        let changes: [(Change, [&str; 2]); 5] = [
            (|_| {}, ["", ""]),
            (|row| row.reference = Some("food".into()), ["reference", "commitment to the texts"]),
            (|row| row.reference = None, ["reference", "commitment to the texts"]),
            (
                |row| row.end_to_end_id = Some(String::new()),
                ["end_to_end_id", "commitment to the texts"],
            ),
            (|row| row.salt = Some(Salt([8; 16])), ["salt", "commitment to the texts"]),
        ];
        for (change, columns) in changes {
            for (version, column) in [1, 2].into_iter().zip(columns) {
                let (record, mut found) = rejected(version, "unknown_hold");
                change(&mut found);
                let found = check(Row::of(Table::Journal), &record, &found).err();
                assert_eq!(found.map_or("", |found| found.column), column, "version {version}");
            }
        }
        let (record, mut found) = rejected(2, "unknown_hold");
        found.salt = None;
        let found = check(Row::of(Table::Journal), &record, &found).expect_err("no salt");
        assert_eq!(found.column, "salt");
    }

    #[test]
    fn texts_and_salt_that_are_gone_together_may_have_been_erased() {
        for (version, reason, texts) in [
            (2, "unknown_hold", Ok(Texts::Missing)),
            (2, "invalid_text", Ok(Texts::Missing)),
            // Such a record contains its texts: they are not erased.
            (1, "unknown_hold", Err("reference")),
        ] {
            let (record, mut found) = rejected(version, reason);
            let proved = check(Row::of(Table::Journal), &record, &found).expect("its texts");
            assert_eq!(proved, Texts::Proved);
            (found.reference, found.salt) = (None, None);
            let found = check(Row::of(Table::Journal), &record, &found);
            assert_eq!(found.map_err(|found| found.column), texts, "version {version}");
        }
    }

    #[test]
    fn texts_that_no_database_takes_are_stored_nowhere() {
        let (record, mut found) = rejected(2, "invalid_text");
        found.reference = None;
        let proved = check(Row::of(Table::Journal), &record, &found).expect("a commitment to them");
        assert_eq!(proved, Texts::Proved);
        found.reference = Some("food".into());
        check(Row::of(Table::Journal), &record, &found).expect_err("another text");
    }
}
