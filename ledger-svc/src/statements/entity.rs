//! The entries and figures of a statement, and the criteria of a search.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{
    AccountId, Amount, Currency, TransferId,
    evidence::Authorship,
    ledger::{AccountCode, Direction},
};

use crate::posting::Party;

/// The entries that a balance counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AsOf {
    /// The entries that were posted at this instant or before.
    Instant(DateTime<Utc>),
    /// The entries with this value date or an earlier one.
    ValueDate(NaiveDate),
    /// The entries with this booking date or an earlier one.
    BookingDate(NaiveDate),
}

/// A balance of the past.
#[derive(Clone, Debug)]
pub(crate) struct PastBalance {
    pub(crate) account: AccountId,
    pub(crate) code: Option<AccountCode>,
    pub(crate) currency: Currency,
    pub(crate) balance: Amount,
    /// The account's version now.
    pub(crate) version: i64,
}

/// An entry of an account.
#[derive(Clone, Debug)]
pub(crate) struct StatementEntry {
    /// The account's version after the entry.
    pub(crate) version: i64,
    pub(crate) transfer_id: TransferId,
    pub(crate) direction: Direction,
    pub(crate) amount: Amount,
    pub(crate) balance_after: Amount,
    /// The first account on the other side.
    pub(crate) counterparty: Party,
    pub(crate) reference: Option<String>,
    pub(crate) end_to_end_id: Option<String>,
    pub(crate) booking_date: NaiveDate,
    pub(crate) value_date: NaiveDate,
    pub(crate) posted_at: DateTime<Utc>,
    /// The transfer that the entry reverses.
    pub(crate) reverses: Option<TransferId>,
    /// The author of the instruction, where its record names one.
    pub(crate) author: Option<Arc<Authorship>>,
}

/// The figures of a statement's whole period.
#[derive(Clone, Debug)]
pub(crate) struct StatementPeriod {
    pub(crate) opening_balance: Amount,
    pub(crate) closing_balance: Amount,
    pub(crate) debits: Amount,
    pub(crate) credits: Amount,
    pub(crate) debit_count: i64,
    pub(crate) credit_count: i64,
    /// The last version that was counted.
    pub(crate) until: i64,
}

/// The days and versions of a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatementRange {
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
    /// The last version of the statement.
    pub(crate) until: Option<i64>,
}

/// The criteria of a search for entries of an account.
#[derive(Clone, Debug)]
pub(crate) struct EntrySearch {
    pub(crate) reference: Option<String>,
    pub(crate) end_to_end_id: Option<String>,
    pub(crate) counterparty: Option<Party>,
    pub(crate) direction: Option<Direction>,
    pub(crate) amount_min: Option<Amount>,
    pub(crate) amount_max: Option<Amount>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
    /// Only entries after this version.
    pub(crate) after: Option<i64>,
}

/// The name of a payment.
#[derive(Clone, Debug)]
pub(crate) enum PaymentName {
    /// The whole reference.
    Reference(String),
    /// The whole end-to-end id.
    EndToEndId(String),
}
