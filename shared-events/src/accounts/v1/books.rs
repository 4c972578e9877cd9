//! The rows of accounts and grants, beside the history that they follow from. Promise: an auditor
//! with the history up to the end of a page can work out each row of that page.
//!
//! Figures and names are shown as the database has them, because an audit must be able to show
//! impossible values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StoredState;
use crate::{
    evidence::Hash256,
    ids::AccountId,
    message::{Query, messages},
};

/// The maximal number of rows on one page.
pub const ACCOUNT_BOOKS_PAGE_MAX: u32 = 1_000;

/// The tables that an audit compares with the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountBooksPart {
    /// The accounts, in the order of ids.
    Accounts,
    /// The grants that each principal has, in the order of names.
    Grants,
}

/// `accounts.books.get.v1`: asks for accounts or grants as they are stored, in pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetAccountBooks {
    /// The table.
    pub part: AccountBooksPart,
    /// The first row of the page, by the account's id or the principal's name: the `next` of the
    /// previous page; the first row of all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The maximal number of rows, 1 to 1,000; 100 if absent. A page of long rows has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// The end of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEnd {
    /// The place of the last record; 0 if there is none.
    pub place: i64,
    /// The hash of the last record; zeros if there is none.
    pub hash: Hash256,
}

/// The holder of an account as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredHolder {
    /// The name.
    pub name: String,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The language.
    pub language: String,
}

/// An account as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredAccount {
    /// The account.
    pub account_id: AccountId,
    /// The version: the number of the account's last change.
    pub version: i64,
    /// What the account's last record says of it.
    pub state: StoredState,
    /// The holder.
    pub holder: StoredHolder,
}

/// The last change of a principal's grants, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredGrants {
    /// The principal.
    pub principal: String,
    /// The number of the change.
    pub number: i64,
    /// The grants: the JSON text as stored.
    pub grants: String,
}

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountBooksRows {
    /// The accounts.
    Accounts(Vec<StoredAccount>),
    /// The grants that each principal has.
    Grants(Vec<StoredGrants>),
}

/// `accounts.books.found.v1`: a page of rows, and the end of the history at the same instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountBooksFound {
    /// The end of the history: the rows are the result of all records up to there.
    pub end: HistoryEnd,
    /// The rows of this page.
    pub rows: AccountBooksRows,
    /// The first row of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

const SUBJECT: &str = "books";

messages! {
    Query "accounts.books.get.v1" GetAccountBooks, subject |_| SUBJECT.to_owned();
    Reply "accounts.books.found.v1" AccountBooksFound, subject |_| SUBJECT.to_owned();
}

impl Query for GetAccountBooks {
    type Reply = AccountBooksFound;
}
