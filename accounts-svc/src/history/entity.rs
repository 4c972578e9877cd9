//! A change and its cause, and the records of a batch. Promise: the records follow from the
//! end of the chain, the instant, the salts and the changes alone.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use shared_events::{
    AccountId, MessageId,
    evidence::{Authorship, Hash256, Salt},
};

use super::record_v1::{
    AccountV1, AuthorV1, ChangeV1, GrantsV1, RecordV1, RefusalV1, StateV1, TextsV1,
};

/// The principal of the service's own work.
const OWN_WORK: &str = "accounts";

/// The cause of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) author: Authorship,
    /// The command. `None`: no command has caused it.
    pub(crate) command_id: Option<MessageId>,
}

impl Cause {
    /// The service itself: what the bank's files say.
    pub(crate) fn own() -> Self {
        Self { author: Authorship::of(OWN_WORK), command_id: None }
    }
}

/// A change to record.
#[derive(Clone, Debug)]
pub(crate) enum Change<'a> {
    Account(Box<ChangedAccount<'a>>),
    Grants(ChangedGrants<'a>),
}

/// An account after a change.
#[derive(Clone, Debug)]
pub(crate) struct ChangedAccount<'a> {
    pub(crate) account_id: AccountId,
    /// The version of the account.
    pub(crate) number: i64,
    pub(crate) change: ChangeV1,
    pub(crate) state: StateV1<'a>,
    pub(crate) payout: Option<AccountId>,
    pub(crate) refusal: Option<RefusalV1<'a>>,
    /// The holder after the change, and the reason.
    pub(crate) texts: TextsV1<'a>,
}

/// The grants of a principal after a change.
#[derive(Clone, Debug)]
pub(crate) struct ChangedGrants<'a> {
    pub(crate) principal: &'a str,
    pub(crate) number: i64,
    pub(crate) grants: &'a RawValue,
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    /// The place of the last record; 0 if there is none.
    pub(crate) place: i64,
    /// Its hash; zeros if there is none.
    pub(crate) hash: Hash256,
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordedChange {
    pub(crate) place: i64,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) principal: Option<String>,
    pub(crate) number: i64,
    pub(crate) hash: Hash256,
    /// The JSON text of the record.
    pub(crate) record: String,
    /// The JSON text of the texts beside it.
    pub(crate) texts: Option<String>,
    pub(crate) salt: Option<Salt>,
}

impl ChainEnd {
    /// The records of these changes, each with a salt of its own, and in their order.
    pub(crate) fn records<'a>(
        mut self,
        at: DateTime<Utc>,
        changes: impl IntoIterator<Item = (&'a (&'a Cause, Change<'a>), Salt)>,
    ) -> Vec<RecordedChange> {
        let mut record = |((cause, change), salt): (&'a (&'a Cause, Change<'a>), Salt)| {
            let row = match change {
                Change::Account(changed) => account_row(at, cause, changed, salt),
                Change::Grants(changed) => grants_row(at, cause, changed),
            };
            self.place = self.place.saturating_add(1);
            self.hash = self.hash.of_next_text(&row.record);
            RecordedChange { place: self.place, hash: self.hash, ..row }
        };
        changes.into_iter().map(&mut record).collect()
    }
}

/// The row without its place in the chain.
fn account_row(
    at: DateTime<Utc>,
    cause: &Cause,
    changed: &ChangedAccount<'_>,
    salt: Salt,
) -> RecordedChange {
    let account = AccountV1 {
        account_id: changed.account_id,
        number: changed.number,
        change: changed.change,
        state: changed.state.clone(),
        payout: changed.payout,
        refusal: changed.refusal.clone(),
        texts: changed.texts.commitment(salt),
    };
    RecordedChange {
        place: 0,
        account_id: Some(changed.account_id),
        principal: None,
        number: changed.number,
        hash: Hash256::default(),
        record: record_of(at, cause, Some(account), None).to_text(),
        texts: Some(changed.texts.to_text()),
        salt: Some(salt),
    }
}

/// The row without its place in the chain. Grants have no personal data.
fn grants_row(at: DateTime<Utc>, cause: &Cause, changed: &ChangedGrants<'_>) -> RecordedChange {
    let (principal, number) = (changed.principal, changed.number);
    let grants = GrantsV1 {
        principal: Cow::Borrowed(principal),
        number,
        grants: Cow::Borrowed(changed.grants),
    };
    RecordedChange {
        place: 0,
        account_id: None,
        principal: Some(principal.to_owned()),
        number,
        hash: Hash256::default(),
        record: record_of(at, cause, None, Some(grants)).to_text(),
        texts: None,
        salt: None,
    }
}

fn record_of<'a>(
    at: DateTime<Utc>,
    cause: &'a Cause,
    account: Option<AccountV1<'a>>,
    grants: Option<GrantsV1<'a>>,
) -> RecordV1<'a> {
    let Authorship { principal, actor, edited_by, approved_by } = &cause.author;
    let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
    let author = AuthorV1 {
        principal: Cow::Borrowed(principal.as_str()),
        actor: text(actor),
        edited_by: text(edited_by),
        approved_by: text(approved_by),
    };
    RecordV1 { version: 1, author, command_id: cause.command_id, at, account, grants }
}
