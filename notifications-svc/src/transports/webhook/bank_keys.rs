//! The bank's own keys. Promise: a key that stands in a file is read again for each webhook, so
//! that a new one needs no restart; the key before signs, too, while receivers learn the new one.

use shared_events::secret::Secret;

use crate::recipients::{BankKeyError, InvalidKey, SigningKey};

/// Where the bank's keys stand.
pub(super) struct BankKeys {
    pub(super) current: Secret,
    pub(super) before: Option<Secret>,
}

impl BankKeys {
    /// The keys as they are now: the current one, then the one before.
    pub(super) fn read(&self) -> Result<Vec<SigningKey>, BankKeyError> {
        let before = self.before.as_ref().map(SigningKey::read).transpose()?.flatten();
        let current = SigningKey::read(&self.current)?.ok_or(InvalidKey)?;
        Ok(std::iter::once(current).chain(before).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn a_file_with_a_new_key_is_heeded_at_once() {
        let file = std::env::temp_dir().join(format!("key-{}", uuid::Uuid::now_v7()));
        let keys = BankKeys { current: Secret::File(file.clone()), before: Some(OLD.into()) };
        let key = |text| SigningKey::try_new(text).expect("a key");
        for current in [OLD, NEW] {
            std::fs::write(&file, format!("{current}\n")).expect("a file can be written");
            assert_eq!(keys.read().expect("two keys"), [key(current), key(OLD)]);
        }
        std::fs::write(&file, "hunter2").expect("a file can be written");
        let error = keys.read().expect_err("no key").to_string();
        assert_eq!(error, "the key must be whsec_ and base64 of 24 to 64 bytes");
        std::fs::remove_file(&file).expect("it is there");
        assert!(matches!(keys.read(), Err(BankKeyError::Unreadable(_))));
        let none = BankKeys { current: NEW.into(), before: Some("".into()) };
        assert_eq!(none.read().expect("one key"), [key(NEW)]);
    }
}
