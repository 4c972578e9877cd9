//! Messages that each service has under types of its own. Promise: their shape is written once; the
//! type of a message follows from the shape and the service.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::message::{Kind, Message, Query};

/// A service that owns messages.
pub trait Owner: fmt::Debug + Send + Sync + 'static {
    /// The service's name.
    const NAME: &'static str;
    /// The service's place in `topology::SERVICES`.
    const PLACE: usize;
}

/// The accounts service.
#[derive(Debug)]
pub enum Accounts {}
/// The ledger.
#[derive(Debug)]
pub enum Ledger {}
/// The notifications service.
#[derive(Debug)]
pub enum Notifications {}

impl Owner for Accounts {
    const NAME: &'static str = "accounts";
    const PLACE: usize = 0;
}
impl Owner for Ledger {
    const NAME: &'static str = "ledger";
    const PLACE: usize = 1;
}
impl Owner for Notifications {
    const NAME: &'static str = "notifications";
    const PLACE: usize = 2;
}

/// The shape of a message that each service has under a type of its own.
pub trait Shape: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The types, in the order of `topology::SERVICES`.
    const TYPES: [&'static str; 3];
    /// Command, query, reply or event.
    const KIND: Kind;
    /// What the messages are about: the subject of their events.
    const SUBJECT: &'static str;
}

/// The shape of a query.
pub trait Asks: Shape {
    /// The shape of the answer.
    type Answer: Shape;
}

/// The message of shape `T` of the service `S`.
#[derive(Debug)]
pub struct Of<S, T> {
    data: T,
    service: PhantomData<fn() -> S>,
}

impl<S, T> Of<S, T> {
    /// The message with this content.
    #[must_use]
    pub const fn new(data: T) -> Self {
        Self { data, service: PhantomData }
    }

    /// The content.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.data
    }
}

impl<S, T: Clone> Clone for Of<S, T> {
    fn clone(&self) -> Self {
        Self::new(self.data.clone())
    }
}

impl<S, T> Deref for Of<S, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<S, T: Serialize> Serialize for Of<S, T> {
    fn serialize<W: serde::Serializer>(&self, writer: W) -> Result<W::Ok, W::Error> {
        self.data.serialize(writer)
    }
}

impl<'de, S, T: Deserialize<'de>> Deserialize<'de> for Of<S, T> {
    fn deserialize<R: serde::Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        T::deserialize(reader).map(Self::new)
    }
}

impl<S: Owner, T: Shape> JsonSchema for Of<S, T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::TYPES[S::PLACE].into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace("<service>", S::NAME);
        }
        schema
    }
}

impl<S: Owner, T: Shape> Message for Of<S, T> {
    const TYPE: &'static str = T::TYPES[S::PLACE];
    const KIND: Kind = T::KIND;

    fn subject(&self) -> String {
        T::SUBJECT.to_owned()
    }

    fn partition_key(&self) -> Option<String> {
        None
    }
}

impl<S: Owner, Q: Asks> Query for Of<S, Q> {
    type Reply = Of<S, Q::Answer>;
}

/// Declares the shapes of messages about one subject: kind, verb with version, type.
macro_rules! shapes {
    ($subject:literal: $($kind:ident $verb:literal $shape:ty;)+) => {$(
        impl $crate::owned::Shape for $shape {
            const TYPES: [&'static str; 3] = [
                concat!("accounts.", $subject, ".", $verb),
                concat!("ledger.", $subject, ".", $verb),
                concat!("notifications.", $subject, ".", $verb),
            ];
            const KIND: $crate::message::Kind = $crate::message::Kind::$kind;
            const SUBJECT: &'static str = $subject;
        }
    )+};
}
pub(crate) use shapes;

/// Declares a set of messages that each service has under types of its own: `MessageSet` for the
/// types of all services. The name of a variant is part of the stored digests of its messages.
#[cfg(feature = "service")]
macro_rules! owned_set {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($variant:ident($shape:ty) $tag:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $visibility enum $name {
            $($variant($shape),)+
        }

        impl $crate::message::MessageSet for $name {
            const TYPES: &'static [&'static str] =
                [$(<$shape as $crate::owned::Shape>::TYPES),+].as_flattened();

            fn decode(
                kind: &str,
                data: &str,
            ) -> Result<Self, $crate::message::Undecodable> {
                $(if <$shape as $crate::owned::Shape>::TYPES.contains(&kind) {
                    return $crate::message::read_json(data).map(Self::$variant);
                })+
                let (found, known) = (kind.to_owned(), Self::TYPES);
                Err($crate::message::Undecodable::UnknownType { found, known })
            }

            fn canonical(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(message) => {
                        $crate::message::canonical_of($tag, message)
                    })+
                }
            }
        }
    };
}
#[cfg(feature = "service")]
pub(crate) use owned_set;
