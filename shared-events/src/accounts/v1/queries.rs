//! Queries of the accounts service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, AccountStatus};
use crate::{
    ids::{AccountId, Iban},
    message::{Query, messages},
};

/// The maximal number of accounts on one page of a list.
pub const ACCOUNTS_PAGE_MAX: u32 = 1_000;

/// The key of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKey {
    /// The account's id.
    AccountId(AccountId),
    /// The account's IBAN.
    Iban(Iban),
    /// The account's name in another system.
    ExternalReference(String),
}

/// `accounts.account.get.v1`: asks for one account. Answered by `accounts.account.found.v1`, or
/// refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetAccount {
    /// The key of the account.
    pub key: AccountKey,
}

/// `accounts.account.found.v1`: the account of the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountFound {
    /// The account now.
    pub account: Account,
}

/// `accounts.account.list.v1`: asks for accounts in the order of their ids, in pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAccounts {
    /// Lists accounts in this status only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// Lists accounts only if their external reference starts with this prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference_prefix: Option<String>,
    /// Lists accounts after this id only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccountId>,
    /// The maximal number of items, 1 to 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `accounts.account.listed.v1`: a page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsListed {
    /// The accounts of this page.
    pub accounts: Vec<Account>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<AccountId>,
}

messages! {
    Query "accounts.account.get.v1" GetAccount, subject |_| "account".to_owned();
    Reply "accounts.account.found.v1" AccountFound,
        subject |message| message.account.account_id.to_string();
    Query "accounts.account.list.v1" ListAccounts, subject |_| "accounts".to_owned();
    Reply "accounts.account.listed.v1" AccountsListed, subject |_| "accounts".to_owned();
}

impl Query for GetAccount {
    type Reply = AccountFound;
}

impl Query for ListAccounts {
    type Reply = AccountsListed;
}
