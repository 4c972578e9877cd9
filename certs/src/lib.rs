//! Certificates of a bank that has no authority of its own, and its signing keys. Promise: every
//! certificate is for one use: a server's proves its host names, a client's proves the name of its
//! user.
//!
//! ```text
//! lib           an authority, and what it issues
//! folder        the files of a bank: missing certificates are made, old ones are renewed
//! signing_keys  the keys by which services sign the ends of their chains
//! ```

pub mod folder;
pub mod signing_keys;

use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// The name of every authority that this crate makes.
const AUTHORITY_NAME: &str = "Bankwire authority";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks of a network may differ.
const BACKDATED: Duration = Duration::from_secs(60 * 60);
const AUTHORITY_DAYS: u32 = 3_650;
/// Browsers refuse certificates that are valid for longer.
const CERTIFICATE_DAYS: u32 = 397;

/// A certificate with its key, both as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

/// A certificate cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("a certificate cannot be made")]
pub struct Unissued(#[from] rcgen::Error);

/// An authority that issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    key: String,
}

/// The use of a certificate.
#[derive(Clone, Copy, Debug)]
pub enum Usage<'a> {
    /// A server with these names and addresses, which clients verify.
    Server(&'a [&'a str]),
    /// A client, whose common name is its user.
    Client,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new() -> Result<Self, Unissued> {
        let key = KeyPair::generate()?;
        let text = key.serialize_pem();
        let certificate = parameters()?.self_signed(&key)?.pem();
        Self::restore(certificate, text)
    }

    /// The authority of an earlier call, from its certificate and key.
    ///
    /// # Errors
    /// If the key is none.
    pub fn restore(certificate: String, key: String) -> Result<Self, Unissued> {
        let issuer = Issuer::new(parameters()?, KeyPair::from_pem(&key)?);
        Ok(Self { issuer, certificate, key })
    }

    /// Its certificate, by which others verify what it issued, and its key, as PEM.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { certificate: self.certificate.clone(), key: self.key.clone() }
    }

    /// Issues a certificate that is valid from now on.
    ///
    /// # Errors
    /// If a name of the server cannot be one.
    pub fn issue(&self, name: &str, usage: Usage<'_>) -> Result<Identity, Unissued> {
        self.issue_for(name, usage, valid_for(CERTIFICATE_DAYS))
    }

    /// Issues a certificate that is valid in this span.
    ///
    /// # Errors
    /// If a name of the server cannot be one.
    pub fn issue_for(
        &self,
        name: &str,
        usage: Usage<'_>,
        valid: Range<SystemTime>,
    ) -> Result<Identity, Unissued> {
        let (names, purpose) = match usage {
            Usage::Server(names) => (names, ExtendedKeyUsagePurpose::ServerAuth),
            Usage::Client => (&[][..], ExtendedKeyUsagePurpose::ClientAuth),
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut certificate = CertificateParams::new(names)?;
        certificate.distinguished_name.push(DnType::CommonName, name);
        certificate.use_authority_key_identifier_extension = true;
        certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        certificate.extended_key_usages = vec![purpose];
        (certificate.not_before, certificate.not_after) = (valid.start.into(), valid.end.into());
        let key = KeyPair::generate()?;
        let certificate = certificate.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}

/// A span of days that begins now.
fn valid_for(days: u32) -> Range<SystemTime> {
    let now = SystemTime::now();
    now - BACKDATED..now + DAY * days
}

fn parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut authority = CertificateParams::new(vec![])?;
    authority.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let valid = valid_for(AUTHORITY_DAYS);
    (authority.not_before, authority.not_after) = (valid.start.into(), valid.end.into());
    Ok(authority)
}
