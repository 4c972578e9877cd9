//! Hashes of a chain.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// 32 bytes, in JSON 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hash256(pub [u8; 32]);

impl Hash256 {
    /// The hash of the next record, from the digest of its content and its JSON text as stored.
    #[must_use]
    pub fn of_next(self, digest: Self, record: &str) -> Self {
        let hasher = Sha256::new().chain_update(self.0).chain_update(digest.0);
        Self(hasher.chain_update(record).finalize().into())
    }

    /// The hash of the next record of a chain whose records are their JSON text alone.
    #[must_use]
    pub fn of_next_text(self, record: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(record).finalize().into())
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hash256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        bytes_of(&text).map(Self).ok_or_else(|| de::Error::custom("not 64 hexadecimal digits"))
    }
}

impl JsonSchema for Hash256 {
    fn schema_name() -> Cow<'static, str> {
        "Hash256".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "32 bytes, in hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$"
        })
    }
}

/// The bytes that these hexadecimal digits stand for. `None`: there are others, or too few or many.
pub(super) fn bytes_of<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let bytes = pairs.iter().map(|pair| {
        // The standard library takes a sign for a digit.
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair[0].is_ascii_hexdigit())?;
        u8::from_str_radix(digits, 16).ok()
    });
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_from_hexadecimal_digits_alone() {
        let hash = Hash256([0x0f; 32]);
        let json = serde_json::to_string(&hash).expect("text");
        assert_eq!(serde_json::from_str::<Hash256>(&json).expect("a hash"), hash);
        for wrong in ["", "0f", &"+f".repeat(32), &"0g".repeat(32), &"0f".repeat(33)] {
            assert!(serde_json::from_value::<Hash256>(wrong.into()).is_err(), "{wrong}");
        }
    }
}
