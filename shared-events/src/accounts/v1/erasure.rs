//! The erasure of a closed customer's data.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ids::AccountId, message::messages};

/// The name of a holder whose data were erased. Such a holder has no address.
pub const ERASED_NAME: &str = "erased";

/// `accounts.holder.erase.v1`: erases the holder's data of an account, and the texts of its
/// payments, in all services. The account has been closed for the days that the bank keeps data of
/// closed accounts. Another principal has to approve the command, whatever the sender's grants say.
/// Answered by `accounts.holder.erased.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EraseHolder {
    /// The account.
    pub account_id: AccountId,
}

/// `accounts.holder.erased.v1`: the accounts service has erased a holder's data, and the other
/// services erase theirs: the ledger the texts of the account's payments, the notifications service
/// the addresses and what the holder was told. The account's id, IBAN and external reference stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderErased {
    /// The account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.holder.erasure_completed.v1`: all services have erased the data of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderErasureCompleted {
    /// The account.
    pub account_id: AccountId,
    /// The instant at which the accounts service erased its data.
    pub erased_at: DateTime<Utc>,
    /// The instant at which the accounts service heard of the last of the other services.
    pub completed_at: DateTime<Utc>,
}

messages! {
    Command "accounts.holder.erase.v1" EraseHolder,
        subject |message| message.account_id.to_string();
    Event "accounts.holder.erased.v1" HolderErased,
        subject |message| message.account_id.to_string();
    Event "accounts.holder.erasure_completed.v1" HolderErasureCompleted,
        subject |message| message.account_id.to_string();
}
