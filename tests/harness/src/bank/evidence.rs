//! The keys by which services sign the ends of their chains. Promise: a fact's services sign each
//! second, by keys of their own.

use std::path::PathBuf;

use anyhow::Result;
use bankwire_certs::signing_keys;

use super::Bank;

/// The files of a service's signing key.
#[derive(Clone, Debug)]
pub struct SigningFiles {
    folder: PathBuf,
    service: String,
}

impl Bank {
    /// The instances of a service prepared from now on sign the ends of their chains.
    pub fn sign_chains(&self, service: &str) -> Result<SigningFiles> {
        let folder = self.0.folder.join("evidence");
        signing_keys::provide(&folder, service, false)?;
        let files = SigningFiles { folder, service: service.to_owned() };
        self.set(service, "BANKWIRE_EVIDENCE__KEY_FILE", files.key().display().to_string());
        self.set(service, "BANKWIRE_EVIDENCE__INTERVAL_SECONDS", "1");
        Ok(files)
    }
}

impl SigningFiles {
    /// The private key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join(format!("{}.key", self.service))
    }

    /// The public keys, the current one first.
    #[must_use]
    pub fn public(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.service))
    }

    /// Replaces the key. The public keys before it stay.
    pub fn renew(&self) -> Result<()> {
        signing_keys::provide(&self.folder, &self.service, true)?;
        Ok(())
    }

    /// `ledger=<public keys>`, as `teller` takes it.
    #[must_use]
    pub fn option(&self) -> String {
        format!("{}={}", self.service, self.public().display())
    }
}
