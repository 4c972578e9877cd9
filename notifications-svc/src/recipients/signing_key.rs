//! Signatures of webhooks, as Standard Webhooks 1.0 has them. Promise: a receiver with the key can
//! tell that a request is ours, new and unchanged; the key itself is never shown.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// The fewest and the most bytes of a key, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key that webhooks to one receiver are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SigningKey(Vec<u8>);

/// Text that is no key. Says nothing about the text, which is a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be whsec_ and base64 of 24 to 64 bytes")]
pub(crate) struct InvalidKey;

impl SigningKey {
    /// Reads `whsec_...`.
    pub(crate) fn try_new(secret: &str) -> Result<Self, InvalidKey> {
        let encoded = secret.strip_prefix(PREFIX).ok_or(InvalidKey)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidKey)?;
        Self::try_from_bytes(bytes)
    }

    pub(crate) fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, InvalidKey> {
        match KEY_BYTES.contains(&bytes.len()) {
            true => Ok(Self(bytes)),
            false => Err(InvalidKey),
        }
    }

    /// The key itself, for a database column.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// One signature of the header `webhook-signature`. `timestamp` is in seconds since 1970, of
    /// the attempt.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        let signed = mac.chain_update(format!("{id}.{timestamp}.{body}")).finalize();
        format!("v1,{}", STANDARD.encode(signed.into_bytes()))
    }
}

/// The header `webhook-signature`: one signature of each key, so that a receiver with any of them
/// can tell. A key that comes twice signs once.
pub(crate) fn signatures(keys: &[&SigningKey], id: &str, timestamp: i64, body: &str) -> String {
    let mut signatures: Vec<String> = Vec::with_capacity(keys.len());
    for key in keys {
        let signature = key.sign(id, timestamp, body);
        if !signatures.contains(&signature) {
            signatures.push(signature);
        }
    }
    signatures.join(" ")
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn signatures_are_those_of_the_specification() {
        let key = SigningKey::try_new(PUBLISHED).expect("a published secret");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = key.sign(id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs_once() {
        let key = |byte| SigningKey::try_from_bytes(vec![byte; 24]).expect("24 bytes");
        let (new, old) = (key(1), key(2));
        let header = signatures(&[&new, &old, &new], "msg", 1, "{}");
        assert_eq!(header, format!("{} {}", new.sign("msg", 1, "{}"), old.sign("msg", 1, "{}")));
    }

    #[test]
    fn a_key_has_24_to_64_bytes_after_its_prefix() {
        let secret = |bytes| format!("whsec_{}", STANDARD.encode(vec![7_u8; bytes]));
        for (given, then) in [
            (PUBLISHED.to_owned(), true),
            (secret(24), true),
            (secret(64), true),
            (secret(23), false),
            (secret(65), false),
            (STANDARD.encode([7_u8; 32]), false),
            ("whsec_".to_owned(), false),
            ("whsec_not base64 at all, but long enough".to_owned(), false),
        ] {
            assert_eq!(SigningKey::try_new(&given).is_ok(), then, "{given}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = SigningKey::try_new(PUBLISHED).expect("a published secret");
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }
}
