//! A query as it is recorded. Promise: an entry says who asked for what and what became of it, in
//! texts of bounded length; it contains no name, no text that was searched for and no part of an
//! answer but the id of its subject.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    access_log::AccessOutcome,
    accounts::AccountKey,
    catalogue,
    envelope::{Envelope, RawEnvelope},
    ids::{AccessEntryId, AccountId, MessageId, TransferId},
    ledger::Party,
    message::Message as _,
    messaging::handler::Event,
    refusal::{MessageRefused, RefusalCode},
    text::visible,
};

/// The maximal number of bytes of a client's text, before invisible characters are replaced.
const TEXT_BYTES_MAX: usize = 255;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) id: Uuid,
    pub(super) asked_at: DateTime<Utc>,
    pub(super) query: Option<Uuid>,
    pub(super) kind: String,
    pub(super) principal: String,
    pub(super) actor: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) outcome: String,
}

/// A query that the service has taken up, and that has no answer yet.
#[derive(Clone, Debug)]
pub(crate) struct AskedQuery {
    entry: AccessEntryId,
    query: Option<MessageId>,
    kind: String,
    principal: String,
    actor: Option<String>,
    subject: Option<String>,
}

impl AskedQuery {
    /// A query of this principal, as it came.
    pub(crate) fn of(query: &RawEnvelope, principal: &str) -> Self {
        Self::about(subject_of(query).as_deref(), query, principal)
    }

    /// A query of this principal about a known subject.
    pub(crate) fn about<D>(subject: Option<&str>, query: &Envelope<D>, principal: &str) -> Self {
        Self {
            query: Some(query.id),
            actor: query.actor.as_deref().map(line),
            subject: subject.map(line),
            ..Self::unread(&query.kind, None, principal)
        }
    }

    /// A query that was not read.
    pub(crate) fn unread(kind: &str, query: Option<MessageId>, principal: &str) -> Self {
        Self {
            entry: AccessEntryId::new(),
            query,
            kind: line(kind),
            principal: line(principal),
            actor: None,
            subject: None,
        }
    }

    /// The entry of the query, now that its outcome is known. An account that was named by its IBAN
    /// or its code is recorded by its id, where the answer has found it.
    pub(super) fn entry(self, outcome: String, answer: Option<&Event>) -> Entry {
        let found = answer.filter(|answer| Uuid::parse_str(&answer.subject).is_ok());
        Entry {
            id: self.entry.uuid(),
            asked_at: time_of(self.entry.uuid()),
            query: self.query.map(MessageId::uuid),
            kind: self.kind,
            principal: self.principal,
            actor: self.actor,
            subject: found.map(|answer| answer.subject.clone()).or(self.subject),
            outcome,
        }
    }
}

/// The time within an id that this process has made.
fn time_of(id: Uuid) -> DateTime<Utc> {
    let (seconds, nanoseconds) = id.get_timestamp().expect("a UUIDv7 has a time").to_unix();
    let seconds = i64::try_from(seconds).expect("its milliseconds have 48 bits");
    DateTime::from_timestamp(seconds, nanoseconds).expect("its milliseconds have 48 bits")
}

/// A client's text as one short line of visible characters.
fn line(text: &str) -> String {
    visible(&text[..text.floor_char_boundary(TEXT_BYTES_MAX)]).into_owned()
}

/// The outcome of a query, from its answer.
pub(super) fn code_of(answer: &Event) -> String {
    match refusal_in(answer) {
        Some(refusal) => refusal.code.as_str().to_owned(),
        None => AccessOutcome::Answered.as_str().to_owned(),
    }
}

/// Whether an answer says that the service cannot answer.
pub(super) fn is_unavailable(answer: &Event) -> bool {
    refusal_in(answer).is_some_and(|refusal| refusal.code == RefusalCode::Unavailable)
}

/// The refusal, if the answer is one.
fn refusal_in(answer: &Event) -> Option<MessageRefused> {
    let is_refusal = answer.kind == MessageRefused::TYPE;
    is_refusal.then(|| serde_json::from_str(answer.data.get()).ok()).flatten()
}

/// The fields of a service's own queries that name what is asked for.
#[derive(Deserialize)]
struct SubjectFields {
    account_id: Option<AccountId>,
    account: Option<Party>,
    key: Option<AccountKey>,
    transfer_id: Option<TransferId>,
}

/// What a query of a service's own asks for. Fields that its type does not have are left out
/// before: the service does not read them, and they would name what was not asked for.
fn subject_of(query: &RawEnvelope) -> Option<String> {
    let known = catalogue::find(&query.kind)?;
    subject_in(&known.recode(query.data.get()).ok()?)
}

/// The subject in the data of a query: an account before anything else. Ids, codes and IBANs alone:
/// an external reference is somebody's own text, and stays out.
fn subject_in(data: &str) -> Option<String> {
    let fields: SubjectFields = serde_json::from_str(data).ok()?;
    let key = |key: AccountKey| match key {
        AccountKey::AccountId(account) => Some(account.to_string()),
        AccountKey::Iban(iban) => Some(iban.to_string()),
        AccountKey::ExternalReference(_) => None,
    };
    let account = fields.account_id.map(|account| account.to_string());
    account
        .or_else(|| fields.account.map(|account| account.to_string()))
        .or_else(|| fields.key.and_then(key))
        .or_else(|| fields.transfer_id.map(|transfer| transfer.to_string()))
}

#[cfg(test)]
mod tests;
