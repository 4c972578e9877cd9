//! The words that commands, events and queries about accounts share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    code::{Open, codes},
    ids::{AccountId, Iban},
    money::{Amount, Currency},
};

/// Who an account belongs to and how to reach them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holder {
    /// Full name, 1 to 140 characters (as in ISO 20022).
    #[schemars(length(min = 1, max = 140))]
    pub name: String,
    /// Where e-mail goes; without it none is sent. At most 254 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(email, length(max = 254))]
    pub email: Option<String>,
    /// An `http` or `https` URL that is told of events. At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(url, length(max = 2_000))]
    pub webhook: Option<String>,
    /// The language to write in, ISO 639-1: `en`, `cs`, `de`. Others are answered in English.
    #[serde(default = "english")]
    #[schemars(regex(pattern = "^[a-z]{2}$"))]
    pub language: String,
}

fn english() -> String {
    "en".to_owned()
}

/// Which direction of money a frozen account refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Nothing leaves it.
    Debits,
    /// Nothing comes in.
    Credits,
    /// No money moves.
    #[default]
    Both,
}

impl Blocks {
    /// The name on the wire and in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debits => "debits",
            Self::Credits => "credits",
            Self::Both => "both",
        }
    }

    /// What has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Debits, Self::Credits, Self::Both].into_iter().find(|it| it.as_str() == name)
    }

    /// Whether it is the word for all.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub fn is_both(&self) -> bool {
        *self == Self::Both
    }
}

/// What an account may spend, besides its overdraft. Absent: without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpendingLimits {
    /// The most of one transfer, zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub transfer: Option<Amount>,
    /// The most that leaves the account on one day, in the bank's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub daily: Option<Amount>,
    /// The most that leaves the account in one month, in the bank's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub monthly: Option<Amount>,
    /// The least that must stay on the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub minimum_balance: Option<Amount>,
}

/// One of the limits that an account may have besides its overdraft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpendingLimit {
    /// The most of one transfer.
    Transfer,
    /// The most that leaves the account on one day.
    Daily,
    /// The most that leaves the account in one month.
    Monthly,
    /// The least that must stay on the account.
    MinimumBalance,
}

codes! {
    /// Where an account stands in its life.
    pub enum AccountStatus {
        /// Asked for; the ledger has not opened its side yet.
        Pending = "pending",
        /// In use.
        Active = "active",
        /// No money moves.
        Frozen = "frozen",
        /// To be closed; the ledger is checking that nothing is left on it.
        Closing = "closing",
        /// Closed for ever.
        Closed = "closed",
    }
}

/// An account as the accounts service knows it. What is on it, only the ledger knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The account's id.
    pub account_id: AccountId,
    /// Its IBAN, given by the bank when it was opened.
    pub iban: Iban,
    /// Who it belongs to.
    pub holder: Holder,
    /// The product's name, such as `current`.
    pub product: String,
    /// The one currency it holds.
    pub currency: Currency,
    /// How far below zero it may go, zero or more.
    #[schemars(extend("pattern" = "^[0-9]"))]
    pub overdraft_limit: Amount,
    /// What it may spend besides; absent: no such limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingLimits>,
    /// What it refuses, where it is frozen; absent of a frozen account: everything. Of a pending or
    /// closing account: what it will refuse once it is open, or its closing was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// What another system calls it. Unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Where it stands.
    pub status: Open<AccountStatus>,
    /// The version by which it began to close, while it is closing: the ledger's answer names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub closing_version: Option<i64>,
    /// Counts the account's changes, from 1.
    #[schemars(range(min = 1))]
    pub version: i64,
}
