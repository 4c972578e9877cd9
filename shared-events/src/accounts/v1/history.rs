//! The history of accounts and grants, for anybody to verify. Promise: the hash of a record covers
//! every byte of the record and of all records before it, so any change shows from there on.
//!
//! Each change of an account, and each change of a principal's grants, is one record, written in
//! the transaction of the change. Its hash is SHA-256 (FIPS 180-4) of the hash before it (32 bytes;
//! zeros before the first record) and the JSON text of the record as stored. Personal data stand
//! beside the record: the record has the commitment to them
//! ([`commitment`](crate::evidence::commitment) under the record's salt).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    code::{Open, codes},
    evidence::{Authorship, Hash256, Salt, commitment},
    ids::AccountId,
    message::{Query, messages},
};

/// The maximal number of records on one page of the history.
pub const HISTORY_PAGE_MAX: u32 = 500;

/// The text of a record, read. Figures and names are text, as in the rows of
/// `accounts.books.found.v1`, so that an auditor compares both letter by letter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// The version of the record's format: 1.
    pub version: u32,
    /// The author of the change. Of an answer of the ledger, the principal `ledger`; of the
    /// accounts service's own work, `accounts`.
    pub author: Authorship,
    /// The command, if one has caused the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<Uuid>,
    /// The instant of the change, by the clock of the database.
    pub at: DateTime<Utc>,
    /// The account after the change. A record has this or `grants`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<RecordedAccount>,
    /// The grants of a principal after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<RecordedGrants>,
}

/// An account after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAccount {
    /// The account.
    pub account_id: AccountId,
    /// The version of the account: its changes are counted without a gap.
    pub number: i64,
    /// The kind of the change.
    pub change: Open<HistoryChange>,
    /// Everything after the change but personal data.
    pub state: StoredState,
    /// Of a closing, the account that receives the balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<AccountId>,
    /// Of a refused closing, the ledger's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RecordedRefusal>,
    /// The commitment to the texts beside the record.
    pub texts: Hash256,
}

/// The ledger's answer that an account cannot be closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRefusal {
    /// The code of the reason.
    pub reason: String,
    /// The balance.
    pub balance: String,
}

/// The grants of a principal after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedGrants {
    /// The principal.
    pub principal: String,
    /// The number of the change; changes of all principals are counted together.
    pub number: i64,
    /// The grants: the JSON text that is stored with the change.
    pub grants: Box<RawValue>,
}

codes! {
    /// The kind of an account's change.
    pub enum HistoryChange {
        /// The account was opened.
        Opened = "opened",
        /// The ledger has opened its side.
        Activated = "activated",
        /// The account was frozen, or its freeze was changed.
        Frozen = "frozen",
        /// The freeze was ended.
        Unfrozen = "unfrozen",
        /// The account began to close.
        Closing = "closing",
        /// The ledger has locked the account.
        Closed = "closed",
        /// The ledger has refused to lock the account.
        CloseRefused = "close_refused",
        /// Limits were set or lifted.
        LimitsChanged = "limits_changed",
        /// The holder was replaced.
        HolderUpdated = "holder_updated",
        /// The holder's data were erased: the texts of all earlier changes are gone.
        Erased = "erased",
        /// The account is older than the history, which begins with its state at that time.
        Recorded = "recorded",
    }
}

/// The terms and the state of an account as stored, without personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredState {
    /// The IBAN.
    pub iban: String,
    /// The product.
    pub product: String,
    /// The currency.
    pub currency: String,
    /// How far below zero the balance may go.
    pub overdraft_limit: String,
    /// The most of one transfer; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_limit: Option<String>,
    /// The most of one day; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_limit: Option<String>,
    /// The most of one month; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_limit: Option<String>,
    /// The least that must stay on the account; absent: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<String>,
    /// The direction of money that a freeze refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<String>,
    /// The account's name in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// The branch.
    pub branch: String,
    /// The status.
    pub status: String,
    /// While the account is closing, the version by which it began to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_version: Option<i64>,
}

/// The texts beside a record of an account: its holder after the change, and the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryTexts {
    /// The holder's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The holder's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The holder's webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The holder's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The reason of a freeze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl HistoryTexts {
    /// The commitment to these texts under the record's salt: that of the named texts in this
    /// order, from `name` to `reason`.
    #[must_use]
    pub fn commitment(&self, salt: Salt) -> Hash256 {
        let texts = [
            ("name", self.name.as_deref()),
            ("email", self.email.as_deref()),
            ("webhook", self.webhook.as_deref()),
            ("language", self.language.as_deref()),
            ("reason", self.reason.as_deref()),
        ];
        commitment(salt, &texts)
    }
}

/// A record and its place in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainedChange {
    /// The place in the history, from 1, without gaps.
    pub place: i64,
    /// The account, as stored beside the record for searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The principal whose grants have changed, as stored beside the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The number of the change, as stored beside the record.
    pub number: i64,
    /// The hash of this record and of all records before.
    pub hash: Hash256,
    /// The JSON text of the record as stored.
    pub record: String,
    /// The texts beside the record. Absent: grants have none, or the texts were erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<HistoryTexts>,
    /// The salt of the commitment to the texts. Absent as the texts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

/// `accounts.history.get.v1`: asks for records of the history, in the order of their places, in
/// pages. A grant for some branches permits the history of an account of these branches alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetHistory {
    /// Lists the records of this account only. Refused as `not_found` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Lists records after this place only; from the first record if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The maximal number of records, 1 to 500; 100 if absent. A page of long records has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// `accounts.history.found.v1`: a page of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryFound {
    /// The records of this page. Empty at the end.
    pub records: Vec<ChainedChange>,
    /// The number of records of the whole history, by its stored end.
    pub head_place: i64,
    /// The hash at the end.
    pub head_hash: Hash256,
}

const SUBJECT: &str = "history";

messages! {
    Query "accounts.history.get.v1" GetHistory, subject |_| SUBJECT.to_owned();
    Reply "accounts.history.found.v1" HistoryFound, subject |_| SUBJECT.to_owned();
}

impl Query for GetHistory {
    type Reply = HistoryFound;
}
