//! A client that verifies its server. What a server verifies is the integration tests' matter.

use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).expect("no name");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("random numbers");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A server with a certificate for this name that ends then. Returns its port.
    async fn serve(&self, name: &str, ends: SystemTime) -> u16 {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        parameters.not_before = (ends - 10 * DAY).into();
        parameters.not_after = ends.into();
        let key = KeyPair::generate().expect("random numbers");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let configuration = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a pair");
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            let _ = acceptor.accept(stream).await;
        });
        port
    }
}

fn file(content: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tls-{}", uuid::Uuid::now_v7()));
    std::fs::write(&path, content).expect("a file can be written");
    path
}

async fn connect(host: &str, port: u16, authority: &Path) -> Result<(), String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    let files = TlsFiles { authority: Some(authority.to_owned()), identity: None };
    encrypt(host, stream, &files).await.map(|_| ()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn only_the_named_authority_host_and_span_of_time_are_trusted() {
    let (ours, others) = (Authority::new(), Authority::new());
    let (trusted, tomorrow) = (file(&ours.pem), SystemTime::now() + DAY);
    for (authority, name, ends, fault) in [
        (&ours, "broker", tomorrow, None),
        (&others, "broker", tomorrow, Some("BadSignature")),
        (&ours, "broker.example", tomorrow, Some("not valid for name \"broker\"")),
        (&ours, "broker", SystemTime::now() - DAY, Some("certificate expired")),
    ] {
        let port = authority.serve(name, ends).await;
        let connected = connect("broker", port, &trusted).await;
        match fault {
            None => connected.expect("all is well"),
            Some(fault) => {
                let error = connected.expect_err(fault);
                assert!(error.contains(fault), "{fault}: {error}");
            }
        }
    }
    // The file is read again for the next connection.
    std::fs::write(&trusted, &others.pem).expect("a file can be written");
    let port = others.serve("broker", tomorrow).await;
    connect("broker", port, &trusted).await.expect("the other authority is trusted now");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    for (content, fault) in [("no PEM", "it has no certificate"), ("", "it has no certificate")] {
        let port = Authority::new().serve("broker", SystemTime::now() + DAY).await;
        let path = file(content);
        let error = connect("broker", port, &path).await.expect_err(fault);
        let then = format!("{} cannot be used: {fault}", path.display());
        assert!(error.contains(&then), "{error}");
    }
}
