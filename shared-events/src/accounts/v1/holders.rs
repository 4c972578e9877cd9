//! Events with the data of holders, on an exchange of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountOpened, Holder};
use crate::{
    ids::{AccountId, Iban},
    message::messages,
};

/// `accounts.holder.current.v1`: the holder of an account, announced with the opening of the
/// account and with each change of the holder. Travels on `bank.personal`; no stream keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderCurrent {
    /// The account.
    pub account_id: AccountId,
    /// The account's IBAN.
    pub iban: Iban,
    /// The branch that keeps the account; `main` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The holder's details after this change.
    pub holder: Holder,
    /// The account's version after this change.
    pub version: i64,
}

/// What version 1 of `accounts.account.opened` says of the holder.
impl From<AccountOpened> for HolderCurrent {
    fn from(opened: AccountOpened) -> Self {
        Self {
            account_id: opened.account_id,
            iban: opened.iban,
            branch: opened.branch,
            holder: opened.holder,
            version: opened.version,
        }
    }
}

messages! {
    Event "accounts.holder.current.v1" HolderCurrent,
        subject |message| message.account_id.to_string();
}
