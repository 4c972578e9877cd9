//! CloudEvents 1.0 in structured mode. Promise: what one service wraps, every reader of the
//! specification can unwrap, one event or a batch of them.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use crate::cloud_events::{CONTENT_TYPE, CONTENT_TYPE_BATCH, Form, SpecVersion};
use crate::{
    envelope_check::wrong_fields,
    ids::{CorrelationId, MessageId},
    json_keys::repeated_key,
    message::{Message, MessageSet, Undecodable, read_json},
    wrong_field::WrongField,
};

/// The most events that one batch carries.
pub const BATCH_EVENTS_MAX: usize = 100;
/// The most bytes that one batch of several events has.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of any message: of commands, queries, events and replies. What is larger comes
/// from a stranger, and is parked unread.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How much of what a stranger wrote is quoted in a reason.
const QUOTED_BYTES_MAX: usize = 255;

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
    /// A property of the message, or its routing key, that is no text.
    #[error("its {part} is not UTF-8 text")]
    Property {
        /// What it is called.
        part: &'static str,
    },
    /// Neither of the two content types.
    #[error("content type {found:?} is neither {CONTENT_TYPE} nor {CONTENT_TYPE_BATCH}")]
    ContentType {
        /// What stood there.
        found: String,
    },
    /// A character set, or a compression, that nobody here reads.
    #[error("a body in {found:?}: only UTF-8 is read, not compressed")]
    Coded {
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
    #[error("not a CloudEvent: {}", listed(.0))]
    Envelope(Vec<WrongField>),
    /// An object in which a key stands twice: two readers would read two messages.
    #[error("the key {path} stands twice")]
    RepeatedKey {
        /// The way to the key, such as `data.transfers[3].money.amount`.
        path: String,
    },
    /// A batch of nothing.
    #[error("a batch without any event")]
    Empty,
}

impl Unreadable {
    /// Each thing that is missing or wrong, where it is one of the body.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<WrongField> {
        match self {
            Self::Envelope(wrong) => wrong.clone(),
            Self::RepeatedKey { path } => vec![WrongField::new(path, "stands twice")],
            Self::Property { .. }
            | Self::ContentType { .. }
            | Self::Coded { .. }
            | Self::Oversized { .. }
            | Self::Encoding
            | Self::Empty => vec![],
        }
    }
}

fn listed(wrong: &[WrongField]) -> String {
    wrong.iter().map(WrongField::to_string).collect::<Vec<_>>().join("; ")
}

/// What a content type says: in any case, and with parameters, as RFC 9110 has it. A character set
/// other than UTF-8 is not read.
pub fn form_of(content_type: &str) -> Result<Form, Unreadable> {
    let mut parts = content_type.split(';').map(str::trim);
    let form = match parts.next().map(str::to_ascii_lowercase).as_deref() {
        Some(CONTENT_TYPE) => Form::One,
        Some(CONTENT_TYPE_BATCH) => Form::Several,
        Some(_) | None => {
            return Err(Unreadable::ContentType { found: shortened(content_type) });
        }
    };
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let is_utf_8 = value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8");
        if name.trim_end().eq_ignore_ascii_case("charset") && !is_utf_8 {
            return Err(Unreadable::Coded { found: shortened(value) });
        }
    }
    Ok(form)
}

/// AMQP's `content_encoding`, where a client says more than it has to.
pub fn check_encoding(content_encoding: &str) -> Result<(), Unreadable> {
    match content_encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "utf-8" | "utf8" | "8bit" => Ok(()),
        _ => Err(Unreadable::Coded { found: shortened(content_encoding) }),
    }
}

/// What a stranger wrote, short enough to be quoted.
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(QUOTED_BYTES_MAX)].to_owned()
}

/// The text of a body. A byte order mark before it says nothing more (RFC 8259, 8.1).
pub fn text_of(body: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Splits the body of a message from others into its envelopes, if it is not too large and no key
/// stands twice in it.
pub fn read_message(content_type: &str, body: &[u8]) -> Result<Vec<RawEnvelope>, Unreadable> {
    if body.len() > MESSAGE_BYTES_MAX {
        return Err(Unreadable::Oversized { bytes: body.len() });
    }
    let (form, text) = (form_of(content_type)?, text_of(body)?);
    let envelopes = events_of(form, text)?;
    match repeated_key(text) {
        Some(path) => Err(Unreadable::RepeatedKey { path: shortened(&path) }),
        None => Ok(envelopes),
    }
}

/// Splits a body into its envelopes: one, or each of a batch.
pub fn read_envelopes(content_type: &str, body: &[u8]) -> Result<Vec<RawEnvelope>, Unreadable> {
    events_of(form_of(content_type)?, text_of(body)?)
}

fn events_of(form: Form, text: &str) -> Result<Vec<RawEnvelope>, Unreadable> {
    let envelopes: Result<Vec<RawEnvelope>, _> = match form {
        Form::One => serde_json::from_str(text).map(|one| vec![one]),
        Form::Several => serde_json::from_str(text),
    };
    match envelopes {
        Ok(none) if none.is_empty() => Err(Unreadable::Empty),
        Ok(envelopes) => Ok(envelopes),
        // Of what cannot be read, a key that stands twice is told before all else.
        Err(error) => Err(match repeated_in_json(text) {
            Some(path) => Unreadable::RepeatedKey { path: shortened(&path) },
            None => not_an_event(form, text, &error),
        }),
    }
}

fn repeated_in_json(text: &str) -> Option<String> {
    serde_json::from_str::<&RawValue>(text).ok().and_then(|json| repeated_key(json.get()))
}

fn not_an_event(form: Form, text: &str, error: &serde_json::Error) -> Unreadable {
    let mut wrong = wrong_fields(form, text);
    if wrong.is_empty() {
        wrong.push(WrongField::new("", error.to_string()));
    }
    Unreadable::Envelope(wrong)
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
