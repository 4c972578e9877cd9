//! A server's address and the client's credentials, from a URL. Promise: brokers, databases and
//! mail servers are addressed in one notation; any password, name or IP address keeps its meaning;
//! a missing server is never guessed; an error never shows the password.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::secret::Secret;

/// A scheme and its default port.
pub type Scheme = (&'static str, u16);

/// A server's address and the client's credentials.
#[derive(Clone)]
pub struct Address {
    /// The scheme, one of the allowed schemes.
    pub scheme: &'static str,
    /// The user; empty if absent.
    pub user: String,
    /// The password, from the URL or given separately.
    pub password: Option<Secret>,
    /// A name, an IP address (IPv6 without brackets), or the folder of a socket (`/run/...`).
    pub host: String,
    /// The port; the default port of the scheme if absent.
    pub port: u16,
    /// The path after the host, without the slash; absent if there is no slash.
    pub path: Option<String>,
    /// The query parameters, in order.
    pub parameters: Vec<(String, String)>,
    /// The same as a URL without the password, for drivers that read a URL.
    pub url: Url,
}

/// The reason why a text is no address. The reason never shows the text, which may contain a
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is not a URL.
    #[error("is no URL such as {example}")]
    Url {
        /// A correct example.
        example: String,
        /// The reason.
        #[source]
        source: url::ParseError,
    },
    /// The URL has another scheme.
    #[error("must begin with {0}")]
    Scheme(String),
    /// The URL has no host. A default would be this machine, by accident.
    #[error("names no host")]
    NoHost,
    /// The host is impossible.
    #[error("names a host that is neither a name nor an IP address")]
    Host(#[source] url::ParseError),
    /// The URL has no user.
    #[error("names no user")]
    NoUser,
    /// The escapes do not decode to text.
    #[error("has escapes (%) in its {0} that make no UTF-8 text; a % itself is written %25")]
    Escapes(&'static str),
    /// The URL contains `#`, which ends a URL.
    #[error("has a # in it, which is written %23")]
    Fragment,
    /// The URL has one of two parameters that belong together.
    #[error("has the parameter {0:?} without {1:?}")]
    Incomplete(&'static str, &'static str),
    /// The URL has an unknown parameter.
    #[error("has the parameter {0:?}, which is not known here")]
    Parameter(String),
}

impl Address {
    /// Reads `text`. A separately given `password` is used as it is, with all escapes; a password
    /// in the URL is decoded.
    ///
    /// # Errors
    /// If the text is no URL with one of these schemes, or has no host.
    ///
    /// # Panics
    /// If no scheme is given.
    pub fn parse(
        text: &str,
        password: Option<Secret>,
        schemes: &[Scheme],
    ) -> Result<Self, AddressError> {
        let (first, first_port) = schemes.first().expect("there is a scheme to ask for");
        let example = || format!("{first}://user@host:{first_port}/name");
        let mut url =
            Url::parse(text).map_err(|source| AddressError::Url { example: example(), source })?;
        let known = schemes.iter().find(|(scheme, _)| *scheme == url.scheme());
        let Some((scheme, port)) = known else {
            let names: Vec<String> = schemes.iter().map(|(name, _)| format!("{name}://")).collect();
            return Err(AddressError::Scheme(names.join(" or ")));
        };
        if url.fragment().is_some() {
            return Err(AddressError::Fragment);
        }
        let in_url = url.password().map(|text| decoded("password", text)).transpose()?;
        let address = Self {
            scheme,
            user: decoded("user", url.username())?,
            password: password.or(in_url.map(Secret::from)),
            host: host(&url)?,
            port: url.port().unwrap_or(*port),
            path: url.path().strip_prefix('/').map(|text| decoded("path", text)).transpose()?,
            parameters: url.query_pairs().into_owned().collect(),
            // A URL with a host can be without a password.
            url: url.set_password(None).map(|()| url).map_err(|()| AddressError::NoHost)?,
        };
        Ok(address)
    }

    /// Reads the same, and allows only these parameters.
    ///
    /// # Errors
    /// If the URL has another parameter, which the error names.
    pub fn only_with(self, known: &[&str]) -> Result<Self, AddressError> {
        match self.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(AddressError::Parameter(name.clone())),
            None => Ok(self),
        }
    }
}

/// The host in the form that sockets take. A name in the URL may have escapes, or any alphabet.
fn host(url: &Url) -> Result<String, AddressError> {
    let name = match url.host().ok_or(AddressError::NoHost)? {
        Host::Ipv4(address) => return Ok(address.to_string()),
        Host::Ipv6(address) => return Ok(address.to_string()),
        Host::Domain("") => return Err(AddressError::NoHost),
        Host::Domain(name) => decoded("host", name)?,
    };
    if name.starts_with('/') {
        return Ok(name);
    }
    match Host::parse(&name).map_err(AddressError::Host)? {
        Host::Domain(name) => Ok(name),
        Host::Ipv4(address) => Ok(address.to_string()),
        Host::Ipv6(address) => Ok(address.to_string()),
    }
}

fn decoded(part: &'static str, text: &str) -> Result<String, AddressError> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| AddressError::Escapes(part))?.into_owned())
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const SCHEMES: [Scheme; 2] = [("amqp", 5672), ("amqps", 5671)];

    fn parse(text: &str) -> Result<Address, AddressError> {
        Address::parse(text, None, &SCHEMES)
    }

    #[test]
    fn any_address_is_taken_as_it_is_meant() {
        for (url, scheme, host, port) in [
            ("amqp://broker", "amqp", "broker", 5672),
            ("amqps://broker", "amqps", "broker", 5671),
            ("amqp://u:p@broker.example:1/x", "amqp", "broker.example", 1),
            ("amqp://accounts_db:5432/x", "amqp", "accounts_db", 5432),
            ("amqp://127.0.0.1:5673", "amqp", "127.0.0.1", 5673),
            ("amqp://[::1]:5672", "amqp", "::1", 5672),
            ("amqps://u@[2001:db8::7]/x", "amqps", "2001:db8::7", 5671),
            ("amqp://[::ffff:10.0.0.1]", "amqp", "::ffff:10.0.0.1", 5672),
            ("amqp://ho%61st", "amqp", "hoast", 5672),
            ("amqp://bücher.example", "amqp", "xn--bcher-kva.example", 5672),
            ("amqp://%2Frun%2Fpostgresql/x", "amqp", "/run/postgresql", 5672),
        ] {
            let address = parse(url).expect(url);
            let read = (address.scheme, address.host.as_str(), address.port);
            assert_eq!(read, (scheme, host, port), "{url}");
        }
    }

    #[test]
    fn any_password_is_taken_as_it_is_meant() {
        for (text, password) in [
            ("amqp://u:secret@h", Some("secret")),
            ("amqp://u:%25%2541%40%2F%3a%23%3F@h", Some("%%41@/:#?")),
            ("amqp://u:%C3%A1%F0%9F%98%80@h", Some("á😀")),
            ("amqp://u:á@h", Some("á")),
            ("amqp://u:@h", None),
            ("amqp://u@h", None),
        ] {
            let read = parse(text).expect(text).password.map(|password| password.read());
            let read = read.transpose().expect("no file is needed");
            assert_eq!(read.as_ref().map(ExposeSecret::expose_secret), password, "{text}");
        }
        for given in ["p%41ss", "%ff", "%", "a@b:c/d?e#f", "á😀 \"\\'$", " "] {
            let address = Address::parse("amqp://u:other@h", Some(given.into()), &SCHEMES);
            let password = address.expect("an address").password.expect("a password");
            let password = password.read().expect("no file is needed");
            assert_eq!(password.expose_secret(), given, "what is given apart is not decoded");
        }
    }

    #[test]
    fn user_path_and_parameters_are_decoded() {
        let address = parse("amqp://us%40er@h/a%2fb/c?one=1%262&two=").expect("an address");
        assert_eq!((address.user.as_str(), address.path.as_deref()), ("us@er", Some("a/b/c")));
        let parameters = [("one", "1&2"), ("two", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(address.parameters, parameters);
        assert_eq!(parse("amqp://h").expect("an address").path, None);
        assert_eq!(parse("amqp://h/").expect("an address").path.as_deref(), Some(""));
    }

    #[test]
    fn nothing_is_guessed_and_the_password_is_not_shown() {
        for (url, error) in [
            ("amqp:///bank", "names no host"),
            ("amqp://", "names no host"),
            ("amqp:bank", "names no host"),
            ("amqp://u:hunter2@:5672/bank", "is no URL such as amqp://user@host:5672/name"),
            ("broker:5672", "must begin with amqp:// or amqps://"),
            ("http://u:hunter2@broker", "must begin with amqp:// or amqps://"),
            ("broker", "is no URL such as amqp://user@host:5672/name"),
            ("amqp://u:hunter2@[::1/bank", "is no URL such as amqp://user@host:5672/name"),
            ("amqp://u:hunter2@host:port", "is no URL such as amqp://user@host:5672/name"),
            ("amqp://u:hunter2%ff@host", "has escapes (%) in its password that make no UTF-8"),
            ("amqp://u:hunter2@host/x#y", "has a # in it, which is written %23"),
            ("amqp://u:hunter2@a%00b/x", "names a host that is neither a name nor an IP address"),
        ] {
            let found = parse(url).expect_err(url).to_string();
            assert!(found.starts_with(error) && !found.contains("hunter2"), "{url}: {found}");
        }
        let address = parse("amqp://u:hunter2@h/x?a=1").expect("an address");
        assert!(!format!("{address:?}").contains("hunter2"), "{address:?}");
        let unknown = address.clone().only_with(&["b"]).expect_err("a is not known");
        assert_eq!(unknown, AddressError::Parameter("a".to_owned()));
        assert!(address.only_with(&["a"]).is_ok());
    }
}
