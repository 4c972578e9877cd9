//! Queries about the past: balances at an instant or on a date, entries and payments by their
//! details.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountCode, Direction, JournalRecord, Party, StatementEntry};
use crate::{
    ids::{AccountId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The maximal number of entries that one page of a search examines, matching or not.
pub const ENTRIES_SEARCHED_MAX: u32 = 10_000;
/// The maximal number of payments on one page of a search.
pub const PAYMENTS_PAGE_MAX: u32 = 250;

/// The entries that a balance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// Entries posted at this instant or before: the balance of a query at that instant.
    Instant(DateTime<Utc>),
    /// Entries with a value date on this day or before, regardless of their posting: the balance
    /// that bears interest.
    ValueDate(NaiveDate),
    /// Entries with a booking date on this day or before, regardless of their posting: the closing
    /// balance of a statement.
    BookingDate(NaiveDate),
}

/// `ledger.balance_at.get.v1`: asks for a past balance of an account, by today's entries. Answered
/// by `ledger.balance_at.found.v1`, or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBalanceAt {
    /// The account.
    pub account: Party,
    /// The currency, if `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The entries to count. Dates lie in the years 1900 to 2199.
    pub as_of: AsOf,
}

/// `ledger.balance_at.found.v1`: a past balance of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceAtFound {
    /// The account.
    pub account_id: AccountId,
    /// The account's code, if the account is one of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of the balance.
    pub currency: Currency,
    /// The counted entries.
    pub as_of: AsOf,
    /// The balance: their credits less their debits.
    pub balance: Amount,
    /// The version of the ledger account now. A later answer for the same date differs only by
    /// entries posted since this version.
    pub version: i64,
}

/// The figures of the whole period of a statement.
///
/// The opening balance counts all entries with a booking date before the period, the closing
/// balance all entries up to the last day of the period; opening + credits - debits = closing.
/// Entries are listed in the order of posting. If an entry was posted on another day than its
/// booking date, the balances after the entries follow the order of posting and need not lead from
/// opening to closing. An entry that is booked back later changes the figures of a past period; a
/// query with the same `until` repeats the earlier figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementPeriod {
    /// The balance of all entries before the period.
    pub opening_balance: Amount,
    /// The balance of all entries up to the end of the period.
    pub closing_balance: Amount,
    /// The sum of the debits of the period.
    pub debits: Amount,
    /// The sum of the credits of the period.
    pub credits: Amount,
    /// The number of debits.
    pub debit_count: i64,
    /// The number of credits.
    pub credit_count: i64,
    /// The last counted version. A query for another page with this version as `until` belongs to
    /// these figures, despite later postings.
    pub until: i64,
}

/// `ledger.entries.find.v1`: searches the entries of an account that match all given criteria, in
/// the order of posting, in pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindEntries {
    /// The account.
    pub account: Party,
    /// The currency, if `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// A part of the reference, in upper or lower case, at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 140))]
    pub reference: Option<String>,
    /// The full end-to-end id, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 35))]
    pub end_to_end_id: Option<String>,
    /// The counterparty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Party>,
    /// Debits only, or credits only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The minimal amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<Amount>,
    /// The maximal amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<Amount>,
    /// The first booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Lists entries after this version only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The maximal number of entries, 1 to 1,000; 100 if absent. A page of long entries has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `ledger.entries.found.v1`: a page of matching entries. A page examines at most 10,000 entries,
/// and so may be empty before the last page; the last page has no `next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntriesFound {
    /// The account.
    pub account_id: AccountId,
    /// The currency of all amounts in this message.
    pub currency: Currency,
    /// The entries of this page.
    pub entries: Vec<StatementEntry>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// The name of a payment, given by the debtor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentName {
    /// The full reference, in the same case, at most 140 characters.
    Reference(#[schemars(length(min = 1, max = 140))] String),
    /// The full end-to-end id, at most 35 characters.
    EndToEndId(#[schemars(length(min = 1, max = 35))] String),
}

/// `ledger.payments.find.v1`: searches all instructions with one name, with any outcome, in pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindPayments {
    /// The name of the payment.
    pub name: PaymentName,
    /// Lists accounts after this id only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TransferId>,
    /// The maximal number of payments, 1 to 250; 100 if absent. A page of long instructions has
    /// fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
}

/// `ledger.payments.found.v1`: a page of instructions with that name, in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentsFound {
    /// The instruction and its outcome.
    pub payments: Vec<JournalRecord>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TransferId>,
}

messages! {
    Query "ledger.balance_at.get.v1" GetBalanceAt, subject |message| message.account.to_string();
    Reply "ledger.balance_at.found.v1" BalanceAtFound,
        subject |message| message.account_id.to_string();
    Query "ledger.entries.find.v1" FindEntries, subject |message| message.account.to_string();
    Reply "ledger.entries.found.v1" EntriesFound, subject |message| message.account_id.to_string();
    Query "ledger.payments.find.v1" FindPayments, subject |_| "payments".to_owned();
    Reply "ledger.payments.found.v1" PaymentsFound, subject |_| "payments".to_owned();
}

impl Query for GetBalanceAt {
    type Reply = BalanceAtFound;
}

impl Query for FindEntries {
    type Reply = EntriesFound;
}

impl Query for FindPayments {
    type Reply = PaymentsFound;
}
