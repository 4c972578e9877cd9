//! The key that webhooks to one receiver are signed with. Promise: the key itself is never shown.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use shared_events::secret::{Secret, SecretError};

const PREFIX: &str = "whsec_";
/// The fewest and the most bytes of a key, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key that webhooks to one receiver are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SigningKey(Vec<u8>);

/// A text that is no key. The error does not show the text, which is a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be whsec_ and base64 of 24 to 64 bytes")]
pub(crate) struct InvalidKey;

/// A key of the bank cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BankKeyError {
    #[error("the key cannot be read")]
    Unreadable(#[from] SecretError),
    /// The text is not shown: it is a secret.
    #[error("the key {0}")]
    Invalid(#[from] InvalidKey),
}

impl SigningKey {
    /// Reads a secret as it is now; none where the text is empty.
    pub(crate) fn read(secret: &Secret) -> Result<Option<Self>, BankKeyError> {
        let text = secret.read()?;
        match text.expose_secret() {
            "" => Ok(None),
            text => Ok(Some(Self::try_new(text)?)),
        }
    }

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
