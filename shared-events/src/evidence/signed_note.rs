//! Signed notes, as <https://c2sp.org/signed-note> defines them: a text, an empty line, and a line
//! for each signature. Promise: a note that a key opens has a signature of that key over every byte
//! of its text; of a note with a wrong signature of a known key nothing is believed.
//!
//! ```text
//! ledger/chains
//! ...
//!
//! — ledger/chains <base64 of 4 bytes of key id and 64 bytes of Ed25519 signature>
//! ```
//! The key id is the beginning of SHA-256 over the name, `0x0A`, `0x01` and the public key.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

/// The longest note that is read.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Notes with more signatures are refused: each of them is looked at.
const SIGNATURES_MAX: usize = 16;
/// Before each signature: an em dash and a space.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// The number of Ed25519 among the algorithms of signed notes.
const ED25519_ALGORITHM: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const PUBLIC_KEY_BYTES: usize = 32;
/// The DER of an Ed25519 public key up to its bytes (RFC 8410).
const PUBLIC_KEY_BEGIN: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key that signs notes.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

/// A public key that opens notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey([u8; PUBLIC_KEY_BYTES]);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// No private key.
    #[error("it is no Ed25519 private key as PEM (PKCS #8, BEGIN PRIVATE KEY)")]
    Private,
    /// No public key.
    #[error("it is no Ed25519 public key as PEM (RFC 8410, BEGIN PUBLIC KEY)")]
    Public,
}

/// A note that is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// It is no note.
    #[error("it is no signed note")]
    Malformed,
    /// No signature is of a known key.
    #[error("it has no signature of a known key")]
    UnknownKey,
    /// A signature that names a known key is not of that key, or not of this text.
    #[error("its signature is wrong")]
    WrongSignature,
}

impl SigningKey {
    /// The key of a PEM file (PKCS #8, with or without the public key).
    ///
    /// # Errors
    /// If it is none.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| InvalidKey::Private)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        pair.map(Self).map_err(|_| InvalidKey::Private)
    }

    /// Its public key.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let bytes = self.0.public_key().as_ref().try_into();
        VerifyingKey(bytes.expect("an Ed25519 public key has 32 bytes"))
    }

    /// The note of a text, signed under the key's `name`. The text ends with a line break, and has
    /// no other control characters; the name has no spaces and no `+`.
    #[must_use]
    pub fn sign(&self, name: &str, text: &str) -> String {
        assert!(is_text(text) && is_name(name), "a text that cannot be a note: {name:?}");
        let signature = self.0.sign(text.as_bytes());
        let id = self.verifying_key().id(name);
        let signature = STANDARD.encode([&id[..], signature.as_ref()].concat());
        format!("{text}\n{SIGNATURE_MARK}{name} {signature}\n")
    }
}

impl VerifyingKey {
    /// The keys of a PEM file, which may have several.
    ///
    /// # Errors
    /// If it has none, or another thing.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, InvalidKey> {
        let keys: Result<Vec<Self>, InvalidKey> =
            SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes())
                .map(|der| Self::of_der(&der.map_err(|_| InvalidKey::Public)?))
                .collect();
        keys.and_then(|keys| if keys.is_empty() { Err(InvalidKey::Public) } else { Ok(keys) })
    }

    fn of_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let bytes = der.strip_prefix(&PUBLIC_KEY_BEGIN).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidKey::Public)
    }

    /// The id of the key under a name.
    fn id(&self, name: &str) -> [u8; KEY_ID_BYTES] {
        let hasher = Sha256::new().chain_update(name).chain_update([b'\n', ED25519_ALGORITHM]);
        let hash = hasher.chain_update(self.0).finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(text.as_bytes(), signature).is_ok()
    }
}

/// The text of a note that one of `keys` has signed under `name`. Signatures of other keys are
/// disregarded.
///
/// # Errors
/// If the note has another form, no signature of these keys, or a wrong one.
pub fn open_note<'n>(
    note: &'n str,
    name: &str,
    keys: &[VerifyingKey],
) -> Result<&'n str, InvalidNote> {
    let (text, signatures) = split(note).ok_or(InvalidNote::Malformed)?;
    let mut is_known = false;
    for (signer, id, signature) in signatures {
        for key in keys.iter().filter(|key| signer == name && id == key.id(name)) {
            if !key.has_signed(text, &signature) {
                return Err(InvalidNote::WrongSignature);
            }
            is_known = true;
        }
    }
    if is_known { Ok(text) } else { Err(InvalidNote::UnknownKey) }
}

type Signature<'n> = (&'n str, [u8; KEY_ID_BYTES], Vec<u8>);

/// The text of a note, and its signatures.
fn split(note: &str) -> Option<(&str, Vec<Signature<'_>>)> {
    if note.len() > NOTE_BYTES_MAX {
        return None;
    }
    let (text, lines) = note.rsplit_once("\n\n")?;
    let (text, lines) = (note.get(..=text.len())?, lines.strip_suffix('\n')?);
    let signatures: Option<Vec<Signature<'_>>> = lines.split('\n').map(signature).collect();
    let signatures = signatures.filter(|signatures| signatures.len() <= SIGNATURES_MAX)?;
    is_text(text).then_some((text, signatures))
}

fn signature(line: &str) -> Option<Signature<'_>> {
    let (name, signature) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
    (is_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.chars().any(|c| c < ' ' && c != '\n')
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
}

impl fmt::Display for VerifyingKey {
    /// As PEM (RFC 8410).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let der = [&PUBLIC_KEY_BEGIN[..], &self.0].concat();
        let base64 = STANDARD.encode(der);
        write!(f, "-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
    }
}

#[cfg(test)]
mod tests;
