//! A commitment to text. Promise: with text and salt anybody can check it; once the salt is erased
//! nobody can find the text by trying, however short the text is.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::{Hash256, hash::bytes_of};

/// 16 random bytes, in JSON 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; 16]);

/// The commitment to these named texts: SHA-256 (FIPS 180-4) of the salt and of each text that is
/// there, in the order of `texts`. A text is its name's length, its name, its length and its UTF-8;
/// lengths are bytes, as 8 bytes with the most significant first.
#[must_use]
pub fn commitment(salt: Salt, texts: &[(&str, Option<&str>)]) -> Hash256 {
    let mut hasher = Sha256::new().chain_update(salt.0);
    for (name, text) in texts {
        let Some(text) = text else { continue };
        for part in [name, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    Hash256(hasher.finalize().into())
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        bytes_of(&text).map(Self).ok_or_else(|| de::Error::custom("not 32 hexadecimal digits"))
    }
}

impl JsonSchema for Salt {
    fn schema_name() -> Cow<'static, str> {
        "Salt".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "16 bytes, in hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-f]{32}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sets_of_texts_have_the_same_commitment() {
        let salt = Salt([7; 16]);
        let sets: [&[(&str, Option<&str>)]; 7] = [
            &[],
            &[("reference", Some(""))],
            &[("reference", Some("rent"))],
            &[("end_to_end_id", Some("rent"))],
            &[("reference", Some("ren")), ("end_to_end_id", Some("t"))],
            &[("reference", Some("rent")), ("end_to_end_id", Some(""))],
            &[("referencerent", Some(""))],
        ];
        let found: Vec<Hash256> = sets.iter().map(|set| commitment(salt, set)).collect();
        for (n, one) in found.iter().enumerate() {
            assert!(found[..n].iter().all(|other| other != one), "{:?}", sets[n]);
        }
        let absent: &[(&str, Option<&str>)] = &[("reference", None), ("end_to_end_id", None)];
        assert_eq!(commitment(salt, absent), found[0]);
        assert_ne!(commitment(Salt([8; 16]), sets[2]), found[2]);
    }

    /// By `sha256sum`, from the documented bytes.
    #[test]
    fn a_commitment_is_the_one_that_the_documentation_gives() {
        let salt = Salt(*b"0123456789abcdef");
        let found = commitment(salt, &[("reference", Some("rent")), ("end_to_end_id", None)]);
        let expected = "39577f915dfd2aad884d7bf63ebf2b6b427cb8ee8473bb73e62bedf6faa0b490";
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn a_salt_is_read_as_it_was_written() {
        let salt = Salt([0x0f; 16]);
        let json = serde_json::to_string(&salt).expect("text");
        assert_eq!(json, format!("\"{}\"", "0f".repeat(16)));
        assert_eq!(serde_json::from_str::<Salt>(&json).expect("a salt"), salt);
        for wrong in ["", "0f", &"0g".repeat(16), &"0f".repeat(17)] {
            assert!(serde_json::from_value::<Salt>(wrong.into()).is_err(), "{wrong}");
        }
    }
}
