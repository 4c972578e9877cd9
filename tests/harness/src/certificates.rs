//! The certificates of a run. Promise: servers and clients of the facts have one authority, which a
//! fact can ask for certificates of any user, host and span of time.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use bankwire_certs::{Authority, Identity, Usage};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority, and the folder of what it issues.
pub struct Certificates {
    authority: Authority,
    folder: PathBuf,
}

/// The files of a client. Another certificate in the same files is a rotation.
#[derive(Clone, Debug)]
pub struct ClientFiles {
    /// The certificates of the authority that it trusts.
    pub authority: PathBuf,
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Certificates {
    /// A new authority. `folder` is for its files.
    pub fn new(folder: &Path) -> Result<Self> {
        let folder = folder.join(format!("certificates-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&folder)?;
        let authority = Authority::new()?;
        std::fs::write(folder.join("authority.pem"), authority.identity().certificate)?;
        Ok(Self { authority, folder })
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> Vec<u8> {
        self.authority.identity().certificate.into_bytes()
    }

    /// A certificate of a server with these host names.
    pub fn server(&self, hosts: &[&str]) -> Result<Identity> {
        Ok(self.authority.issue("server", Usage::Server(hosts))?)
    }

    /// The files of a client whose common name is `user`, valid for a day.
    pub fn client(&self, user: &str) -> Result<ClientFiles> {
        let now = SystemTime::now();
        self.client_for(user, now - DAY..now + DAY)
    }

    /// The files of a client whose common name is `user`, valid in this span.
    pub fn client_for(&self, user: &str, valid: Range<SystemTime>) -> Result<ClientFiles> {
        self.files(&self.authority.issue_for(user, Usage::Client, valid)?)
    }

    /// The files of one that shows this certificate.
    pub fn files(&self, identity: &Identity) -> Result<ClientFiles> {
        let file = |kind| self.folder.join(format!("{}.{kind}", Uuid::now_v7()));
        let files = ClientFiles {
            authority: self.folder.join("authority.pem"),
            certificate: file("pem"),
            key: file("key"),
        };
        files.write(identity)?;
        Ok(files)
    }

    /// Replaces a client's certificate and key by new ones, valid until `end`.
    pub fn renew(&self, files: &ClientFiles, user: &str, end: SystemTime) -> Result<()> {
        let valid = SystemTime::now() - DAY..end;
        files.write(&self.authority.issue_for(user, Usage::Client, valid)?)
    }
}

impl ClientFiles {
    fn write(&self, identity: &Identity) -> Result<()> {
        std::fs::write(&self.certificate, &identity.certificate)?;
        std::fs::write(&self.key, &identity.key).context("the key")
    }

    /// The parameters of an `amqps` URL.
    #[must_use]
    pub fn amqp_parameters(&self) -> String {
        let [authority, certificate, key] = self.paths();
        format!("cacertfile={authority}&certfile={certificate}&keyfile={key}")
    }

    /// The parameters of a database's URL.
    #[must_use]
    pub fn database_parameters(&self) -> String {
        let [authority, certificate, key] = self.paths();
        format!("sslmode=verify-full&sslrootcert={authority}&sslcert={certificate}&sslkey={key}")
    }

    fn paths(&self) -> [std::path::Display<'_>; 3] {
        [self.authority.display(), self.certificate.display(), self.key.display()]
    }
}
