//! Messages, and the sets of messages that one queue carries. Promise: the type of a message is
//! written in one place, beside its shape.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::wrong_field::WrongField;

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request to one service to change something; the service may refuse.
    Command,
    /// A request to one service for an answer; nothing changes.
    Query,
    /// The answer to a query.
    Reply,
    /// The announcement of a fact.
    Event,
}

/// The data of one published message version. Its name and its shape never change.
pub trait Message: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The CloudEvents type, ending in the version: `ledger.transfers.posted.v1`.
    const TYPE: &'static str;
    /// Command, query, reply or event.
    const KIND: Kind;

    /// The id of the aggregate that the message is about: CloudEvents' `subject`.
    fn subject(&self) -> String;

    /// The key of order: messages with the same key are handled in the order of publishing. The
    /// default is the subject; `None` for a message that needs no order.
    fn partition_key(&self) -> Option<String> {
        Some(self.subject())
    }
}

/// A query and the type of its answer.
pub trait Query: Message {
    /// The reply of a service that does not refuse.
    type Reply: Message;
}

/// The reason why data cannot be read as a message.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// The reader does not know this type, or not this version of the type.
    #[error("unknown message type or version {found:?}; known here: {}", known.join(", "))]
    UnknownType {
        /// The type of the message.
        found: String,
        /// The types that the reader of the queue knows.
        known: &'static [&'static str],
    },
    /// The type is known, and the data does not have its shape.
    #[error("field `{field}`: {rule}")]
    WrongShape {
        /// The path of the field, such as `transfers[3].money.amount`.
        field: String,
        /// The broken rule.
        rule: String,
    },
}

impl Undecodable {
    /// The fault, with its path from the envelope.
    #[must_use]
    pub fn wrong_field(&self) -> WrongField {
        match self {
            Self::UnknownType { .. } => WrongField::new("type", "is not known here"),
            Self::WrongShape { field, rule } if field == "." => WrongField::new("data", rule),
            Self::WrongShape { field, rule } => WrongField::new(format!("data.{field}"), rule),
        }
    }
}

/// Reads JSON. An error names the field and the rule. Ill-formed JSON is parsed twice, so that the
/// common case does not pay for the path.
pub(crate) fn read_json<'de, T: serde::Deserialize<'de>>(json: &'de str) -> Result<T, Undecodable> {
    serde_json::from_str(json).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let field = error.path().to_string();
            Undecodable::WrongShape { field, rule: error.into_inner().to_string() }
        })
    })
}

/// The messages that one queue may carry, as one enum. Made by
/// [`message_set!`](crate::message_set).
pub trait MessageSet: Clone + Send + Sync + 'static {
    /// All types that can be read, in the order of the enum.
    const TYPES: &'static [&'static str];

    /// Reads `data` (JSON) as the message that `kind` (CloudEvents' `type`) names.
    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable>;

    /// The canonical bytes of the message: object keys in the order of the type, amounts canonical,
    /// unknown fields left out. Equal content has equal bytes, in every notation.
    fn canonical(&self) -> Vec<u8>;
}

/// Defines an enum over messages and how a message is read into that enum.
///
/// ```
/// use shared_events::{accounts, message_set};
/// message_set! {
///     /// The events that this consumer follows.
///     pub enum Followed {
///         Opened(accounts::AccountOpened),
///         Closed(accounts::AccountClosed),
///     }
/// }
/// # use shared_events::MessageSet;
/// assert_eq!(Followed::TYPES[1], "accounts.account.closed.v1");
/// ```
#[macro_export]
macro_rules! message_set {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident($message:ty),)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        $visibility enum $name {
            $(
                $(#[$variant_doc])*
                #[doc = concat!("[`", stringify!($message), "`]")]
                $variant($message),
            )+
        }

        impl $crate::message::MessageSet for $name {
            const TYPES: &'static [&'static str] =
                &[$(<$message as $crate::message::Message>::TYPE,)+];

            fn decode(
                kind: &str,
                data: &str,
            ) -> Result<Self, $crate::message::Undecodable> {
                $(if kind == <$message as $crate::message::Message>::TYPE {
                    return $crate::message::read_data(data).map(Self::$variant);
                })+
                Err($crate::message::Undecodable::UnknownType {
                    found: kind.to_owned(),
                    known: Self::TYPES,
                })
            }

            fn canonical(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(message) => $crate::message::canonical_bytes(message),)+
                }
            }
        }

        $(impl From<$message> for $name {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })+
    };
}

#[doc(hidden)]
pub fn read_data<T: Message>(json: &str) -> Result<T, Undecodable> {
    read_json(json)
}

#[doc(hidden)]
pub fn canonical_bytes<T: Message>(message: &T) -> Vec<u8> {
    canonical_of(T::TYPE, message)
}

/// The canonical bytes of a message of this type.
pub(crate) fn canonical_of<T: Serialize>(kind: &str, message: &T) -> Vec<u8> {
    let mut bytes = kind.as_bytes().to_vec();
    serde_json::to_writer(&mut bytes, message).expect("a message's type writes plain JSON");
    bytes
}

/// Implements [`Message`](crate::message::Message) for each type, one line a message, as a table.
macro_rules! messages {
    ($($kind:ident $type:literal $message:ty, subject $subject:expr $(, key $key:expr)?;)+) => {$(
        impl $crate::message::Message for $message {
            const TYPE: &'static str = $type;
            const KIND: $crate::message::Kind = $crate::message::Kind::$kind;

            fn subject(&self) -> String {
                let subject: fn(&Self) -> String = $subject;
                subject(self)
            }

            $(fn partition_key(&self) -> Option<String> {
                let key: fn(&Self) -> Option<String> = $key;
                key(self)
            })?
        }
    )+};
}
pub(crate) use messages;
