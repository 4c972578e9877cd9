//! CloudEvents 1.0 in structured mode. Promise: what one service wraps, every reader of the
//! specification can unwrap, one event or a batch of them.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ids::{CorrelationId, MessageId},
    message::{Message, MessageSet, Undecodable, read_json},
};

/// The content type of one event.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// The content type of a JSON array of events.
pub const CONTENT_TYPE_BATCH: &str = "application/cloudevents-batch+json";
/// The most events that one batch carries.
pub const BATCH_EVENTS_MAX: usize = 100;
/// The most bytes that one batch of several events has.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of a message to a service. Larger ones are parked unread.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// A message with what CloudEvents says about it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<D> {
    /// Always `1.0`.
    pub specversion: SpecVersion,
    /// The message's id. The same id again is the same message again.
    pub id: MessageId,
    /// Who says it: `/accounts`, `/ledger`, `/notifications`, `/clients/<name>`.
    #[schemars(regex(pattern = "^/"))]
    pub source: String,
    /// The type of `data`, ending in its version.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = r"^[a-z_]+(\.[a-z_]+)+\.v[0-9]+$"))]
    pub kind: String,
    /// The id of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was made: for an event, when the change was committed.
    pub time: DateTime<Utc>,
    /// The URN of the JSON Schema of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    pub dataschema: Option<String>,
    /// Shared by all that one request led to.
    pub correlationid: CorrelationId,
    /// The id of the message that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<MessageId>,
    /// W3C Trace Context, for tracing across services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The person or system on whose behalf it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The message itself.
    pub data: D,
}

/// The one version of CloudEvents there is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum SpecVersion {
    /// `1.0`
    #[default]
    #[serde(rename = "1.0")]
    V1,
}

impl<D: Message> Envelope<D> {
    /// Wraps a message that starts something: a command or a query. `id` is the caller's, so that
    /// the same can be sent again; `source` is `/clients/<name>`.
    #[must_use]
    pub fn start(id: MessageId, source: String, time: DateTime<Utc>, data: D) -> Self {
        Self {
            specversion: SpecVersion::V1,
            id,
            source,
            kind: D::TYPE.to_owned(),
            subject: Some(data.subject()),
            time,
            dataschema: Some(schema_urn(D::TYPE)),
            correlationid: CorrelationId(id.0),
            causationid: None,
            traceparent: None,
            actor: None,
            data,
        }
    }

    /// The envelope as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope writes plain JSON")
    }
}

impl<D> Envelope<D> {
    /// The same envelope around other data.
    pub fn with<E>(self, data: E) -> Envelope<E> {
        Envelope {
            specversion: self.specversion,
            id: self.id,
            source: self.source,
            kind: self.kind,
            subject: self.subject,
            time: self.time,
            dataschema: self.dataschema,
            correlationid: self.correlationid,
            causationid: self.causationid,
            traceparent: self.traceparent,
            actor: self.actor,
            data,
        }
    }
}

/// An envelope whose data nobody has read yet.
pub type RawEnvelope = Envelope<Box<RawValue>>;

impl RawEnvelope {
    /// Reads the data as a message of `M`. Gives the envelope back where it cannot be read.
    pub fn decode<M: MessageSet>(self) -> Result<Envelope<M>, (Undecodable, Box<Self>)> {
        match M::decode(&self.kind, self.data.get()) {
            Ok(message) => Ok(self.with(message)),
            Err(error) => Err((error, Box::new(self))),
        }
    }

    /// Reads the data as a message of type `D`, whatever the envelope calls it.
    pub fn read<D: Message>(&self) -> Result<D, Undecodable> {
        read_json(self.data.get())
    }
}

/// Bytes that are not what their content type says.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Neither of the two content types.
    #[error("content type {found:?} is neither {CONTENT_TYPE} nor {CONTENT_TYPE_BATCH}")]
    ContentType {
        /// What stood there.
        found: String,
    },
    /// Larger than [`MESSAGE_BYTES_MAX`].
    #[error("{bytes} bytes are more than the {MESSAGE_BYTES_MAX} a message may have")]
    Oversized {
        /// The size of the body.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the body is not UTF-8 text")]
    Encoding,
    /// JSON that is no CloudEvent, or no JSON.
    #[error("not a CloudEvent")]
    Envelope(#[source] Undecodable),
    /// A batch of nothing.
    #[error("a batch without any event")]
    Empty,
}

/// Splits the body of a message from others into its envelopes, if it is not too large.
pub fn read_message(content_type: &str, body: &[u8]) -> Result<Vec<RawEnvelope>, Unreadable> {
    match body.len() {
        0..=MESSAGE_BYTES_MAX => read_envelopes(content_type, body),
        bytes => Err(Unreadable::Oversized { bytes }),
    }
}

/// Splits a body into its envelopes: one, or each of a batch. Replies come in any size: the outcome
/// of a thousand transfers is larger than the command.
pub fn read_envelopes(content_type: &str, body: &[u8]) -> Result<Vec<RawEnvelope>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    let envelopes: Result<Vec<RawEnvelope>, _> = match content_type {
        CONTENT_TYPE => read_json(text).map(|one| vec![one]),
        CONTENT_TYPE_BATCH => read_json(text),
        other => {
            return Err(Unreadable::ContentType { found: other.to_owned() });
        }
    };
    match envelopes.map_err(Unreadable::Envelope)? {
        none if none.is_empty() => Err(Unreadable::Empty),
        envelopes => Ok(envelopes),
    }
}

/// The name of the JSON Schema of a message type.
#[must_use]
pub fn schema_urn(kind: &str) -> String {
    format!("urn:bankwire:schema:{kind}")
}

/// Prints an error and every cause below it on one line. For the place where it is handled.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        write!(f, "{error}")?;
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    })
}
