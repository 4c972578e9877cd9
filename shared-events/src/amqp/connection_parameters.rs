//! The broker's address and the login. Promise: the driver gets the configured values and no
//! others.

use async_rs::Runtime;
use futures_util::future::BoxFuture;
use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties,
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism},
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::{
    answer::{BusError, in_time},
    frame_repair::FRAME_BYTES_MAX,
    socket::{DriverRuntime, HEARTBEAT_SECONDS, SocketReactor},
    tls::{self, TlsFiles},
};
use crate::{
    address::{Address, AddressError, Scheme},
    secret::{DEVELOPMENT_SWITCH, Secret, SecretError, are_public_ones_permitted, public_password},
};

const SCHEMES: [Scheme; 2] = [("amqp", 5672), ("amqps", 5671)];
/// The virtual host of a URL that names none.
const DEFAULT_VHOST: &str = "/";

/// There is no login for the broker.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no password of {user}: set it, or for development {DEVELOPMENT_SWITCH}=1 (public)"
)]
pub struct NoPassword {
    user: String,
}

/// The broker's address and the login.
#[derive(Clone, Debug)]
pub struct ConnectionParameters {
    address: Address,
    tls: TlsFiles,
}

impl ConnectionParameters {
    /// A broker at `amqp://user@host:5672/bank` or `amqps://...`; for the latter the parameters
    /// `cacertfile`, `certfile` and `keyfile` name PEM files. A client with a certificate and
    /// without a password logs in by its certificate (SASL EXTERNAL). A separate `password` takes
    /// precedence over one in the URL, may have any characters, and may stand in a file, which is
    /// read again for each connection.
    ///
    /// # Errors
    /// When the URL has another form, or names no host or user.
    pub fn new(url: &str, password: Option<Secret>) -> Result<Self, AddressError> {
        let address = Address::parse(url, password, &SCHEMES)?.only_with(&tls::PARAMETERS)?;
        let tls = TlsFiles::of(&address)?;
        match address.user.as_str() {
            "" => Err(AddressError::NoUser),
            _ => Ok(Self { address, tls }),
        }
    }

    /// The same parameters. Without a login they get the public one of development, if the
    /// environment permits it.
    ///
    /// # Errors
    /// If there is neither.
    pub fn or_public_password(mut self) -> Result<Self, NoPassword> {
        if !self.has_login() {
            if !are_public_ones_permitted() {
                return Err(NoPassword { user: self.address.user });
            }
            self.address.password = Some(public_password(&self.address.user).into());
        }
        Ok(self)
    }

    /// The same parameters in another virtual host.
    #[must_use]
    pub fn in_vhost(mut self, name: &str) -> Self {
        self.address.path = Some(name.to_owned());
        self
    }

    /// Whether there is a password or a certificate.
    #[must_use]
    pub const fn has_login(&self) -> bool {
        self.address.password.is_some() || self.tls.has_identity()
    }

    /// The user of the login.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.address.user
    }

    /// Opens an unsupervised connection, under a name that the management UI shows.
    ///
    /// # Errors
    /// When the broker refuses the connection, or does not answer in time.
    pub fn connect<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Connection, BusError>> {
        Box::pin(self.open(name, CancellationToken::new()))
    }

    /// Opens a connection that ends when `given_up` is cancelled, without the broker's help.
    pub(crate) async fn open(
        &self,
        name: &str,
        given_up: CancellationToken,
    ) -> Result<Connection, BusError> {
        let uri = self.uri()?;
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let sockets = SocketReactor::new(given_up, self.tls.clone());
        let runtime = Runtime::new(sockets.runtime());
        let connect = async move |uri: AMQPUri, _: Runtime<DriverRuntime>| {
            Ok(AsyncTcpStream::Plain(sockets.open(&uri).await?))
        };
        in_time("connecting", async {
            Ok(Connection::connector(uri, runtime, connect, properties).await?)
        })
        .await
    }

    fn uri(&self) -> Result<AMQPUri, SecretError> {
        let address = &self.address;
        let password = address.password.as_ref().map(Secret::read).transpose()?;
        let is_certified = password.is_none() && self.tls.has_identity();
        let password = password.as_ref().map(ExposeSecret::expose_secret);
        let userinfo = AMQPUserInfo {
            username: address.user.clone(),
            password: password.unwrap_or_default().to_owned(),
        };
        Ok(AMQPUri {
            scheme: if address.scheme == "amqps" { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority { userinfo, host: address.host.clone(), port: address.port },
            vhost: address.path.clone().unwrap_or_else(|| DEFAULT_VHOST.to_owned()),
            query: AMQPQueryString {
                frame_max: Some(FRAME_BYTES_MAX),
                heartbeat: Some(HEARTBEAT_SECONDS),
                auth_mechanism: is_certified.then_some(SASLMechanism::External),
                ..AMQPQueryString::default()
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::{super::answer::ANSWER_TIMEOUT, *};

    fn uri(url: &str, password: Option<&str>) -> AMQPUri {
        ConnectionParameters::new(url, password.map(Into::into))
            .expect(url)
            .uri()
            .expect("the password is readable")
    }

    #[test]
    fn the_driver_gets_the_configured_values() {
        for (url, host, port, vhost) in [
            ("amqp://u@broker/bank", "broker", 5672, "bank"),
            ("amqp://u@[::1]:5673/bank", "::1", 5673, "bank"),
            ("amqps://u@[2001:db8::1]", "2001:db8::1", 5671, "/"),
            ("amqp://u@10.0.0.1/%2f", "10.0.0.1", 5672, "/"),
            ("amqp://u@h/", "h", 5672, ""),
        ] {
            let uri = uri(url, None);
            assert_eq!((uri.authority.host.as_str(), uri.authority.port), (host, port), "{url}");
            assert_eq!(uri.vhost, vhost, "{url}");
            assert_eq!(uri.query.heartbeat, Some(HEARTBEAT_SECONDS));
        }
        let password = |url, given| uri(url, given).authority.userinfo.password;
        assert_eq!(password("amqp://u@h", Some("p%41%ff@/ #")), "p%41%ff@/ #");
        assert_eq!(password("amqp://u:p%2541@h", None), "p%41");
        assert_eq!(password("amqp://u@h", None), "");
    }

    #[test]
    fn a_password_in_a_file_is_read_for_each_connection() {
        let file = std::env::temp_dir().join(format!("amqp-{}", uuid::Uuid::now_v7()));
        std::fs::write(&file, "first").expect("a file can be written");
        let amqp = ConnectionParameters::new("amqp://u@h", Some(Secret::File(file.clone())));
        let amqp = amqp.expect("an address");
        for password in ["first", "p%41 ss@:/?#ü"] {
            std::fs::write(&file, format!("{password}\n")).expect("a file can be written");
            assert_eq!(amqp.uri().expect("readable").authority.userinfo.password, password);
        }
        std::fs::remove_file(&file).expect("it is there");
        assert!(amqp.uri().is_err());
    }

    #[test]
    fn a_user_has_to_be_named_and_parameters_are_not_ignored() {
        for (url, error) in [
            ("amqp://broker/bank", "names no user"),
            ("amqp://u@broker/bank?heartbeat=60", "has the parameter \"heartbeat\""),
            ("amqps://u@broker/bank?verify=verify_none", "has the parameter \"verify\""),
            ("amqp://u@broker/bank?cacertfile=/x", "has the parameter \"cacertfile\""),
            ("amqps://u@b/bank?certfile=/x", "has the parameter \"certfile\" without \"keyfile\""),
            ("amqps://u@b/bank?keyfile=/x", "has the parameter \"keyfile\" without \"certfile\""),
        ] {
            let found = ConnectionParameters::new(url, None).expect_err(url).to_string();
            assert!(found.starts_with(error), "{found}");
        }
    }

    #[test]
    fn a_certificate_logs_in_where_there_is_no_password() {
        let mechanism = |password| {
            let url = "amqps://u@h/bank?cacertfile=/ca&certfile=/cert&keyfile=/key";
            uri(url, password).query.auth_mechanism
        };
        assert_eq!(mechanism(None), Some(SASLMechanism::External));
        assert_eq!(mechanism(Some("secret")), None);
        assert_eq!(uri("amqps://u@h/bank?cacertfile=/ca", None).query.auth_mechanism, None);
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up_and_its_connection_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (sender, accepted) = tokio::sync::oneshot::channel();
        let address = listener.local_addr().expect("the listener has an address");
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            let _ = sender.send(stream);
        });
        let amqp =
            ConnectionParameters::new(&format!("amqp://u@{address}"), None).expect("an address");
        let began = Instant::now();
        amqp.connect("test").await.expect_err("the server is silent");
        assert!(began.elapsed() < ANSWER_TIMEOUT, "{:?}", began.elapsed());
        // The thread that waited for the server has ended, too, and its socket with it.
        let (mut stream, mut said) = (accepted.await.expect("the client connected"), vec![]);
        let closed = tokio::time::timeout(ANSWER_TIMEOUT, stream.read_to_end(&mut said)).await;
        closed.expect("the client hangs up").expect("without a reset");
        assert_eq!(said, b"AMQP\0\0\x09\x01");
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("the listener has an address");
        drop(listener);
        let amqp =
            ConnectionParameters::new(&format!("amqp://u@{address}"), None).expect("an address");
        let error = amqp.connect("test").await.expect_err("nobody listens");
        let error = crate::envelope::chain(&error).to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
