//! Types that commands, events and queries about accounts share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    code::{Open, codes},
    ids::{AccountId, Iban},
    money::{Amount, Currency},
};

/// The holder of an account, and the holder's contact details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holder {
    /// The full name, 1 to 140 characters (as in ISO 20022).
    #[schemars(length(min = 1, max = 140))]
    pub name: String,
    /// The e-mail address of the holder, at most 254 characters. If absent, no e-mail is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(email, length(max = 254))]
    pub email: Option<String>,
    /// The `http` or `https` URL of the holder's webhook, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(url, length(max = 2_000))]
    pub webhook: Option<String>,
    /// The language of letters, ISO 639-1: `en`, `cs`, `de`. Letters in any other language are in
    /// English.
    #[serde(default = "english")]
    #[schemars(regex(pattern = "^[a-z]{2}$"))]
    pub language: String,
}

fn english() -> String {
    "en".to_owned()
}

/// The directions of money that a frozen account refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// The account refuses debits.
    Debits,
    /// The account refuses credits.
    Credits,
    /// The account refuses debits and credits.
    #[default]
    Both,
}

impl Blocks {
    /// The name in JSON and in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debits => "debits",
            Self::Credits => "credits",
            Self::Both => "both",
        }
    }

    /// The value that has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Debits, Self::Credits, Self::Both].into_iter().find(|blocks| blocks.as_str() == name)
    }

    /// Whether both directions are refused.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub fn is_both(&self) -> bool {
        *self == Self::Both
    }
}

/// The spending limits of an account, besides its overdraft limit. An absent limit does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpendingLimits {
    /// The limit of one transfer, zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub transfer: Option<Amount>,
    /// The limit of all debits of one day, in the bank's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub daily: Option<Amount>,
    /// The limit of all debits of one month, in the bank's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub monthly: Option<Amount>,
    /// The minimum balance of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub minimum_balance: Option<Amount>,
}

/// A spending limit of an account, besides its overdraft limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpendingLimit {
    /// The limit of one transfer.
    Transfer,
    /// The limit of all debits of one day.
    Daily,
    /// The limit of all debits of one month.
    Monthly,
    /// The minimum balance of the account.
    MinimumBalance,
}

codes! {
    /// The status of an account.
    pub enum AccountStatus {
        /// The account was opened; the ledger has not opened its side yet.
        Pending = "pending",
        /// The account is in use.
        Active = "active",
        /// The account refuses debits and credits.
        Frozen = "frozen",
        /// The account is closing; the ledger checks that the balance is zero.
        Closing = "closing",
        /// The account is closed for ever.
        Closed = "closed",
        /// The account is closed for ever, and the holder's data were erased: the name is `erased`.
        Erased = "erased",
    }
}

/// An account of the accounts service. The balance is known to the ledger alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The account's id.
    pub account_id: AccountId,
    /// The IBAN that the bank assigned at the opening.
    pub iban: Iban,
    /// The holder of the account.
    pub holder: Holder,
    /// The name of the product, such as `current`.
    pub product: String,
    /// The one currency of the account.
    pub currency: Currency,
    /// The overdraft limit: how far the balance may fall below zero; zero or more.
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// The spending limits of the account; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
    /// The directions that the account refuses. On a frozen account without this field: both. On a
    /// pending or closing account: the directions that the account will refuse after its
    /// activation, or after a refused closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// The account's name in another system. Unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// The branch that keeps the account; `main` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The status.
    pub status: Open<AccountStatus>,
    /// On a closing account, the version at which the closing began; the ledger's answer names this
    /// version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub closing_version: Option<i64>,
    /// The version of the account: counts its changes, from 1.
    #[schemars(range(min = 1))]
    pub version: i64,
}
