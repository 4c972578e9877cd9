//! The ledger's books against the balances that the legacy bank printed. The bank rounded what it
//! printed, and rows of one day are not in booking order: so what counts is the ledger's balance at
//! the end of each account-day, and the printed balance of that day which is nearest to it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use shared_events::{TransferId, money::exact::exact_sub};

use super::read::Export;

/// Up to this, a difference is the legacy bank's rounding.
const ROUNDING_MAX: Decimal = Decimal::ONE;

/// An entry of the ledger on a customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transfer it belongs to.
    pub transfer_id: TransferId,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The account's balance after it.
    pub balance_after: Decimal,
}

/// The ledger's entries, by the legacy number of the account, in the order of posting.
pub type LedgerEntries = HashMap<u64, Vec<Entry>>;

/// How well a day, or an account by its worst day, agrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// To the last digit.
    #[default]
    Exact,
    /// But for 1.00 at most.
    Rounding,
    /// Not.
    Mismatch,
}

/// How many are of which class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// To the last digit.
    pub exact: usize,
    /// But for 1.00 at most.
    pub rounding: usize,
    /// Not.
    pub mismatch: usize,
}

impl Tally {
    fn count(&mut self, class: Class) {
        match class {
            Class::Exact => self.exact += 1,
            Class::Rounding => self.rounding += 1,
            Class::Mismatch => self.mismatch += 1,
        }
    }
}

/// A day on which an account does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The legacy number of the account.
    pub account: u64,
    /// The day.
    pub day: NaiveDate,
    /// The ledger's balance at its end.
    #[serde(serialize_with = "two_digits")]
    pub ledger: Decimal,
    /// The nearest balance that was printed.
    #[serde(serialize_with = "two_digits")]
    pub printed: Decimal,
    /// How far apart they are.
    #[serde(serialize_with = "two_digits")]
    pub difference: Decimal,
}

/// How the ledger's books agree with an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Accounts, by their worst day.
    pub accounts: Tally,
    /// Days on which an account has rows.
    pub account_days: Tally,
    /// The days that do not agree, by account and day.
    pub mismatches: Vec<Mismatch>,
    /// The sum of the ledger's balances of all the accounts.
    pub closing_sum: Decimal,
}

/// Compares every account-day of the export. An account that is not in the books has nothing on it.
#[must_use]
pub fn compare(export: &Export, books: &LedgerEntries) -> Comparison {
    let mut printed: BTreeMap<(u64, NaiveDate), Vec<Decimal>> = BTreeMap::new();
    for row in &export.rows {
        printed.entry((row.account, row.date)).or_default().push(row.printed);
    }
    let ends: HashMap<u64, BTreeMap<NaiveDate, Decimal>> =
        books.iter().map(|(account, entries)| (*account, ends_of_days(entries))).collect();
    let mut worst: HashMap<u64, Class> =
        export.accounts.iter().map(|account| (account.number, Class::Exact)).collect();
    let (mut account_days, mut mismatches) = (Tally::default(), Vec::new());
    for ((account, day), printed) in printed {
        let ledger = ends.get(&account).map_or(Decimal::ZERO, |ends| balance_on(ends, day));
        let (printed, difference) = nearest(ledger, &printed);
        let class = class_of(difference);
        account_days.count(class);
        let known = worst.entry(account).or_default();
        *known = class.max(*known);
        if class == Class::Mismatch {
            mismatches.push(Mismatch { account, day, ledger, printed, difference });
        }
    }
    let mut accounts = Tally::default();
    worst.into_values().for_each(|class| accounts.count(class));
    Comparison { accounts, account_days, mismatches, closing_sum: closing_sum(export, books) }
}

/// The balance after the last entry that is booked on each day.
fn ends_of_days(entries: &[Entry]) -> BTreeMap<NaiveDate, Decimal> {
    entries.iter().map(|entry| (entry.booking_date, entry.balance_after)).collect()
}

/// The balance at the end of a day: of the last day before where nothing is booked on it.
fn balance_on(ends: &BTreeMap<NaiveDate, Decimal>, day: NaiveDate) -> Decimal {
    ends.range(..=day).next_back().map_or(Decimal::ZERO, |(_, balance)| *balance)
}

fn nearest(ledger: Decimal, printed: &[Decimal]) -> (Decimal, Decimal) {
    let distance =
        |printed| exact_sub(ledger, printed).map_or(Decimal::MAX, |distance| distance.abs());
    let distances = printed.iter().map(|balance| (*balance, distance(*balance)));
    let nearest = distances.min_by_key(|(_, distance)| *distance);
    nearest.unwrap_or((Decimal::ZERO, ledger.abs()))
}

fn class_of(difference: Decimal) -> Class {
    if difference.is_zero() {
        Class::Exact
    } else if difference <= ROUNDING_MAX {
        Class::Rounding
    } else {
        Class::Mismatch
    }
}

fn closing_sum(export: &Export, books: &LedgerEntries) -> Decimal {
    let last = |number: u64| books.get(&number)?.last();
    let accounts = export.accounts.iter();
    accounts.filter_map(|account| last(account.number)).map(|entry| entry.balance_after).sum()
}

/// Money as people write it.
pub(super) fn two_digits<S: Serializer>(sum: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{sum:.2}"))
}
