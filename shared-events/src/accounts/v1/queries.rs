//! What can be asked about accounts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, AccountStatus};
use crate::{
    ids::{AccountId, Iban},
    message::{Query, messages},
};

/// The most accounts that one page of a list has.
pub const ACCOUNTS_PAGE_MAX: u32 = 1_000;

/// What names one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKey {
    /// Its id.
    AccountId(AccountId),
    /// Its IBAN.
    Iban(Iban),
    /// What another system calls it.
    ExternalReference(String),
}

/// `accounts.account.get.v1`: one account. Answered by `accounts.account.found.v1`, or refused as
/// not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetAccount {
    /// Which one.
    pub key: AccountKey,
}

/// `accounts.account.found.v1`: the account that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountFound {
    /// The account as it is now.
    pub account: Account,
}

/// `accounts.account.list.v1`: accounts in the order of their ids, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAccounts {
    /// Only those in this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// Only those whose external reference starts so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference_prefix: Option<String>,
    /// Only those after this id: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccountId>,
    /// The most to return, 1 to 1,000; 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `accounts.account.listed.v1`: a page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsListed {
    /// The accounts of this page.
    pub accounts: Vec<Account>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<AccountId>,
}

messages! {
    Query "accounts.account.get.v1" GetAccount, subject |_| "account".to_owned();
    Reply "accounts.account.found.v1" AccountFound, subject |it| it.account.account_id.to_string();
    Query "accounts.account.list.v1" ListAccounts, subject |_| "accounts".to_owned();
    Reply "accounts.account.listed.v1" AccountsListed, subject |_| "accounts".to_owned();
}

impl Query for GetAccount {
    type Reply = AccountFound;
}

impl Query for ListAccounts {
    type Reply = AccountsListed;
}
