//! Events that everybody may hear who may hear of accounts. Version 1 of each shows the holder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::v1,
    ids::{AccountId, Iban},
    message::messages,
    money::{Amount, Currency},
};

/// `accounts.account.opened.v2`: an account was opened, and is pending until the ledger has opened
/// its side. `accounts.holder.current.v1` shows the holder to those with the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountOpened {
    /// The account's id.
    pub account_id: AccountId,
    /// The IBAN that the bank has assigned to the account.
    pub iban: Iban,
    /// The name of the product.
    pub product: String,
    /// The one currency of the account.
    pub currency: Currency,
    /// The overdraft limit: how far the balance may fall below zero.
    pub overdraft_limit: Amount,
    /// The account's name in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// The branch that keeps the account; `main` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The account's version, 1.
    pub version: i64,
}

impl From<v1::AccountOpened> for AccountOpened {
    fn from(opened: v1::AccountOpened) -> Self {
        Self {
            account_id: opened.account_id,
            iban: opened.iban,
            product: opened.product,
            currency: opened.currency,
            overdraft_limit: opened.overdraft_limit,
            external_reference: opened.external_reference,
            branch: opened.branch,
            version: opened.version,
        }
    }
}

/// `accounts.holder.updated.v2`: the name or the contact details of a holder have changed.
/// `accounts.holder.current.v1` shows them to those with the right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderUpdated {
    /// The account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

impl From<v1::HolderUpdated> for HolderUpdated {
    fn from(updated: v1::HolderUpdated) -> Self {
        Self { account_id: updated.account_id, version: updated.version }
    }
}

messages! {
    Event "accounts.account.opened.v2" AccountOpened,
        subject |message| message.account_id.to_string();
    Event "accounts.holder.updated.v2" HolderUpdated,
        subject |message| message.account_id.to_string();
}
