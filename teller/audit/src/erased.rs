//! Records of the journal whose texts were erased. Promise: a record without the texts that it
//! commits to names an account whose erasure is in the history, or is a difference.
//!
//! A record names an account where its text has the account's id as `account_id`: so does the
//! ledger find the records of an account that it erases.

use std::collections::BTreeSet;

use shared_events::AccountId;
use uuid::Uuid;

use super::difference::{Checked, Row};

/// What stands before the id of an account in a record's text. A text of a stranger has escaped
/// quotation marks.
const NAMED: &str = r#""account_id":""#;
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

/// The accounts that a record names, as the ledger looks for them: `"account_id":"..."`.
fn ids_in(record: &str) -> impl Iterator<Item = AccountId> {
    let named = record.split(NAMED).skip(1).filter_map(|rest| rest.as_bytes().get(..ID_BYTES));
    named.filter_map(|id| Uuid::try_parse_ascii(id).ok()).map(AccountId)
}

#[cfg(test)]
mod tests {
    use super::{super::difference::Table, *};

    const ADA: AccountId = AccountId(Uuid::from_u128(1));
    const BOB: AccountId = AccountId(Uuid::from_u128(2));
    const EVE: AccountId = AccountId(Uuid::from_u128(3));
    const EVERY: AccountId = AccountId(Uuid::from_u128(4));

    fn row(place: i64) -> Row {
        Row::of(Table::Journal).in_chain(0, place)
    }

    fn paid(debtor: AccountId, creditor: AccountId) -> String {
        let party = |account| format!(r#"{{"account_id":"{account}"}}"#);
        let (debtor, creditor) = (party(debtor), party(creditor));
        // An id that is no account's names nobody.
        format!(r#"{{"command_id":"{EVERY}","debtor":{debtor},"legs":[{debtor},{creditor}]}}"#)
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
            (vec![EVERY], Some(1)),
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
