//! Events of the accounts service. `version` counts the changes of an account, so that a reader can
//! order the events and notice a gap.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Blocks, Holder, SpendingLimits};
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId, Iban},
    message::messages,
    money::{Amount, Currency},
};

/// `accounts.account.opened.v1`: an account was opened, and is pending until the ledger has opened
/// its side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountOpened {
    /// The account's id.
    pub account_id: AccountId,
    /// The IBAN that the bank has assigned to the account.
    pub iban: Iban,
    /// The holder of the account.
    pub holder: Holder,
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

/// `accounts.account.activated.v1`: the ledger has opened its side, and transfers are possible
/// unless the account was frozen in the meantime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountActivated {
    /// The account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.frozen.v1`: an account was frozen, for both directions or for one. Also
/// announced if the directions or the reason of an existing freeze have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountFrozen {
    /// The account.
    pub account_id: AccountId,
    /// The reason.
    pub reason: String,
    /// The directions that the account refuses; both if absent.
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub blocks: Blocks,
    /// The directions that the account refused before; none if absent: the account was not frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_blocks: Option<Blocks>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.unfrozen.v1`: the freeze of an account was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountUnfrozen {
    /// The account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.closing.v1`: an account is closing. The ledger locks the account if its
/// balance is zero, or refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountClosing {
    /// The account.
    pub account_id: AccountId,
    /// The account that receives the remaining balance before the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<AccountId>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.closed.v1`: an account was closed for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountClosed {
    /// The account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

codes! {
    /// The reason why the ledger does not lock an account.
    pub enum CloseRefusal {
        /// The balance is not zero.
        BalanceNotZero = "balance_not_zero",
        /// The account has pending debits or pending credits: holds are open.
        HoldsOpen = "holds_open",
        /// The payout of the remaining balance was rejected.
        PayoutRejected = "payout_rejected",
        /// The account was frozen before the ledger could lock the account.
        AccountFrozen = "account_frozen",
        /// The settlement of interest and fees at the closing would overdraw the account. The
        /// balance beside this reason is the balance after that settlement; after a deposit of the
        /// missing amount the account can be closed.
        InterestOwed = "interest_owed",
        /// Interest or fees of finished months cannot be posted now.
        InterestNotSettled = "interest_not_settled",
    }
}

/// `accounts.account.close_refused.v1`: the ledger has refused a closing. The account is active
/// again, or frozen if a freeze came in the meantime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCloseRefused {
    /// The account.
    pub account_id: AccountId,
    /// The reason.
    pub reason: Open<CloseRefusal>,
    /// The balance of the account.
    pub balance: Amount,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.limits.changed.v1`: the overdraft limit or the spending limits of an account have
/// changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitsChanged {
    /// The account.
    pub account_id: AccountId,
    /// The new overdraft limit.
    pub overdraft_limit: Amount,
    /// The spending limits that hold now; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.holder.updated.v1`: the name or the contact details of a holder have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderUpdated {
    /// The account.
    pub account_id: AccountId,
    /// The holder's details after this change.
    pub holder: Holder,
    /// The account's version after this change.
    pub version: i64,
}

codes! {
    /// The reason why the accounts service refused a command.
    pub enum AccountsReason {
        /// The account does not exist.
        UnknownAccount = "unknown_account",
        /// Another command has opened an account with this id.
        AccountExists = "account_exists",
        /// Another account has this external reference.
        ExternalReferenceTaken = "external_reference_taken",
        /// The status of the account does not allow the change.
        WrongStatus = "wrong_status",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// An earlier command had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
        /// No grant of the principal permits the command; `message` names the missing right.
        NotPermitted = "not_permitted",
    }
}

/// `accounts.command.rejected.v1`: the accounts service has refused a command. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsCommandRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The type of the refused command.
    pub command_type: String,
    /// The account that the command named.
    pub account_id: AccountId,
    /// The reason.
    pub reason: Open<AccountsReason>,
    /// The field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

messages! {
    Event "accounts.account.opened.v1" AccountOpened,
        subject |message| message.account_id.to_string();
    Event "accounts.account.activated.v1" AccountActivated,
        subject |message| message.account_id.to_string();
    Event "accounts.account.frozen.v1" AccountFrozen,
        subject |message| message.account_id.to_string();
    Event "accounts.account.unfrozen.v1" AccountUnfrozen,
        subject |message| message.account_id.to_string();
    Event "accounts.account.closing.v1" AccountClosing,
        subject |message| message.account_id.to_string();
    Event "accounts.account.closed.v1" AccountClosed,
        subject |message| message.account_id.to_string();
    Event "accounts.account.close_refused.v1" AccountCloseRefused,
        subject |message| message.account_id.to_string();
    Event "accounts.limits.changed.v1" LimitsChanged,
        subject |message| message.account_id.to_string();
    Event "accounts.holder.updated.v1" HolderUpdated,
        subject |message| message.account_id.to_string();
    Event "accounts.command.rejected.v1" AccountsCommandRejected,
        subject |message| message.account_id.to_string();
}
