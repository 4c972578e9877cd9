//! Keeps webhooks out of the bank's own network. Promise: a connection goes to an address that was
//! checked, never to one of a second look-up.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

use super::public_address::is_public;
use crate::named_receivers::NamedReceivers;

/// The host name of a webhook leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
struct NoPublicAddress;

/// The resolver of the HTTP client: returns public addresses only.
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// The port of HTTPS, and the port on which a server without the rights of root usually speaks it.
/// Another port of a public address would make the bank a scanner of other people's ports; on
/// these two nothing is sent before a server has proved the name of the URL by TLS.
const HTTPS_PORTS: [u16; 2] = [443, 8_443];

/// The receivers that may be called.
#[derive(Clone, Debug)]
pub(super) struct WebhookPolicy {
    /// Receivers that may have any address and port, and no TLS.
    pub(super) named: NamedReceivers,
    /// The ports of all other receivers.
    pub(super) ports: Vec<u16>,
}

impl WebhookPolicy {
    pub(super) fn new(named: NamedReceivers) -> Self {
        Self { named, ports: HTTPS_PORTS.to_vec() }
    }
}

/// A URL that may be called, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    /// By TLS, at a public address.
    Public(Url),
    /// As the bank names it, at any address.
    Named(Url),
}

/// A URL that is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ForbiddenUrl {
    #[error("the webhook is not an http or https URL")]
    NotHttp,
    #[error("the webhook's URL has a user or a password, which are not sent")]
    Credentials,
    #[error("the webhook is not an https URL")]
    NotHttps,
    #[error("the webhook's port is none that is called")]
    Port,
    #[error("the webhook's address is not public")]
    NotPublic,
}

/// Reads and checks the URL of a webhook. An address in the URL is checked here, because the
/// resolver never sees it.
pub(super) fn check_url(text: &str, policy: &WebhookPolicy) -> Result<Receiver, ForbiddenUrl> {
    let url = Url::parse(text).map_err(|_| ForbiddenUrl::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ForbiddenUrl::NotHttp);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ForbiddenUrl::Credentials);
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(ForbiddenUrl::NotHttp),
    };
    if policy.named.contain(&url) {
        return Ok(Receiver::Named(url));
    }
    if literal.is_some_and(|address| !is_public(address)) {
        return Err(ForbiddenUrl::NotPublic);
    }
    if url.scheme() != "https" {
        return Err(ForbiddenUrl::NotHttps);
    }
    match url.port_or_known_default().is_some_and(|port| policy.ports.contains(&port)) {
        true => Ok(Receiver::Public(url)),
        false => Err(ForbiddenUrl::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(named: &str) -> WebhookPolicy {
        WebhookPolicy::new(NamedReceivers::parse(named).expect("a list of receivers"))
    }

    /// Checks with no receiver named.
    fn check(url: &str, then: Result<(), ForbiddenUrl>) {
        assert_eq!(check_url(url, &policy("")).map(|_| ()), then, "{url}");
    }

    #[test]
    fn addresses_are_checked_in_every_way_to_write_them() {
        for private in [
            "http://127.0.0.1/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001:8443/x",
            "https://１２７.0.0.1/",
            "https://10.1.2.3",
            "https://[::1]:9000/",
            "https://[::ffff:169.254.169.254]/latest/meta-data",
        ] {
            check(private, Err(ForbiddenUrl::NotPublic));
        }
        check("https://8.8.8.8/hook", Ok(()));
        check("https://hooks.example.com/hook", Ok(()));
    }

    #[test]
    fn only_http_is_called_and_without_a_name_only_by_tls() {
        for other in ["ftp://example.com/", "file:///etc/passwd", "mailto:a@b.cz", "example", ""] {
            check(other, Err(ForbiddenUrl::NotHttp));
        }
        check("ftp://mail:8025/", Err(ForbiddenUrl::NotHttp));
        for plain in ["http://example.com/", "http://8.8.8.8:443/", "http://ledger-svc:8080/"] {
            check(plain, Err(ForbiddenUrl::NotHttps));
        }
    }

    #[test]
    fn a_user_or_a_password_is_sent_to_nobody() {
        let named = policy("mail:8025");
        for secret in ["https://user@example.com/", "https://:pw@a.cz/", "http://u:p@mail:8025/"] {
            let forbidden = check_url(secret, &named).expect_err(secret);
            assert_eq!(forbidden, ForbiddenUrl::Credentials, "{secret}");
        }
    }

    #[test]
    fn only_ports_of_https_are_called() {
        for open in ["https://a.cz/", "https://a.cz:443", "https://a.cz:8443/hook"] {
            check(open, Ok(()));
        }
        let of_the_bank =
            ["https://broker:15672/", "https://accounts-db:5432", "https://a.cz:8080"];
        for closed in of_the_bank.into_iter().chain(["https://a.cz:22", "https://a.cz:0"]) {
            check(closed, Err(ForbiddenUrl::Port));
        }
    }

    #[test]
    fn a_named_receiver_is_called_as_it_is_named_and_its_neighbours_are_not() {
        let named = policy("mail:8025,127.0.0.1:9000");
        for url in ["http://mail:8025/webhook", "https://mail:8025/", "http://127.0.0.1:9000/x"] {
            let receiver = check_url(url, &named);
            assert!(matches!(receiver, Ok(Receiver::Named(_))), "{url}: {receiver:?}");
        }
        for (url, then) in [
            ("http://mail:1025/", ForbiddenUrl::NotHttps),
            ("https://mail:1025/", ForbiddenUrl::Port),
            ("http://mail/", ForbiddenUrl::NotHttps),
            ("http://127.0.0.1:9001/", ForbiddenUrl::NotPublic),
            ("http://[::1]:9000/", ForbiddenUrl::NotPublic),
            ("http://broker:8025/", ForbiddenUrl::NotHttps),
        ] {
            assert_eq!(check_url(url, &named).expect_err(url), then, "{url}");
        }
        // By its own port of HTTPS it is a public receiver like others: its address is checked.
        let receiver = check_url("https://mail/", &named);
        assert!(matches!(receiver, Ok(Receiver::Public(_))), "{receiver:?}");
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_resolved() {
        let name = "localhost".parse().expect("a name");
        let refused = PublicResolver.resolve(name).await.err().expect("localhost is private");
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }
}
