//! The webhook receivers that the bank itself names. Promise: a name is a host and a port, compared
//! as the HTTP client understands them; nothing else of the host is named with it.

use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};

const RULE: &str =
    "webhook.allow is a list of host:port such as mail:8025,10.0.0.7:8080,[fd00::7]:80";

/// `mail:8025,10.0.0.7:8080`: receivers that may have private addresses, any port, and no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedReceivers(Vec<(Host, u16)>);

impl NamedReceivers {
    /// Reads a list. An empty text names nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.trim() {
            "" => Ok(Self::default()),
            text => Self::of(text.split(',')),
        }
    }

    fn of<'t>(names: impl IntoIterator<Item = &'t str>) -> Result<Self, &'static str> {
        Ok(Self(names.into_iter().map(receiver).collect::<Result<_, _>>()?))
    }

    /// Whether the host and the port of this URL are named.
    pub(crate) fn contain(&self, url: &Url) -> bool {
        let Some((host, port)) = url.host().zip(url.port_or_known_default()) else {
            return false;
        };
        self.0.iter().any(|(named, at)| host == *named && port == *at)
    }
}

fn receiver(name: &str) -> Result<(Host, u16), &'static str> {
    let (host, port) = name.trim().rsplit_once(':').ok_or(RULE)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or(RULE)?;
    // A pattern is no name: `*` would be taken for the name of a host, and never match.
    let host = Host::parse(host).ok().filter(|_| !host.contains('*')).ok_or(RULE)?;
    Ok((host, port))
}

impl<'de> Deserialize<'de> for NamedReceivers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A list in a file, text in the environment.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            List(Vec<String>),
            Text(String),
        }
        let read = match Notation::deserialize(deserializer).map_err(|_| de::Error::custom(RULE))? {
            Notation::List(names) => Self::of(names.iter().map(String::as_str)),
            Notation::Text(text) => Self::parse(&text),
        };
        read.map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_named_by_host_and_port_together() {
        let named = NamedReceivers::parse("mail:8025, 10.0.0.7:80 ,[fd00::7]:443").expect("a list");
        for (url, then) in [
            ("http://mail:8025/webhook", true),
            ("https://MAIL:8025/", true),
            ("http://10.0.0.7/", true),
            ("http://0xa.7:80/", true),
            ("https://[fd00:0::7]/", true),
            ("http://mail/", false),
            ("http://mail:8026/", false),
            ("http://mail.:8025/", false),
            ("http://mail.example.com:8025/", false),
            ("http://mail:8025@broker:15672/", false),
            ("https://10.0.0.7/", false),
            ("http://[fd00::7]/", false),
        ] {
            assert_eq!(named.contain(&Url::parse(url).expect(url)), then, "{url}");
        }
    }

    #[test]
    fn a_list_of_anything_else_is_refused() {
        let read = |json: &str| serde_json::from_str::<NamedReceivers>(json);
        for right in [r#""""#, r#"" ""#, "[]", r#""mail:8025""#, r#"["mail:8025","[::1]:80"]"#] {
            assert!(read(right).is_ok(), "{right}");
        }
        for wrong in [
            "true",
            "8025",
            r#""true""#,
            r#""any""#,
            r#""mail""#,
            r#""mail:""#,
            r#""mail:0""#,
            r#""mail:70000""#,
            r#"":8025""#,
            r#""*:8025""#,
            r#""*.example.com:80""#,
            r#""mail:8025,""#,
            r#""http://mail:8025""#,
            r#""mail:8025/hook""#,
            r#""u@mail:8025""#,
            r#""::1:80""#,
            r#"[""]"#,
        ] {
            let error = read(wrong).expect_err(wrong).to_string();
            assert!(error.contains("webhook.allow is a list of host:port"), "{wrong}: {error}");
        }
    }
}
