//! CloudEvents 1.0 in structured mode. Promise: any reader of the specification can unwrap the
//! messages of a service, single events and batches.

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

/// The maximal number of events in one batch.
pub const BATCH_EVENTS_MAX: usize = 100;
/// The maximal number of bytes of a batch with more than one event.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// The maximal number of bytes of any message: command, query, event or reply. A larger body is
/// parked unread; no program of the bank sends one.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// The maximal number of quoted bytes of foreign text in a reason.
const QUOTED_BYTES_MAX: usize = 255;

/// A message in its CloudEvents envelope.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<D> {
    /// The version of CloudEvents, always `1.0`.
    pub specversion: SpecVersion,
    /// The id of the message. A second message with the same id is the same message.
    pub id: MessageId,
    /// The sender: `/accounts`, `/ledger`, `/notifications`, `/clients/<name>`.
    #[schemars(regex(pattern = "^/"))]
    pub source: String,
    /// The type of `data`, with its version at the end.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = r"^[a-z_]+(\.[a-z_]+)+\.v[0-9]+$"))]
    pub kind: String,
    /// The id of the aggregate that the message is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The time of the message; of an event, the time of the commit.
    pub time: DateTime<Utc>,
    /// The URN of the JSON Schema of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    pub dataschema: Option<String>,
    /// The id that a request shares with all messages that result from the request.
    pub correlationid: CorrelationId,
    /// The id of the message that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<MessageId>,
    /// The W3C Trace Context, for tracing across services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The person or system on whose behalf the message is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The data: the message itself.
    pub data: D,
}

impl<D: Message> Envelope<D> {
    /// Wraps the first message of a request: a command or a query. The caller chooses `id`, and so
    /// can send the same message again; `source` is `/clients/<name>`.
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

/// An envelope with unread data.
pub type RawEnvelope = Envelope<Box<RawValue>>;

impl RawEnvelope {
    /// Reads the data as a message of the set `M`. Returns the envelope if the data cannot be read.
    pub fn decode<M: MessageSet>(self) -> Result<Envelope<M>, (Undecodable, Box<Self>)> {
        match M::decode(&self.kind, self.data.get()) {
            Ok(message) => Ok(self.with(message)),
            Err(error) => Err((error, Box::new(self))),
        }
    }

    /// Reads the data as a message of type `D`, without regard to the type in the envelope.
    pub fn read<D: Message>(&self) -> Result<D, Undecodable> {
        read_json(self.data.get())
    }
}

/// A body or a property that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A property of the message, or its routing key, is not text.
    #[error("its {part} is not UTF-8 text")]
    Property {
        /// The name of the property.
        part: &'static str,
    },
    /// The content type is neither of the two.
    #[error("content type {found:?} is neither {CONTENT_TYPE} nor {CONTENT_TYPE_BATCH}")]
    ContentType {
        /// The value.
        found: String,
    },
    /// The character set or the compression is not supported.
    #[error("a body in {found:?}: only UTF-8 is read, not compressed")]
    Coded {
        /// The value.
        found: String,
    },
    /// The body is larger than [`MESSAGE_BYTES_MAX`].
    #[error("{bytes} bytes are more than the {MESSAGE_BYTES_MAX} a message may have")]
    Oversized {
        /// The size of the body.
        bytes: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8 text")]
    Encoding,
    /// The body is not JSON, or not a CloudEvent.
    #[error("not a CloudEvent: {}", listed(.0))]
    Envelope(Vec<WrongField>),
    /// An object has a key twice: two readers would read two messages.
    #[error("the key {path} stands twice")]
    RepeatedKey {
        /// The path of the key, such as `data.transfers[3].money.amount`.
        path: String,
    },
    /// The batch is empty.
    #[error("a batch without any event")]
    Empty,
}

impl Unreadable {
    /// Each missing or wrong part of the body, if the body is the reason.
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

/// The form of a body by its content type, in upper or lower case and with parameters, as in RFC
/// 9110. A character set other than UTF-8 is not supported.
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

/// Checks AMQP's `content_encoding`, an optional property.
pub fn check_encoding(content_encoding: &str) -> Result<(), Unreadable> {
    match content_encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "utf-8" | "utf8" | "8bit" => Ok(()),
        _ => Err(Unreadable::Coded { found: shortened(content_encoding) }),
    }
}

/// Foreign text, shortened to be quoted.
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(QUOTED_BYTES_MAX)].to_owned()
}

/// The text of a body. A byte order mark at the beginning is skipped (RFC 8259, 8.1).
pub fn text_of(body: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Splits the body of a foreign message into its envelopes. A body that is too large, or has a key
/// twice, is refused.
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
        // A repeated key is the first fault to name.
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

/// Prints an error and all its causes on one line, for the place where the error is handled.
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
