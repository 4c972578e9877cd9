//! TLS to the broker, for `amqps`. Promise: the broker's certificate is verified, its host name
//! included, against the authority that the URL names, or else those that the system trusts
//! (`SSL_CERT_FILE` names others); TLS 1.2 is the oldest version. All files are read again for each
//! connection, so that a new certificate needs no restart.

use std::{
    fmt::Display,
    io::{self, Error, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use rustls_native_certs::load_native_certs;
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::address::{Address, AddressError};

/// The URL's parameters, as RabbitMQ names them.
pub(super) const PARAMETERS: [&str; 3] = [AUTHORITY, CERTIFICATE, KEY];
const AUTHORITY: &str = "cacertfile";
const CERTIFICATE: &str = "certfile";
const KEY: &str = "keyfile";

const READ_BYTES: usize = 64 * 1024;

/// The files of a connection, all PEM.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsFiles {
    authority: Option<PathBuf>,
    /// The client's certificate, which the broker verifies, and its key.
    identity: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// The files that the parameters of an address name. Without TLS they would do nothing, and
    /// seem to do something.
    pub(super) fn of(address: &Address) -> Result<Self, AddressError> {
        let file = |name| {
            let named = address.parameters.iter().find(|(found, _)| found == name);
            named.map(|(_, path)| PathBuf::from(path))
        };
        let files = match (file(CERTIFICATE), file(KEY)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(AddressError::Incomplete(CERTIFICATE, KEY)),
            (None, Some(_)) => return Err(AddressError::Incomplete(KEY, CERTIFICATE)),
        };
        match address.parameters.first() {
            Some((name, _)) if address.scheme != "amqps" => {
                Err(AddressError::Parameter(name.clone()))
            }
            _ => Ok(Self { authority: file(AUTHORITY), identity: files }),
        }
    }

    /// Whether the client has a certificate.
    pub(super) const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    fn configuration(&self) -> io::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_root_certificates(self.authorities()?);
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let private =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
                let builder = builder.with_client_auth_cert(chain, private);
                builder.map_err(|error| unusable(certificate, error))
            }
        }
    }

    fn authorities(&self) -> io::Result<RootCertStore> {
        let mut authorities = RootCertStore::empty();
        match &self.authority {
            None => {
                authorities.add_parsable_certificates(load_native_certs().certs);
            }
            Some(file) => {
                for certificate in certificates(file)? {
                    authorities.add(certificate).map_err(|error| unusable(file, error))?;
                }
            }
        }
        Ok(authorities)
    }
}

/// The certificates of a file, of which there has to be one.
fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unusable(file, error))?;
    let read: Result<Vec<_>, _> = read.collect();
    match read.map_err(|error| unusable(file, error))? {
        none if none.is_empty() => Err(unusable(file, "it has no certificate")),
        some => Ok(some),
    }
}

fn unusable(file: &Path, why: impl Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{} cannot be used: {why}", file.display()))
}

/// Encrypts a connection to the host of this name or address. The TLS library reads 4 KiB at a
/// time, which would be a system call for every few deliveries.
pub(super) async fn encrypt(
    host: &str,
    stream: TcpStream,
    files: &TlsFiles,
) -> io::Result<TlsStream<BufReader<TcpStream>>> {
    let server = ServerName::try_from(host.to_owned())
        .map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    let stream = BufReader::with_capacity(READ_BYTES, stream);
    TlsConnector::from(Arc::new(files.configuration()?)).connect(server, stream).await
}

#[cfg(test)]
mod tests;
