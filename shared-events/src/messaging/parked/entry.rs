//! A parked message as its service knows it. Promise: headers about parking and about the author
//! count only where this service has written them: from its own user, on `bank.parked`.
//!
//! Tests: `headers_count_from_the_service_itself_alone`,
//! `a_message_without_author_is_not_replayed`.

use chrono::{DateTime, Utc};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use sha2::{Digest, Sha256};

use crate::{
    amqp::{frame_repair::repaired_part, publish::text},
    code::Open,
    messaging::{
        republish::OriginalMessage,
        republish::{editor_header, principal_header},
    },
    parked::{NamedParked, NotReplayed, ParkedMessage, ParkedReason},
    topology::{PARKED, SUBSCRIPTIONS, Subscription},
};

/// The prefix that tells a fingerprint from an id.
const FINGERPRINT_PREFIX: &str = "fp-";
/// A fingerprint is the key of the record that its message has left the queue.
const FINGERPRINT_BYTES: usize = 16;

/// A parked message.
#[derive(Clone, Debug)]
pub(crate) struct ParkedEntry {
    pub(crate) fingerprint: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) content_type: String,
    pub(crate) principal: Option<String>,
    pub(crate) edited_by: Option<String>,
    reason: Open<ParkedReason>,
    detail: String,
    queue: String,
    at: Option<DateTime<Utc>>,
    by: String,
}

impl ParkedEntry {
    pub(crate) fn of(delivery: &Delivery, service: &str) -> Self {
        let properties = &delivery.properties;
        let is_own =
            delivery.exchange.as_str() == PARKED && text(properties.user_id().as_ref()) == service;
        let header = |name| header(properties, name).filter(|_| is_own);
        let reason = header("x-parked-reason").and_then(|reason| Open::parse(&reason).ok());
        let repaired =
            || repaired_part(delivery).map(|part| format!("its {part} is not UTF-8 text"));
        let at = header("x-parked-at").unwrap_or_default();
        let principal =
            principal_header(&delivery.properties).filter(|_| is_own).map(str::to_owned);
        let edited_by = editor_header(&delivery.properties).filter(|_| is_own).map(str::to_owned);
        let mut entry = Self {
            fingerprint: String::new(),
            id: text(properties.message_id().as_ref()).to_owned(),
            kind: text(properties.kind().as_ref()).to_owned(),
            content_type: text(properties.content_type().as_ref()).to_owned(),
            principal,
            edited_by,
            reason: reason.unwrap_or_else(|| ParkedReason::DeliveryLimit.into()),
            detail: header("x-parked-detail").or_else(repaired).unwrap_or_default(),
            queue: header("x-parked-queue").unwrap_or_default(),
            at: at.parse().ok(),
            by: header("x-parked-by").unwrap_or_default(),
        };
        entry.fingerprint = entry.fingerprint_with(&at, &delivery.data);
        entry
    }

    /// A hash of the message and of the place and time of its parking, the same at each listing.
    fn fingerprint_with(&self, at: &str, body: &[u8]) -> String {
        let Self { id, kind, reason, queue, .. } = self;
        let mut digest = Sha256::new();
        let texts = [id, kind, reason.as_str(), queue, at].map(str::as_bytes);
        for part in texts.into_iter().chain([body]) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let hex = digest.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}"));
        format!("{FINGERPRINT_PREFIX}{}", hex.collect::<String>())
    }

    /// Whether `name` is the message's fingerprint or id.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        match name.starts_with(FINGERPRINT_PREFIX) {
            true => self.fingerprint == name,
            false => self.id == name,
        }
    }

    /// Whether the message was parked before this instant; an unknown time is before any.
    pub(crate) fn is_before(&self, before: DateTime<Utc>) -> bool {
        self.at.is_none_or(|at| at < before)
    }

    pub(crate) fn shown(&self, delivery: &Delivery) -> ParkedMessage {
        let entry = self.clone();
        ParkedMessage {
            fingerprint: entry.fingerprint,
            id: entry.id,
            kind: entry.kind,
            principal: entry.principal,
            reason: entry.reason,
            detail: entry.detail,
            queue: entry.queue,
            at: entry.at,
            by: entry.by,
            bytes: u64::try_from(delivery.data.len()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn named(&self) -> NamedParked {
        NamedParked {
            fingerprint: self.fingerprint.clone(),
            id: self.id.clone(),
            kind: self.kind.clone(),
            principal: self.principal.clone(),
        }
    }

    /// The author of a message that goes back: only a message of a known author does, and only to a
    /// queue to which `service` returns messages.
    pub(crate) fn returnable(&self, service: &str) -> Result<&str, NotReplayed> {
        let author = self.principal.as_deref().ok_or(NotReplayed::NoAuthor)?;
        let own = SUBSCRIPTIONS.iter().filter(|subscription| subscription.service == service);
        let mut returning = own.filter(|subscription| !subscription.is_queries());
        let has = |own: &Subscription| own.queues().contains(&self.queue);
        if returning.any(has) { Ok(author) } else { Err(NotReplayed::NoQueue) }
    }

    /// The message as its queue delivered it, with this body.
    pub(crate) fn original(&self, properties: BasicProperties, body: Vec<u8>) -> OriginalMessage {
        let Self { queue, principal, edited_by, id, kind, content_type, .. } = self.clone();
        let author = principal;
        OriginalMessage { queue, author, edited_by, properties, id, kind, content_type, body }
    }
}

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref().map(FieldTable::inner)?.get(name)? {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{amqp::publish::set_header, topology::PRINCIPAL_HEADER};

    /// A parked message that says of itself that it is of acme's, and from a queue of accounts.
    fn parked(exchange: &str, user: &str, queue: &str) -> ParkedEntry {
        let mut headers = FieldTable::default();
        set_header(&mut headers, "x-parked-reason", "hopeless");
        set_header(&mut headers, "x-parked-detail", "detail");
        set_header(&mut headers, "x-parked-queue", queue);
        set_header(&mut headers, "x-parked-at", "2026-11-30T04:00:00+00:00");
        set_header(&mut headers, PRINCIPAL_HEADER, "acme");
        let body = b"body".to_vec();
        let mut delivery = Delivery::mock(1, exchange.into(), "accounts".into(), false, body);
        delivery.properties = BasicProperties::default()
            .with_message_id("id".into())
            .with_type("kind".into())
            .with_user_id(user.into())
            .with_headers(headers);
        ParkedEntry::of(&delivery, "accounts")
    }

    #[test]
    fn headers_count_from_the_service_itself_alone() {
        let own = parked(PARKED, "accounts", "accounts.commands");
        assert_eq!(
            (own.reason.as_str(), &*own.detail, &*own.queue),
            ("hopeless", "detail", "accounts.commands")
        );
        assert_eq!(own.principal.as_deref(), Some("acme"));
        for (exchange, user) in
            [(PARKED, "acme"), (PARKED, ""), ("bank.retry", "accounts"), ("", "accounts")]
        {
            let forged = parked(exchange, user, "accounts.commands");
            assert_eq!(
                (forged.reason.as_str(), &*forged.queue),
                ("delivery_limit", ""),
                "{exchange} {user}"
            );
            assert_eq!(forged.principal, None, "{exchange} {user}");
        }
    }

    #[test]
    fn a_message_without_author_is_not_replayed() {
        let own = parked(PARKED, "accounts", "accounts.commands");
        assert_eq!(own.returnable("accounts"), Ok("acme"));
        let original = own.original(BasicProperties::default(), b"other".to_vec());
        assert_eq!((original.author.as_deref(), &*original.kind), (Some("acme"), "kind"));
        assert_eq!(original.body, b"other");
        let anonymous = ParkedEntry { principal: None, ..own };
        assert_eq!(anonymous.returnable("accounts"), Err(NotReplayed::NoAuthor));
        for queue in ["", "ledger.commands.0", "accounts.queries", "accounts.commands.retry.5s"] {
            let lost = parked(PARKED, "accounts", queue);
            assert_eq!(lost.returnable("accounts"), Err(NotReplayed::NoQueue), "{queue}");
        }
    }

    #[test]
    fn a_message_is_called_by_its_id_or_its_fingerprint() {
        let entry = parked(PARKED, "accounts", "accounts.commands");
        assert!(entry.is_called("id") && entry.is_called(&entry.fingerprint));
        assert!(!entry.is_called("") && !entry.is_called("fp-"));
        assert_ne!(entry.fingerprint, parked(PARKED, "accounts", "accounts.events").fingerprint);
    }
}
