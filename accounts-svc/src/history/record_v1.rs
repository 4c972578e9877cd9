//! Version 1 of the history's record. Promise: frozen. The same record has the same JSON text, byte
//! for byte, and the same texts have the same commitment for ever; `golden/` holds the bytes of
//! each kind of change. The types here name nothing but identifiers, amounts, currencies and text:
//! a message of the contract or a type of the service may change, and no stored byte moves. A
//! change of the record is a new version beside this one.
//!
//! The migration `0006_history.sql` writes records of this version, too.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use shared_events::{
    AccountId, Amount, Currency, MessageId,
    evidence::{Hash256, Salt, commitment},
};

/// A change, and its author. It has `account` or `grants`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordV1<'a> {
    /// Always 1.
    pub(crate) version: u8,
    #[serde(borrow)]
    pub(crate) author: AuthorV1<'a>,
    /// The command, if one has caused the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command_id: Option<MessageId>,
    /// The instant of the change, by the clock of the database, to the microsecond.
    #[serde(serialize_with = "to_the_microsecond")]
    pub(crate) at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountV1<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grants: Option<GrantsV1<'a>>,
}

/// The author of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorV1<'a> {
    /// The user of the broker that has sent the message; of own work, the service.
    #[serde(borrow)]
    pub(crate) principal: Cow<'a, str>,
    /// The person behind it, in the principal's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<Cow<'a, str>>,
    /// The operator that has edited the message while it was parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) edited_by: Option<Cow<'a, str>>,
    /// The principal that has approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approved_by: Option<Cow<'a, str>>,
}

/// An account after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountV1<'a> {
    pub(crate) account_id: AccountId,
    /// The version of the account.
    pub(crate) number: i64,
    pub(crate) change: ChangeV1,
    #[serde(borrow)]
    pub(crate) state: StateV1<'a>,
    /// Of a closing, the account that receives the balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payout: Option<AccountId>,
    /// Of a refused closing, the answer of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<RefusalV1<'a>>,
    /// The commitment to the texts beside the record.
    pub(crate) texts: Hash256,
}

/// The kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeV1 {
    Opened,
    Activated,
    Frozen,
    Unfrozen,
    Closing,
    Closed,
    CloseRefused,
    LimitsChanged,
    HolderUpdated,
    /// The holder's data were erased, with the texts beside all earlier records of the account.
    Erased,
    /// The account is older than the history.
    Recorded,
}

/// Everything that the service stores of an account, but for the holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateV1<'a> {
    #[serde(borrow)]
    pub(crate) iban: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) product: Cow<'a, str>,
    pub(crate) currency: Currency,
    pub(crate) overdraft_limit: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_limit: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily_limit: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) monthly_limit: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_balance: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external_reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) branch: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) status: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closing_version: Option<i64>,
}

/// The ledger's answer that an account cannot be closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusalV1<'a> {
    /// The code of the reason.
    #[serde(borrow)]
    pub(crate) reason: Cow<'a, str>,
    pub(crate) balance: Amount,
}

/// The grants of a principal after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GrantsV1<'a> {
    #[serde(borrow)]
    pub(crate) principal: Cow<'a, str>,
    /// The number of the change.
    pub(crate) number: i64,
    /// The grants, to the letter as they are stored with the change.
    pub(crate) grants: Cow<'a, RawValue>,
}

/// The texts beside a record: the holder after the change, and the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TextsV1<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Cow<'a, str>>,
}

impl RecordV1<'_> {
    /// The record's JSON text: the bytes that are stored and hashed.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a record writes plain JSON")
    }
}

impl TextsV1<'_> {
    /// The commitment to the texts under a salt.
    pub(crate) fn commitment(&self, salt: Salt) -> Hash256 {
        let texts = [
            ("name", self.name.as_deref()),
            ("email", self.email.as_deref()),
            ("webhook", self.webhook.as_deref()),
            ("language", self.language.as_deref()),
            ("reason", self.reason.as_deref()),
        ];
        commitment(salt, &texts)
    }

    /// The JSON text that is stored beside the record.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts write plain JSON")
    }
}

fn to_the_microsecond<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
}
