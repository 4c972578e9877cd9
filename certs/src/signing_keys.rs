//! The keys by which services sign the ends of their chains: `<service>.key` (Ed25519, PKCS #8) and
//! `<service>.pem` with its public key. Promise: a key that is there stays, unless it is replaced;
//! then the public keys before it stay in the file, because they open what was signed before, and
//! the new one is there before the new private key.

use std::{fs, path::Path};

use rcgen::{KeyPair, PKCS_ED25519};

use crate::{
    Unissued,
    folder::{FolderError, files, read, replace},
};

/// A key that signs, and its public key, both as PEM.
#[derive(Clone)]
pub struct SigningKey {
    /// The private key (PKCS #8).
    pub key: String,
    /// The public key (RFC 8410).
    pub public_key: String,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new() -> Result<Self, Unissued> {
        let pair = KeyPair::generate_for(&PKCS_ED25519)?;
        Ok(Self { key: pair.serialize_pem(), public_key: pair.public_key_pem() })
    }
}

/// Makes the key of a service, unless there is one and `renewed` is false. Returns whether it was
/// made.
///
/// # Errors
/// If a file cannot be read or written.
pub fn provide(folder: &Path, service: &str, renewed: bool) -> Result<bool, FolderError> {
    fs::create_dir_all(folder).map_err(|error| FolderError::File(folder.to_owned(), error))?;
    let [public, key] = files(folder, service);
    let before = read(&public)?;
    if !renewed && before.is_some() && key.exists() {
        return Ok(false);
    }
    let made = SigningKey::new()?;
    replace(&public, &format!("{}{}", made.public_key, before.unwrap_or_default()))?;
    replace(&key, &made.key)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_a_new_one_keeps_the_public_keys_before_it() {
        let folder = std::env::temp_dir().join(format!("signing-keys-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let content = |file| fs::read_to_string(folder.join(file)).expect(file);
        assert!(provide(&folder, "ledger", false).expect("it can be written"));
        let (key, public) = (content("ledger.key"), content("ledger.pem"));
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "{key}");
        assert!(!provide(&folder, "ledger", false).expect("it is there"));
        assert_eq!((content("ledger.key"), content("ledger.pem")), (key.clone(), public.clone()));
        assert!(provide(&folder, "ledger", true).expect("it can be written"));
        assert_ne!(content("ledger.key"), key);
        let both = content("ledger.pem");
        assert_eq!(both.matches("-----BEGIN PUBLIC KEY-----").count(), 2);
        assert!(both.ends_with(&public), "{both}");
        fs::remove_dir_all(&folder).expect("it is there");
    }
}
