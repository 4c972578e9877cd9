//! Journals in which texts were erased.

use chrono::NaiveDate;
use shared_events::{
    Amount,
    ledger::{ChainedRecord, Direction, InstructionOutcome, JournalEntry, PostedLeg},
};

use super::*;
use crate::erased::ErasedRecords;

/// A journal with the rows beside its records.
#[derive(Clone)]
struct Rows(Vec<ChainedRecord>);

impl Source for Rows {
    async fn after(&mut self, chain: usize, place: i64) -> Result<Vec<Piece>, Stop> {
        let of_chain = self.0.iter().filter(|row| usize::from(row.chain) == chain);
        let after = of_chain.filter(|row| row.place > place);
        Ok(after.map(|row| Piece::Beside(row.clone())).collect())
    }
}

/// The rows of the honest journal. Its records of version 2 stand in chain 0.
fn rows() -> Rows {
    let row = |line: Line| {
        let stored = StoredRecord::from_text(&line.record).expect("a record");
        ChainedRecord {
            chain: line.chain.try_into().expect("there are four"),
            place: line.place,
            transfer_id: line.transfer_id,
            hash: line.hash,
            digest: line.digest,
            reference: Some("rent".to_owned()),
            end_to_end_id: None,
            salt: (stored.version > 1).then(Salt::default),
            entries: entries(&stored.record),
            record: line.record,
        }
    };
    Rows(honest().lines.into_iter().map(row).collect())
}

fn entries(record: &JournalRecord) -> Vec<JournalEntry> {
    let InstructionOutcome::Posted(posted) = &record.outcome else { return vec![] };
    let day: NaiveDate = "2026-11-22".parse().expect("a day");
    let entry = |leg: &PostedLeg| {
        let amount = leg.money.amount.decimal();
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        JournalEntry {
            account_id: leg.account.account_id,
            version: leg.account.version,
            transfer_id: record.instruction.transfer_id,
            amount: Amount(signed),
            balance_after: leg.account.balance,
            booking_date: day,
            value_date: day,
            posted_at: record.decided_at,
        }
    };
    posted.legs.iter().map(entry).collect()
}

/// Erases the texts of the records in a chain.
fn erase(rows: &mut Rows, chain: u8) {
    for row in rows.0.iter_mut().filter(|row| row.chain == chain) {
        (row.reference, row.salt) = (None, None);
    }
}

/// Proves these rows, of which a history has erased these accounts before and during the walk.
fn prove(rows: &Rows, before: &[AccountId], during: &[AccountId]) -> Checked<Verified> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let proved = runtime.block_on(async {
        let mut walk = Walk::new(rows.clone(), &honest().ends());
        walk.erased = ErasedRecords::after(before.iter().copied().collect());
        walk.advance(&honest().ends(), |_| {}).await?;
        walk.erased.check(|account| before.contains(&account) || during.contains(&account))?;
        Ok(walk.verified()?)
    });
    proved.map_err(|stop| match stop {
        Stop::Different(difference) => difference,
        Stop::Teller(error) => panic!("memory is always there: {error}"),
    })
}

#[test]
fn erased_texts_verify_where_an_account_of_the_record_was_erased() {
    let [debtor, creditor, other] = [1, 2, 9].map(|n| AccountId(Uuid::from_u128(n)));
    assert_eq!(prove(&rows(), &[], &[]).expect("nothing is erased").erased, 0);
    let mut erased = rows();
    erase(&mut erased, 0);
    for (before, during) in
        [(vec![debtor], vec![]), (vec![], vec![creditor]), (vec![other], vec![debtor])]
    {
        let verified = prove(&erased, &before, &during).expect("the texts were erased");
        assert_eq!((verified.records, verified.erased), (5, 2));
    }
    for accounts in [vec![], vec![other]] {
        for (before, during) in [(&accounts[..], &[][..]), (&[], &accounts)] {
            let found = prove(&erased, before, during).expect_err("nobody was erased");
            assert_eq!((found.row.chain, found.row.place), (Some(0), Some(1)), "{found}");
            let told = "salt: expected a salt, found nothing";
            assert!(found.to_string().ends_with(told), "{found}");
        }
    }
}

/// Such a record contains its texts.
#[test]
fn texts_of_a_record_of_version_1_are_not_erased() {
    let mut erased = rows();
    erase(&mut erased, 2);
    let found = prove(&erased, &[AccountId(Uuid::from_u128(1))], &[]).expect_err("they are gone");
    assert_eq!((found.column, found.row.place), ("reference", Some(1)), "{found}");
}

#[test]
fn the_lines_of_an_export_are_the_same_before_and_after_an_erasure() {
    let mut erased = rows();
    erase(&mut erased, 0);
    let lines = |rows: &Rows| rows.0.iter().map(Line::from).collect::<Vec<_>>();
    assert_eq!(lines(&erased), lines(&rows()));
    let journal = Journal { lines: lines(&erased) };
    let verified = journal.prove_to(&honest().ends(), &honest().ends()).expect("it verifies");
    assert_eq!(verified.erased, 0, "a file has no texts");
}

#[test]
fn the_number_of_erased_records_is_told_where_there_are_any() {
    let verified = honest().prove().expect("honest books verify");
    let json = |verified: &Verified| serde_json::to_value(verified).expect("JSON");
    assert_eq!(json(&verified).get("erased"), None);
    assert_eq!(json(&Verified { erased: 2, ..verified })["erased"], json!(2));
}
