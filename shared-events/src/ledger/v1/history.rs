//! What can be asked about the past: balances as of an instant or a date, entries and payments by
//! what is known of them.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountCode, Direction, JournalRecord, Party, StatementEntry};
use crate::{
    ids::{AccountId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The most entries that one page of a search looks at, whether they match or not.
pub const ENTRIES_SEARCHED_MAX: u32 = 10_000;
/// The most payments that one page of a search has.
pub const PAYMENTS_PAGE_MAX: u32 = 250;

/// Which entries a balance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// All that were posted at this instant or before: what anybody would have been told then.
    Instant(DateTime<Utc>),
    /// All whose value date is this day or earlier, whenever they were posted: what interest is
    /// computed on.
    ValueDate(NaiveDate),
    /// All whose booking date is this day or earlier, whenever they were posted: what a statement
    /// closes with.
    BookingDate(NaiveDate),
}

/// `ledger.balance_at.get.v1`: what was on an account, as is known now. Answered by
/// `ledger.balance_at.found.v1`, or refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBalanceAt {
    /// Which account.
    pub account: Party,
    /// Of which currency, where `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Which entries to count. Dates in the years 1900 to 2199.
    pub as_of: AsOf,
}

/// `ledger.balance_at.found.v1`: what was on the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceAtFound {
    /// Which account.
    pub account_id: AccountId,
    /// Its code, where it is the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of the balance.
    pub currency: Currency,
    /// Which entries were counted.
    pub as_of: AsOf,
    /// Their credits less their debits.
    pub balance: Amount,
    /// The ledger account's version now. A later answer for the same date differs only where
    /// entries were posted since.
    pub version: i64,
}

/// The figures of a statement's whole period.
///
/// The opening balance counts all entries booked on earlier days, the closing balance all up to the
/// last day of the period; opening + credits - debits = closing. Entries are listed in the order of
/// posting. Where some were booked on another day than they were posted, the balances after the
/// entries follow that order, and need not lead from opening to closing; and an entry that is
/// booked back later changes the figures of a past period. What was told then is told again by
/// asking with the same `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementPeriod {
    /// What was booked before the period.
    pub opening_balance: Amount,
    /// What was booked until the end of the period.
    pub closing_balance: Amount,
    /// All that was booked out in the period.
    pub debits: Amount,
    /// All that was booked in in the period.
    pub credits: Amount,
    /// How many debits.
    pub debit_count: i64,
    /// How many credits.
    pub credit_count: i64,
    /// The last version that was counted: ask for the other pages with it as `until`, and they
    /// belong to these figures whatever is posted meanwhile.
    pub until: i64,
}

/// `ledger.entries.find.v1`: entries of an account that fit all that is given, in the order of
/// posting, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindEntries {
    /// Which account.
    pub account: Party,
    /// Of which currency, where `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Text within the reference, in capitals or not, at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 140))]
    pub reference: Option<String>,
    /// The whole end-to-end id, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 35))]
    pub end_to_end_id: Option<String>,
    /// An account on the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Party>,
    /// Debits or credits only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The smallest amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<Amount>,
    /// The largest amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<Amount>,
    /// The first booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Only entries after this version: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The most to return, 1 to 1,000; 100 if not given. A page of long entries has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `ledger.entries.found.v1`: a page of entries that fit. It looked at 10,000 entries at most, so
/// it may be empty and not the last: the last one has no `next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntriesFound {
    /// Which account.
    pub account_id: AccountId,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// The entries of this page.
    pub entries: Vec<StatementEntry>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// By what the debtor called a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentName {
    /// The whole reference, to the letter, at most 140 characters.
    Reference(#[schemars(length(min = 1, max = 140))] String),
    /// The whole end-to-end id, at most 35 characters.
    EndToEndId(#[schemars(length(min = 1, max = 35))] String),
}

/// `ledger.payments.find.v1`: all that the bank was ever told under this name, whatever became of
/// it, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindPayments {
    /// The name.
    pub name: PaymentName,
    /// Only those after this id: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TransferId>,
    /// The most to return, 1 to 250; 100 if not given. A page of long instructions has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
}

/// `ledger.payments.found.v1`: a page of instructions under that name, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentsFound {
    /// What was asked, and what became of it.
    pub payments: Vec<JournalRecord>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TransferId>,
}

messages! {
    Query "ledger.balance_at.get.v1" GetBalanceAt, subject |it| it.account.to_string();
    Reply "ledger.balance_at.found.v1" BalanceAtFound, subject |it| it.account_id.to_string();
    Query "ledger.entries.find.v1" FindEntries, subject |it| it.account.to_string();
    Reply "ledger.entries.found.v1" EntriesFound, subject |it| it.account_id.to_string();
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
