//! Keeps webhooks out of the bank's own network. Promise: a connection goes to an address that was
//! checked, never to one that was looked up a second time.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

use crate::domain::is_public;

/// The name of a webhook's host leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
struct NoPublicAddress;

/// Looks names up, and gives public addresses only. It is what the HTTP client connects with.
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|it| is_public(it.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What may be called.
#[derive(Clone, Debug)]
pub(crate) struct Reachable {
    /// Whether addresses of private networks may be.
    pub(crate) private: bool,
    /// On which ports; `None`: on all.
    pub(crate) ports: Option<Vec<u16>>,
}

/// Why a URL is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the webhook is not an http or https URL")]
    NotHttp,
    #[error("the webhook's URL has a user or a password, which are not sent")]
    Credentials,
    #[error("the webhook's port is none that is called")]
    Port,
    #[error("the webhook's address is not public")]
    NotPublic,
}

/// Reads a webhook's URL. An address in it is checked here: it is never looked up.
pub(crate) fn fit_url(text: &str, reachable: &Reachable) -> Result<Url, Unfit> {
    let url = Url::parse(text).map_err(|_| Unfit::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Unfit::NotHttp);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::Credentials);
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(Unfit::NotHttp),
    };
    if literal.is_some_and(|address| !reachable.private && !is_public(address)) {
        return Err(Unfit::NotPublic);
    }
    let port = url.port_or_known_default();
    let is_open = |ports: &Vec<u16>| port.is_some_and(|port| ports.contains(&port));
    match reachable.ports.as_ref().is_none_or(is_open) {
        true => Ok(url),
        false => Err(Unfit::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Reachable = Reachable { private: false, ports: None };
    const ALL: Reachable = Reachable { private: true, ports: None };

    fn check(url: &str, then: Result<(), Unfit>) {
        assert_eq!(fit_url(url, &PUBLIC).map(|_| ()), then, "{url}");
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
            check(private, Err(Unfit::NotPublic));
            assert!(fit_url(private, &ALL).is_ok(), "{private}");
        }
        check("https://8.8.8.8/hook", Ok(()));
        check("https://hooks.example.com/hook", Ok(()));
    }

    #[test]
    fn only_http_is_called() {
        for other in ["ftp://example.com/", "file:///etc/passwd", "mailto:a@b.cz", "example", ""] {
            check(other, Err(Unfit::NotHttp));
            assert_eq!(fit_url(other, &ALL).err(), Some(Unfit::NotHttp), "{other}");
        }
    }

    #[test]
    fn a_user_or_a_password_is_not_sent() {
        for secret in ["http://user@192.168.0.1/", "https://:pw@example.com/", "https://u:p@a.cz"] {
            check(secret, Err(Unfit::Credentials));
            assert_eq!(fit_url(secret, &ALL).err(), Some(Unfit::Credentials), "{secret}");
        }
    }

    #[test]
    fn only_ports_of_the_web_are_called_also_in_private_networks() {
        for private in [false, true] {
            let reachable = Reachable { private, ports: Some(vec![80, 443, 8_443]) };
            let port = |url: &str| fit_url(url, &reachable).map(|_| ());
            for open in ["http://a.cz/", "https://a.cz/", "https://a.cz:8443", "http://a.cz:443"] {
                assert_eq!(port(open), Ok(()), "{open}");
            }
            for closed in
                ["http://broker:15672/", "http://db:5432", "https://a.cz:8080", "http://a.cz:0"]
            {
                assert_eq!(port(closed), Err(Unfit::Port), "{closed}");
            }
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_resolved() {
        let name = "localhost".parse().expect("a name");
        let refused = PublicOnly.resolve(name).await.err().expect("localhost is private");
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }
}
