//! The state of the ledger beside its journal: balances, holds, reversals. Promise: an auditor with
//! the journal up to the chain ends of a page can work out each row of that page.
//!
//! Figures and names are shown as the database has them, because an audit must be able to show
//! impossible values.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    evidence::Hash256,
    ids::{AccountId, TransferId},
    message::{Query, messages},
};

/// The maximal number of rows on one page of the books.
pub const BOOKS_PAGE_MAX: u32 = 1_000;

/// The parts of the state that an audit compares with the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BooksPart {
    /// The accounts and their balances.
    Accounts,
    /// The holds, including ended ones.
    Holds,
    /// The reversed amounts of posted transfers.
    Reversals,
    /// The number of entries of each account.
    Entries,
}

/// `ledger.books.get.v1`: asks for the state of the ledger beside its journal, in the order of ids,
/// in pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBooks {
    /// The part of the state.
    pub part: BooksPart,
    /// The first id of the page: the `next` of the previous page; the lowest id if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
    /// The maximal number of items, 1 to 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// The end of a chain of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainEnd {
    /// The number of the chain, from 0.
    pub chain: i16,
    /// The place of the last record; 0 if the chain is empty.
    pub place: i64,
    /// The hash of the last record; zeros if the chain is empty.
    pub hash: Hash256,
}

/// The status and the limits of an account as stored, as far as the ledger has followed the
/// accounts service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowedTerms {
    /// The branch that keeps the account; absent for the main branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The direction of money that the account refuses while it is frozen.
    pub blocked: String,
    /// How far below zero the balance may go; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdraft_limit: Option<String>,
    /// The most of one transfer; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_limit: Option<String>,
    /// The most of one day; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_limit: Option<String>,
    /// The most of one month; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_limit: Option<String>,
    /// The least that must stay on the account; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<String>,
    /// The last version of the accounts service's account whose status the ledger has followed.
    pub followed_status: i64,
    /// The last version whose limits the ledger has followed.
    pub followed_limit: i64,
}

/// An account as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRow {
    /// The account.
    pub account_id: AccountId,
    /// The account's code, if the account is one of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The currency of the account.
    pub currency: String,
    /// The status.
    pub status: String,
    /// The sum of all posted debits.
    pub posted_debits: String,
    /// The sum of all posted credits.
    pub posted_credits: String,
    /// The pending debits: amounts on hold for other accounts.
    pub pending_debits: String,
    /// The pending credits: amounts on hold for this account.
    pub pending_credits: String,
    /// The version of the account.
    pub version: i64,
    /// The status and the limits, as far as the ledger has followed the accounts service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<FollowedTerms>,
}

/// A hold as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldRow {
    /// The id of the instruction that placed the hold.
    pub hold_id: TransferId,
    /// The debtor of the hold.
    pub debtor_id: AccountId,
    /// The creditor of the hold.
    pub creditor_id: AccountId,
    /// The currency.
    pub currency: String,
    /// The amount that is still on hold.
    pub remaining: String,
    /// The status.
    pub status: String,
    /// The instant of expiry. A row without one is impossible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The bank's day of the placement.
    pub placed_on: String,
}

/// The reversed amount of a posted transfer, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReversalRow {
    /// The transfer.
    pub original_id: TransferId,
    /// The reversed amount.
    pub amount: String,
}

/// The number of entries of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntriesCount {
    /// The account.
    pub account_id: AccountId,
    /// The number of entries.
    pub entries: i64,
}

/// The rows of one part of the state, in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BooksRows {
    /// The accounts and their balances.
    Accounts(Vec<AccountRow>),
    /// The holds, including ended ones.
    Holds(Vec<HoldRow>),
    /// The reversed amounts of posted transfers.
    Reversals(Vec<ReversalRow>),
    /// The number of entries of each account.
    Entries(Vec<EntriesCount>),
}

/// `ledger.books.found.v1`: a page of the state, and the chain ends of the journal at the same
/// instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BooksFound {
    /// The end of each chain: the rows are the result of all records up to there.
    pub ends: Vec<ChainEnd>,
    /// Orphaned records: records of chains that the journal does not have, at most 10. A sound
    /// journal has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub astray: Vec<TransferId>,
    /// The rows of this page.
    pub rows: BooksRows,
    /// The first id of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

messages! {
    Query "ledger.books.get.v1" GetBooks, subject |_| "books".to_owned();
    Reply "ledger.books.found.v1" BooksFound, subject |_| "books".to_owned();
}

impl Query for GetBooks {
    type Reply = BooksFound;
}
