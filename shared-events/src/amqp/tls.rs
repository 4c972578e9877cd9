//! TLS to the broker, for `amqps`. Promise: the broker's certificate is verified, its host name
//! included, against the authorities that the system trusts or that `SSL_CERT_FILE` names.

use std::{
    io::{self, Error, ErrorKind},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Encrypts a connection to the host of this name or address. The trusted authorities are read
/// anew for each connection.
pub(super) async fn encrypt(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let server = ServerName::try_from(host.to_owned())
        .map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(load_native_certs().certs);
    let configuration = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(configuration)).connect(server, stream).await
}
