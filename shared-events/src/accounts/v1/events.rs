//! What the accounts service announces. `version` counts the account's changes, so that a reader
//! can order them and notice a gap.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Blocks, Holder, SpendingLimits};
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId, Iban},
    message::messages,
    money::{Amount, Currency},
};

/// `accounts.account.opened.v1`: an account exists, and waits for the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountOpened {
    /// The account's id.
    pub account_id: AccountId,
    /// The IBAN that the bank gave it.
    pub iban: Iban,
    /// Who it belongs to.
    pub holder: Holder,
    /// The product's name.
    pub product: String,
    /// The one currency it holds.
    pub currency: Currency,
    /// How far below zero it may go.
    pub overdraft_limit: Amount,
    /// What another system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// The account's version, 1.
    pub version: i64,
}

/// `accounts.account.activated.v1`: the ledger has opened its side; money can move, unless the
/// account was frozen meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountActivated {
    /// Which account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.frozen.v1`: no money moves on the account, or none in one direction. Also said
/// of an account that was frozen before: what it refuses, or why, is another now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountFrozen {
    /// Which account.
    pub account_id: AccountId,
    /// Why.
    pub reason: String,
    /// What it refuses; absent: both directions.
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub blocks: Blocks,
    /// What it refused before; absent: nothing, it was not frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_blocks: Option<Blocks>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.unfrozen.v1`: money can move again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountUnfrozen {
    /// Which account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.closing.v1`: the ledger is asked to lock the account if nothing is on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountClosing {
    /// Which account.
    pub account_id: AccountId,
    /// Where to move what is left on it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<AccountId>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.account.closed.v1`: the account is closed for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountClosed {
    /// Which account.
    pub account_id: AccountId,
    /// The account's version after this change.
    pub version: i64,
}

codes! {
    /// Why an account cannot be closed.
    pub enum CloseRefusal {
        /// Money is on it, or owed on it.
        BalanceNotZero = "balance_not_zero",
        /// Money is set aside on it, or expected.
        HoldsOpen = "holds_open",
        /// What is left could not be moved to the payout account.
        PayoutRejected = "payout_rejected",
        /// The account was frozen before the ledger could lock it.
        AccountFrozen = "account_frozen",
        /// With the interest and fees that are settled at closing, money would be owed on it: so
        /// much as the balance that is told with this says. Pay it in, and close again.
        InterestOwed = "interest_owed",
        /// Interest or fees of months that are over cannot be posted now.
        InterestNotSettled = "interest_not_settled",
    }
}

/// `accounts.account.close_refused.v1`: the ledger refused; the account is active again, or frozen
/// where it was frozen meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCloseRefused {
    /// Which account.
    pub account_id: AccountId,
    /// Why.
    pub reason: Open<CloseRefusal>,
    /// What is on it.
    pub balance: Amount,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.limits.changed.v1`: how far below zero the account may go, or what else it may spend,
/// has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitsChanged {
    /// Which account.
    pub account_id: AccountId,
    /// The new limit.
    pub overdraft_limit: Amount,
    /// What else it may spend now; absent: no such limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
    /// The account's version after this change.
    pub version: i64,
}

/// `accounts.holder.updated.v1`: the holder's name, or how to reach them, has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderUpdated {
    /// Which account.
    pub account_id: AccountId,
    /// The holder as it is now.
    pub holder: Holder,
    /// The account's version after this change.
    pub version: i64,
}

codes! {
    /// Why the accounts service refused a command.
    pub enum AccountsReason {
        /// No such account.
        UnknownAccount = "unknown_account",
        /// An account with this id exists, opened by another command.
        AccountExists = "account_exists",
        /// Another account has this external reference.
        ExternalReferenceTaken = "external_reference_taken",
        /// The account's status does not allow it.
        WrongStatus = "wrong_status",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// The command's id was used before, with other content.
        IdempotencyConflict = "idempotency_conflict",
    }
}

/// `accounts.command.rejected.v1`: a command was refused, and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsCommandRejected {
    /// The refused command.
    pub command_id: CommandId,
    /// Its type.
    pub command_type: String,
    /// The account it named.
    pub account_id: AccountId,
    /// Why.
    pub reason: Open<AccountsReason>,
    /// The field that breaks a rule, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

messages! {
    Event "accounts.account.opened.v1" AccountOpened, subject |it| it.account_id.to_string();
    Event "accounts.account.activated.v1" AccountActivated, subject |it| it.account_id.to_string();
    Event "accounts.account.frozen.v1" AccountFrozen, subject |it| it.account_id.to_string();
    Event "accounts.account.unfrozen.v1" AccountUnfrozen, subject |it| it.account_id.to_string();
    Event "accounts.account.closing.v1" AccountClosing, subject |it| it.account_id.to_string();
    Event "accounts.account.closed.v1" AccountClosed, subject |it| it.account_id.to_string();
    Event "accounts.account.close_refused.v1" AccountCloseRefused,
        subject |it| it.account_id.to_string();
    Event "accounts.limits.changed.v1" LimitsChanged, subject |it| it.account_id.to_string();
    Event "accounts.holder.updated.v1" HolderUpdated, subject |it| it.account_id.to_string();
    Event "accounts.command.rejected.v1" AccountsCommandRejected,
        subject |it| it.account_id.to_string();
}
