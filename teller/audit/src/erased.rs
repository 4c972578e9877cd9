//! Records of the journal whose texts were erased. Promise: a record without the texts that it
//! commits to names an account whose erasure is in the history, or is a difference.
//!
//! A record names an account where the account's id stands in the record's text: so does the ledger
//! find the records of an account that it erases.

use std::collections::BTreeSet;

use shared_events::AccountId;
use uuid::Uuid;

use super::difference::{Checked, Row};

/// The length of an id in a record's text.
const ID_BYTES: usize = 36;

/// The records without texts that were walked.
#[derive(Debug, Default)]
pub(super) struct ErasedRecords {
    /// How many there are.
    pub(super) count: u64,
    /// The accounts that were erased before the walk began.
    erased_before: BTreeSet<AccountId>,
    /// Records that name none of these, with the ids in each: an account may have been erased
    /// during the walk.
    others: Vec<(Row, BTreeSet<AccountId>)>,
}

impl ErasedRecords {
    /// No records yet. These accounts were erased before the walk.
    pub(super) fn after(erased_before: BTreeSet<AccountId>) -> Self {
        Self { erased_before, ..Self::default() }
    }

    /// Takes up the next record without texts.
    pub(super) fn add(&mut self, row: Row, record: &str) {
        self.count += 1;
        if !ids_in(record).any(|id| self.erased_before.contains(&id)) {
            self.others.push((row, ids_in(record).collect()));
        }
    }

    /// Checks that each record names an erased account.
    pub(super) fn check(&self, is_erased: impl Fn(AccountId) -> bool) -> Checked {
        let names_none =
            |(_, ids): &&(Row, BTreeSet<AccountId>)| !ids.iter().any(|account| is_erased(*account));
        match self.others.iter().find(names_none) {
            Some((row, _)) => Err(row.differs("salt", "a salt", "nothing")),
            None => Ok(()),
        }
    }
}

/// All ids in the text of a record, those of accounts among them.
fn ids_in(record: &str) -> impl Iterator<Item = AccountId> {
    let parts = record.as_bytes().windows(ID_BYTES);
    parts.filter_map(|part| Uuid::try_parse_ascii(part).ok()).map(AccountId)
}

#[cfg(test)]
mod tests {
    use super::{super::difference::Table, *};

    const ADA: AccountId = AccountId(Uuid::from_u128(1));
    const BOB: AccountId = AccountId(Uuid::from_u128(2));
    const EVE: AccountId = AccountId(Uuid::from_u128(3));

    fn row(place: i64) -> Row {
        Row::of(Table::Journal).in_chain(0, place)
    }

    fn paid(debtor: AccountId, creditor: AccountId) -> String {
        format!(r#"{{"debtor":{{"account_id":"{debtor}"}},"legs":["{debtor}","{creditor}"]}}"#)
    }

    #[test]
    fn texts_are_missing_of_records_that_name_an_erased_account_alone() {
        let mut records = ErasedRecords::default();
        records.add(row(1), &paid(ADA, BOB));
        records.add(row(2), &paid(EVE, ADA));
        assert_eq!(records.count, 2);
        for (erased, place) in [
            (vec![], Some(1)),
            (vec![ADA], None),
            (vec![BOB, EVE], None),
            (vec![BOB], Some(2)),
            (vec![EVE], Some(1)),
            (vec![AccountId(Uuid::from_u128(4))], Some(1)),
        ] {
            let found = records.check(|account| erased.contains(&account)).err();
            let found = found.map(|found| (found.column, found.row.place));
            assert_eq!(found, place.map(|place| ("salt", Some(place))), "{erased:?}");
        }
    }

    #[test]
    fn records_of_accounts_that_were_erased_before_take_no_memory() {
        let mut records = ErasedRecords::after(BTreeSet::from([ADA]));
        records.add(row(1), &paid(ADA, BOB));
        records.add(row(2), &paid(EVE, BOB));
        assert_eq!((records.count, records.others.len()), (2, 1));
        let found = records.check(|account| account == ADA).expect_err("nobody erased Eve or Bob");
        assert_eq!((found.column, found.row.place), ("salt", Some(2)));
    }
}
