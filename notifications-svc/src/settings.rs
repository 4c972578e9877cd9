//! What the service is configured with. Promise: an address, a key or a schedule that cannot be
//! used stops the start, and the message names its key and never its value.

use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::domain::{Schedule, SigningKey};

/// The service's own part of the configuration.
#[derive(Debug, Deserialize)]
pub struct Settings {
    pub(crate) smtp: Smtp,
    pub(crate) webhook: Webhook,
    #[serde(default)]
    pub(crate) delivery: Delivery,
}

/// How e-mail is sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Smtp {
    /// `smtp://host:25`, `smtp://user@host:587?tls=required` or `smtps://user@host`.
    pub(crate) url: Url,
    #[serde(default)]
    pub(crate) password: Option<SecretString>,
    /// `bank@example.com` or `The Bank <bank@example.com>`.
    #[serde(deserialize_with = "mailbox")]
    pub(crate) from: Mailbox,
}

/// How webhooks are called.
#[derive(Debug, Deserialize)]
pub(crate) struct Webhook {
    /// Signs what is sent to holders who have given no key of their own.
    #[serde(deserialize_with = "signing_key")]
    pub(crate) secret: SigningKey,
    /// Whether webhooks may be in private networks. For development.
    #[serde(default)]
    pub(crate) allow_private: bool,
}

/// When deliveries are tried.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delivery {
    #[serde(default)]
    pub(crate) schedule: Schedule,
}

fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mailbox, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| de::Error::custom("smtp.from must be an e-mail address");
    text.parse().map_err(wrong)
}

fn signing_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SigningKey, D::Error> {
    let text = SecretString::deserialize(deserializer)?;
    let wrong = |rule| de::Error::custom(format!("webhook.secret {rule}"));
    SigningKey::try_new(text.expose_secret()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(from: &str, secret: &str, schedule: &str) -> Result<Settings, String> {
        let json = format!(
            r#"{{"smtp":{{"url":"smtp://mail:1025","from":"{from}"}},
                "webhook":{{"secret":"{secret}"}},"delivery":{{"schedule":"{schedule}"}}}}"#
        );
        serde_json::from_str(&json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_right_is_read_and_private_networks_are_closed() {
        let settings = read("The Bank <bank@example.com>", SECRET, "0,5").expect("right");
        assert_eq!(settings.smtp.from.email.domain(), "example.com");
        assert!(!settings.webhook.allow_private);
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_not_shown() {
        for (from, secret, schedule, then) in [
            ("nobody", SECRET, "0", "smtp.from must be an e-mail address"),
            ("a@b.cz", "hunter2", "0", "webhook.secret must be whsec_ and base64"),
            ("a@b.cz", SECRET, "soon", "a schedule is 1 to 20 delays"),
        ] {
            let error = read(from, secret, schedule).expect_err(then);
            assert!(error.contains(then), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let settings = format!("{:?}", read("a@b.cz", SECRET, "0").expect("right"));
        assert!(!settings.contains("MfKQ9r8"), "{settings}");
    }
}
