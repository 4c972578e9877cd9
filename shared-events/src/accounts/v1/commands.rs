//! What can be asked of the accounts service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Blocks, Holder, SpendingLimit, SpendingLimits};
use crate::{
    ids::AccountId,
    message::messages,
    money::{Amount, Currency},
};

/// `accounts.account.open.v1`: open an account. Answered by `accounts.account.opened.v1`; it is
/// usable once `accounts.account.activated.v1` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenAccount {
    /// The id the account shall have, made by the client: a UUID of version 4 or 7; or the one
    /// that follows from the external reference ([`AccountId::of_reference`]).
    pub account_id: AccountId,
    /// Who it belongs to.
    pub holder: Holder,
    /// The product's name: 1 to 40 of `a-z`, `0-9`, `-`.
    #[schemars(regex(pattern = "^[a-z0-9-]{1,40}$"))]
    pub product: String,
    /// The one currency it holds: one that has a minor unit and is not withdrawn.
    pub currency: Currency,
    /// How far below zero it may go, zero or more.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// What another system calls it, 1 to 64 characters. Two accounts cannot have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub external_reference: Option<String>,
}

/// `accounts.account.freeze.v1`: let no money move on an account, or none in one direction. On a
/// frozen account it takes the place of the freeze before, at once. A pending account is frozen
/// from its activation on; a closing one unless the ledger locks it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreezeAccount {
    /// Which account.
    pub account_id: AccountId,
    /// Why, for the file: 1 to 140 characters.
    #[schemars(length(min = 1, max = 140))]
    pub reason: String,
    /// What to refuse; both directions if not given.
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub blocks: Blocks,
}

/// `accounts.account.unfreeze.v1`: let money move again on a frozen account. While it is closing,
/// the ledger's answer comes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnfreezeAccount {
    /// Which account.
    pub account_id: AccountId,
}

/// `accounts.account.close.v1`: close an active account for ever. Refused by
/// `accounts.account.close_refused.v1` while its balance is not zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseAccount {
    /// Which account.
    pub account_id: AccountId,
    /// Where to move what is left on it; without it, nothing may be left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<AccountId>,
}

/// `accounts.limits.set.v1`: set how far below zero an account may go, and all that it may spend
/// besides. Takes effect from the next transfer. To change some limits and leave the others,
/// whatever they are, send `accounts.limits.change.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLimits {
    /// Which account.
    pub account_id: AccountId,
    /// The new limit, zero or more.
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// The other limits, all of them; unchanged if not given, none of them if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
}

/// `accounts.limits.change.v1`: change some of an account's limits; the others stay, also where
/// somebody changes them at the same time. Takes effect from the next transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeLimits {
    /// Which account.
    pub account_id: AccountId,
    /// How far below zero it may go, zero or more; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Option<Amount>,
    /// The most of one transfer, zero or more; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub transfer: Option<Amount>,
    /// The most that leaves the account on one day, zero or more; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub daily: Option<Amount>,
    /// The most that leaves the account in one month, zero or more; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub monthly: Option<Amount>,
    /// The least that must stay on the account, zero or more; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub minimum_balance: Option<Amount>,
    /// Limits that shall not be any more. None of them may be given above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<SpendingLimit>,
}

/// `accounts.holder.update.v1`: change the holder's name or how to reach them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateHolder {
    /// Which account.
    pub account_id: AccountId,
    /// The holder as it shall be; takes the place of the whole.
    pub holder: Holder,
}

messages! {
    Command "accounts.account.open.v1" OpenAccount, subject |it| it.account_id.to_string();
    Command "accounts.account.freeze.v1" FreezeAccount, subject |it| it.account_id.to_string();
    Command "accounts.account.unfreeze.v1" UnfreezeAccount, subject |it| it.account_id.to_string();
    Command "accounts.account.close.v1" CloseAccount, subject |it| it.account_id.to_string();
    Command "accounts.limits.set.v1" SetLimits, subject |it| it.account_id.to_string();
    Command "accounts.limits.change.v1" ChangeLimits, subject |it| it.account_id.to_string();
    Command "accounts.holder.update.v1" UpdateHolder, subject |it| it.account_id.to_string();
}
