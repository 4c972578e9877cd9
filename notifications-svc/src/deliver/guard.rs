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
pub(super) struct PublicOnly;

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

/// Why a URL is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the webhook is not an http or https URL")]
    NotHttp,
    #[error("the webhook's address is not public")]
    NotPublic,
}

/// Reads a webhook's URL. An address in it is checked here: it is never looked up.
pub(super) fn fit_url(text: &str, allow_private: bool) -> Result<Url, Unfit> {
    let url = Url::parse(text).map_err(|_| Unfit::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Unfit::NotHttp);
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(Unfit::NotHttp),
    };
    match literal {
        Some(address) if !allow_private && !is_public(address) => Err(Unfit::NotPublic),
        Some(_) | None => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, then: Result<(), Unfit>) {
        assert_eq!(fit_url(url, false).map(|_| ()), then, "{url}");
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
            "http://user@192.168.0.1/",
        ] {
            check(private, Err(Unfit::NotPublic));
            assert!(fit_url(private, true).is_ok(), "{private}");
        }
        check("https://8.8.8.8/hook", Ok(()));
        check("https://hooks.example.com/hook", Ok(()));
    }

    #[test]
    fn only_http_is_called() {
        for other in ["ftp://example.com/", "file:///etc/passwd", "mailto:a@b.cz", "example", ""] {
            check(other, Err(Unfit::NotHttp));
            assert_eq!(fit_url(other, true), Err(Unfit::NotHttp), "{other}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_resolved() {
        let name = "localhost".parse().expect("a name");
        let refused = PublicOnly.resolve(name).await.err().expect("localhost is private");
        assert!(refused.is::<NoPublicAddress>(), "{refused}");
    }
}
