//! Codes: the names of reasons, statuses, topics and channels. Promise: a reader that meets a code
//! of a later release keeps the code as the text that arrived, and reads on.
//!
//! A field of an event or a reply has the type [`Open<C>`]; its schema lists the codes of this
//! release and admits any other well-formed code. A field of a command or a query has the type `C`
//! itself: a service refuses a code that it cannot carry out.
//!
//! A choice is no code where its reader computes with it: the direction of an entry, the directions
//! that a freeze refuses, the terms of interest, the schedule of an order. A reader that went on
//! with an unknown one would move money by a rule that it does not know. A new alternative of these
//! is a new version of the message, and so is a new form of an outcome.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// The form of every code, as the schemas state the form.
const PATTERN: &str = "^[a-z][a-z0-9_]{0,63}$";
const CHARS_MAX: usize = 64;

/// A list of codes, as this release of the contract defines the list.
pub trait Code: Copy + Eq + fmt::Debug + JsonSchema + 'static {
    /// All codes of this release.
    const ALL: &'static [Self];

    /// The code in JSON and in databases.
    fn as_str(self) -> &'static str;

    /// The value that has this code. `None`: this release does not define the code.
    fn from_code(code: &str) -> Option<Self>;
}

/// A code of this release, or of a later one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Open<C> {
    /// A code that this release defines.
    Known(C),
    /// A code that a later release has added.
    Unknown(UnknownCode),
}

/// A well-formed code that this release does not define for the field. Only [`Open`] reads one, so
/// a known code never takes this form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownCode(Box<str>);

/// A text that has not the form of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code: 1 to 64 of a-z, 0-9 and _, a letter first")]
pub struct InvalidCode;

impl UnknownCode {
    /// The code as it arrived.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<C: Code> Open<C> {
    /// Reads a code. A code of a later release is kept.
    pub fn parse(code: &str) -> Result<Self, InvalidCode> {
        match C::from_code(code) {
            Some(known) => Ok(Self::Known(known)),
            None if is_code(code) => Ok(Self::Unknown(UnknownCode(code.into()))),
            None => Err(InvalidCode),
        }
    }

    /// The code in JSON and in databases.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Unknown(code) => code.as_str(),
        }
    }

    /// The value of the code, where this release defines the code.
    pub const fn known(&self) -> Option<C> {
        match self {
            Self::Known(known) => Some(*known),
            Self::Unknown(_) => None,
        }
    }
}

fn is_code(text: &str) -> bool {
    let is_rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= CHARS_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_rest)
}

impl<C: Code> From<C> for Open<C> {
    fn from(known: C) -> Self {
        Self::Known(known)
    }
}

impl<C: Code> PartialEq<C> for Open<C> {
    fn eq(&self, other: &C) -> bool {
        self.known() == Some(*other)
    }
}

impl<C: Code> fmt::Display for Open<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<C: Code> Serialize for Open<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, C: Code> Deserialize<'de> for Open<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&code).map_err(de::Error::custom)
    }
}

impl<C: Code> JsonSchema for Open<C> {
    fn schema_name() -> Cow<'static, str> {
        C::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Open<{}>", C::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = C::json_schema(generator);
        let Some(Value::Array(mut codes)) = schema.remove("oneOf") else {
            unreachable!("the schema of a list of codes has one alternative for each code");
        };
        let later = json_schema!({
            "description": "A code that a later release has added. A reader keeps the code as text \
                            and reads on.",
            "type": "string",
            "pattern": PATTERN
        });
        codes.push(later.to_value());
        schema.insert("anyOf".to_owned(), Value::Array(codes));
        schema
    }
}

/// Defines a list of codes once: as a type, as names, and as the list that tests walk through.
macro_rules! codes {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$code_doc:meta])* $variant:ident = $code:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize,
            serde::Deserialize, schemars::JsonSchema,
        )]
        $visibility enum $name {
            $($(#[$code_doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// All codes of this release, in the order of the definition.
            $visibility const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in JSON and in databases.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The value that has this code. `None`: this release does not define the code.
            #[must_use]
            $visibility fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::code::Code for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn from_code(code: &str) -> Option<Self> {
                Self::from_code(code)
            }
        }
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    codes! {
        /// Why a train is late.
        enum Delay {
            /// Snow lies on the line.
            Snow = "snow",
            /// A signal is out of order.
            SignalFault = "signal_fault",
        }
    }

    fn read(json: &str) -> Result<Open<Delay>, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_known_code_is_read_as_its_value_and_written_as_it_was() {
        for (json, value) in [("\"snow\"", Delay::Snow), ("\"signal_fault\"", Delay::SignalFault)] {
            let open = read(json).expect("a code");
            assert_eq!((&open, open.known()), (&Open::Known(value), Some(value)));
            assert_eq!(open, value);
            assert_eq!(serde_json::to_string(&open).expect("a code is JSON"), json);
        }
    }

    #[test]
    fn a_code_of_a_later_release_is_kept_and_written_as_it_was() {
        let open = read("\"le\\u0061ves_2\"").expect("a well-formed code");
        assert_eq!((open.as_str(), open.known()), ("leaves_2", None));
        assert!(open != Delay::Snow);
        assert_eq!(serde_json::to_string(&open).expect("a code is JSON"), "\"leaves_2\"");
    }

    #[test]
    fn a_text_that_is_no_code_is_refused() {
        let long = format!("\"{}\"", "a".repeat(CHARS_MAX + 1));
        let wrong = ["\"\"", "\"Snow\"", "\"2_low\"", "\"_x\"", "\"a b\"", "\"ä\"", "7", "null"];
        for json in wrong.into_iter().chain([long.as_str()]) {
            assert!(read(json).is_err(), "{json}");
        }
        assert!(read(&long.replacen('a', "", 1)).is_ok(), "64 characters are a code");
        let rule = read("\"Snow\"").expect_err("a capital letter");
        assert!(rule.starts_with("not a code: 1 to 64 of a-z"), "{rule}");
    }

    #[test]
    fn the_schema_lists_the_codes_and_admits_others() {
        let schema = schemars::schema_for!(Open<Delay>).to_value();
        assert_eq!(schema["title"], "Delay");
        assert_eq!(schema["description"], "Why a train is late.");
        let codes = schema["anyOf"].as_array().expect("alternatives");
        let snow = json!({
            "type": "string", "const": "snow", "description": "Snow lies on the line."
        });
        assert_eq!((codes.len(), &codes[0]), (3, &snow));
        assert_eq!(codes[2]["pattern"], PATTERN);
        assert!(codes[2].get("const").is_none() && schema.get("oneOf").is_none());
    }
}
