//! Commands to the accounts service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Blocks, Holder, SpendingLimit, SpendingLimits};
use crate::{
    ids::AccountId,
    message::messages,
    money::{Amount, Currency},
};

/// `accounts.account.open.v1`: opens an account. Answered by `accounts.account.opened.v2`; the
/// account can be used once `accounts.account.activated.v1` is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenAccount {
    /// The id of the new account, made by the client: a UUID of version 4 or 7, or the id that
    /// follows from the external reference ([`AccountId::of_reference`]).
    pub account_id: AccountId,
    /// The holder of the account.
    pub holder: Holder,
    /// The name of the product: 1 to 40 of `a-z`, `0-9`, `-`.
    #[schemars(regex(pattern = "^[a-z0-9-]{1,40}$"))]
    pub product: String,
    /// The one currency of the account. The currency has a minor unit and is not withdrawn.
    pub currency: Currency,
    /// The overdraft limit: how far the balance may fall below zero; zero or more.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// The account's name in another system, 1 to 64 characters. No two accounts have the same
    /// external reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub external_reference: Option<String>,
    /// The branch, brand or partner that keeps the account; `main` if absent. Grants name the
    /// branches whose accounts they are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z0-9-]{1,40}$"))]
    pub branch: Option<String>,
}

/// `accounts.account.freeze.v1`: freezes an account for both directions, or for one. On a frozen
/// account the new freeze replaces the old one without a gap. A pending account is frozen from its
/// activation on; a closing account is frozen unless the ledger locks the account first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreezeAccount {
    /// The account.
    pub account_id: AccountId,
    /// The reason, for the bank's file: 1 to 140 characters.
    #[schemars(length(min = 1, max = 140))]
    pub reason: String,
    /// The directions to refuse; both if absent.
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub blocks: Blocks,
}

/// `accounts.account.unfreeze.v1`: lifts the freeze of an account. On a closing account the
/// ledger's answer to the closing comes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnfreezeAccount {
    /// The account.
    pub account_id: AccountId,
}

/// `accounts.account.close.v1`: closes an active account for ever. The ledger refuses while the
/// balance is not zero, and `accounts.account.close_refused.v1` announces the refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseAccount {
    /// The account.
    pub account_id: AccountId,
    /// The account that receives the remaining balance. If absent, the balance must be zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<AccountId>,
}

/// `accounts.limits.set.v1`: sets the overdraft limit and all spending limits of an account. The
/// limits hold from the next transfer on. `accounts.limits.change.v1` changes single limits and
/// leaves the others as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLimits {
    /// The account.
    pub account_id: AccountId,
    /// The new overdraft limit, zero or more.
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// All spending limits of the account; unchanged if absent, none if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
}

/// `accounts.limits.change.v1`: changes single limits of an account. The other limits stay as they
/// are, even if another client changes them at the same time. The limits hold from the next
/// transfer on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeLimits {
    /// The account.
    pub account_id: AccountId,
    /// The overdraft limit: how far the balance may fall below zero; zero or more; unchanged if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Option<Amount>,
    /// The limit of one transfer, zero or more; unchanged if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub transfer: Option<Amount>,
    /// The limit of all debits of one day, zero or more; unchanged if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub daily: Option<Amount>,
    /// The limit of all debits of one month, zero or more; unchanged if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub monthly: Option<Amount>,
    /// The minimum balance of the account, zero or more; unchanged if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub minimum_balance: Option<Amount>,
    /// The limits to lift. None of them may have a value above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<SpendingLimit>,
}

/// `accounts.holder.update.v1`: changes the name or the contact details of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateHolder {
    /// The account.
    pub account_id: AccountId,
    /// The new details of the holder. They replace all old ones.
    pub holder: Holder,
}

messages! {
    Command "accounts.account.open.v1" OpenAccount,
        subject |message| message.account_id.to_string();
    Command "accounts.account.freeze.v1" FreezeAccount,
        subject |message| message.account_id.to_string();
    Command "accounts.account.unfreeze.v1" UnfreezeAccount,
        subject |message| message.account_id.to_string();
    Command "accounts.account.close.v1" CloseAccount,
        subject |message| message.account_id.to_string();
    Command "accounts.limits.set.v1" SetLimits, subject |message| message.account_id.to_string();
    Command "accounts.limits.change.v1" ChangeLimits,
        subject |message| message.account_id.to_string();
    Command "accounts.holder.update.v1" UpdateHolder,
        subject |message| message.account_id.to_string();
}
