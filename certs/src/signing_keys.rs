//! The keys by which services sign the ends of their chains: `<service>.key` (Ed25519, PKCS #8) and
//! `<service>.pem` with its public key. Promise: a key that is there stays, unless it is replaced,
//! and a missing public file is made from it. The public keys before a new key stay in the file,
//! because they open what was signed before, and the new one is there before the new private key.

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

/// Makes the key of a service, unless there is one and `renewed` is false. The public key of a key
/// that is there is written if its file is missing. Returns whether a key was made.
///
/// # Errors
/// If a file cannot be read or written, or if the key that is there is none.
pub fn provide(folder: &Path, service: &str, renewed: bool) -> Result<bool, FolderError> {
    fs::create_dir_all(folder).map_err(|error| FolderError::File(folder.to_owned(), error))?;
    let [public, key] = files(folder, service);
    let is_there = |text: &String| !text.trim().is_empty();
    let (known, before) = (read(&key)?.filter(is_there), read(&public)?.filter(is_there));
    let before = match (&known, before) {
        (Some(known), None) => {
            let derived = KeyPair::from_pem(known).map_err(Unissued::from)?.public_key_pem();
            replace(&public, &derived)?;
            derived
        }
        (_, before) => before.unwrap_or_default(),
    };
    if !renewed && known.is_some() {
        return Ok(false);
    }
    let made = SigningKey::new()?;
    replace(&public, &format!("{}{before}", made.public_key))?;
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

    /// The private key is what a service signs by, and its witness knows.
    #[test]
    fn a_missing_public_file_is_made_from_the_key() {
        let folder = std::env::temp_dir().join(format!("signing-public-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let file = |name: &str| folder.join(name);
        let content = |name| fs::read_to_string(file(name)).expect(name);
        assert!(provide(&folder, "ledger", false).expect("it can be written"));
        let (key, public) = (content("ledger.key"), content("ledger.pem"));
        for lost in [None, Some("")] {
            match lost {
                None => fs::remove_file(file("ledger.pem")).expect("it is there"),
                Some(empty) => fs::write(file("ledger.pem"), empty).expect("a file"),
            }
            assert!(!provide(&folder, "ledger", false).expect("it can be derived"));
            assert_eq!(
                (content("ledger.key"), content("ledger.pem")),
                (key.clone(), public.clone())
            );
        }
        fs::remove_file(file("ledger.pem")).expect("it is there");
        assert!(provide(&folder, "ledger", true).expect("it can be written"));
        assert!(content("ledger.pem").ends_with(&public), "the key before opens older statements");
        // As `openssl genpkey -algorithm ed25519` writes it.
        let openssl = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n\
            -----END PRIVATE KEY-----\n";
        fs::write(file("accounts.key"), openssl).expect("a file");
        assert!(!provide(&folder, "accounts", false).expect("it can be derived"));
        assert!(content("accounts.pem").starts_with("-----BEGIN PUBLIC KEY-----"));
        fs::write(file("accounts.key"), "x").expect("a file");
        fs::remove_file(file("accounts.pem")).expect("it is there");
        assert!(provide(&folder, "accounts", false).is_err(), "no key is replaced unasked");
        assert_eq!(content("accounts.key"), "x");
        fs::remove_dir_all(&folder).expect("it is there");
    }
}
