//! What the ledger keeps beside its journal: balances, holds, reversals. Promise: whoever has read
//! the journal up to the ends that a page tells can say what every row of the page must be.
//!
//! Figures and names are told as the database writes them: a proof must be able to tell of what
//! cannot be.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Hash256;
use crate::{
    ids::{AccountId, TransferId},
    message::{Query, messages},
};

/// The most rows that one page of the books has.
pub const BOOKS_PAGE_MAX: u32 = 1_000;

/// What there is to be compared with the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BooksPart {
    /// The accounts, with what is on them.
    Accounts,
    /// The holds, also those that are over.
    Holds,
    /// What was reversed of posted transfers.
    Reversals,
    /// How many entries each account has.
    Entries,
}

/// `ledger.books.get.v1`: what the ledger keeps beside its journal, by id, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBooks {
    /// Of what.
    pub part: BooksPart,
    /// The first id to show: the `next` of the page before; from the beginning if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
    /// The most to return, 1 to 1,000; 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// Where a chain of the journal ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainEnd {
    /// Which chain, from 0.
    pub chain: i16,
    /// The place of its last record; 0: it has none.
    pub place: i64,
    /// The hash of that record; zeros where there is none.
    pub hash: Hash256,
}

/// An account as it is stored, save its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRow {
    /// Which account.
    pub account_id: AccountId,
    /// Its code, where it is the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its currency.
    pub currency: String,
    /// Where it stands.
    pub status: String,
    /// All that was ever booked out.
    pub posted_debits: String,
    /// All that was ever booked in.
    pub posted_credits: String,
    /// What is set aside to go out.
    pub pending_debits: String,
    /// What is expected to come in.
    pub pending_credits: String,
    /// Its version.
    pub version: i64,
}

/// A hold as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldRow {
    /// The instruction that placed it.
    pub hold_id: TransferId,
    /// Who is to pay.
    pub debtor_id: AccountId,
    /// Who is to be paid.
    pub creditor_id: AccountId,
    /// Of which currency.
    pub currency: String,
    /// What is still held.
    pub remaining: String,
    /// Where it stands.
    pub status: String,
    /// When it ends by itself; absent: never, which cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The bank's day on which it was placed.
    pub placed_on: String,
}

/// What was reversed of a posted transfer, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReversalRow {
    /// Which transfer.
    pub original_id: TransferId,
    /// How much of it.
    pub amount: String,
}

/// How many entries stand in an account's book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntriesCount {
    /// Which account.
    pub account_id: AccountId,
    /// How many.
    pub entries: i64,
}

/// Rows of one part of the books, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BooksRows {
    /// The accounts, with what is on them.
    Accounts(Vec<AccountRow>),
    /// The holds, also those that are over.
    Holds(Vec<HoldRow>),
    /// What was reversed of posted transfers.
    Reversals(Vec<ReversalRow>),
    /// How many entries each account has.
    Entries(Vec<EntriesCount>),
}

/// `ledger.books.found.v1`: a page of the books, and where the journal ended when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BooksFound {
    /// Where each chain ended: the rows are as the records up to there have left them.
    pub ends: Vec<ChainEnd>,
    /// Records of chains that the journal does not have, at most 10. There are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub astray: Vec<TransferId>,
    /// The rows of this page.
    pub rows: BooksRows,
    /// Where the next page begins, if there is one.
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
