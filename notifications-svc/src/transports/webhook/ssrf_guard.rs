//! Keeps webhooks out of the bank's own network. Promise: a connection goes to an address that was
//! checked, never to one of a second look-up.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

use super::public_address::is_public;

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

/// The addresses and ports that may be called.
#[derive(Clone, Debug)]
pub(super) struct WebhookPolicy {
    /// Whether addresses of private networks may be called.
    pub(super) allow_private: bool,
    /// The ports that may be called; `None`: all.
    pub(super) ports: Option<Vec<u16>>,
}

/// A URL that is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ForbiddenUrl {
    #[error("the webhook is not an http or https URL")]
    NotHttp,
    #[error("the webhook's URL has a user or a password, which are not sent")]
    Credentials,
    #[error("the webhook's port is none that is called")]
    Port,
    #[error("the webhook's address is not public")]
    NotPublic,
}

/// Reads and checks the URL of a webhook. An address in the URL is checked here, because the
/// resolver never sees it.
pub(super) fn check_url(text: &str, policy: &WebhookPolicy) -> Result<Url, ForbiddenUrl> {
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
    if literal.is_some_and(|address| !policy.allow_private && !is_public(address)) {
        return Err(ForbiddenUrl::NotPublic);
    }
    let port = url.port_or_known_default();
    let is_open = |ports: &Vec<u16>| port.is_some_and(|port| ports.contains(&port));
    match policy.ports.as_ref().is_none_or(is_open) {
        true => Ok(url),
        false => Err(ForbiddenUrl::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: WebhookPolicy = WebhookPolicy { allow_private: false, ports: None };
    const ALL: WebhookPolicy = WebhookPolicy { allow_private: true, ports: None };

    fn check(url: &str, then: Result<(), ForbiddenUrl>) {
        assert_eq!(check_url(url, &PUBLIC).map(|_| ()), then, "{url}");
    }

    #[test]
    fn addresses_are_checked_in_every_way_to_write_them() {
        for private in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://017700000001:8080/x",
            "https://10.1.2.3",
            "http://[::1]:9000/",
            "http://[::ffff:169.254.169.254]/latest/meta-data",
        ] {
            check(private, Err(ForbiddenUrl::NotPublic));
            assert!(check_url(private, &ALL).is_ok(), "{private}");
        }
        check("https://8.8.8.8/hook", Ok(()));
        check("https://hooks.example.com/hook", Ok(()));
    }

    #[test]
    fn only_http_is_called() {
        for other in ["ftp://example.com/", "file:///etc/passwd", "mailto:a@b.cz", "example", ""] {
            check(other, Err(ForbiddenUrl::NotHttp));
            assert_eq!(check_url(other, &ALL).err(), Some(ForbiddenUrl::NotHttp), "{other}");
        }
    }

    #[test]
    fn a_user_or_a_password_is_not_sent() {
        for secret in ["http://user@192.168.0.1/", "https://:pw@example.com/", "https://u:p@a.cz"] {
            check(secret, Err(ForbiddenUrl::Credentials));
            assert_eq!(check_url(secret, &ALL).err(), Some(ForbiddenUrl::Credentials), "{secret}");
        }
    }

    #[test]
    fn only_ports_of_the_web_are_called_also_in_private_networks() {
        for allow_private in [false, true] {
            let policy = WebhookPolicy { allow_private, ports: Some(vec![80, 443, 8_443]) };
            let port = |url: &str| check_url(url, &policy).map(|_| ());
            for open in ["http://a.cz/", "https://a.cz/", "https://a.cz:8443", "http://a.cz:443"] {
                assert_eq!(port(open), Ok(()), "{open}");
            }
            for closed in
                ["http://broker:15672/", "http://db:5432", "https://a.cz:8080", "http://a.cz:0"]
            {
                assert_eq!(port(closed), Err(ForbiddenUrl::Port), "{closed}");
            }
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_resolved() {
        let name = "localhost".parse().expect("a name");
        let refused = PublicResolver.resolve(name).await.err().expect("localhost is private");
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }
}
