//! The configuration of the service. Promise: an address, a key or a schedule that cannot be used
//! stops the start, and the message names the configuration key and never its value.

use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use shared_events::{
    address::{Address, AddressError, Scheme},
    envelope::chain,
    secret::Secret,
};

use crate::{
    deliveries::Schedule,
    named_receivers::NamedReceivers,
    recipients::{BankKeyError, InvalidKey, SigningKey},
};

/// The service's own part of the configuration.
#[derive(Debug, Deserialize)]
pub struct Settings {
    pub(crate) smtp: Smtp,
    pub(crate) webhook: Webhook,
    #[serde(default)]
    pub(crate) delivery: Delivery,
    #[serde(default)]
    pub(crate) retention: Retention,
}

/// The mail server and the sender.
#[derive(Debug, Deserialize)]
pub(crate) struct Smtp {
    /// `smtp://host:25`, `smtp://user@host:587?tls=required` or `smtps://user@host`.
    #[serde(deserialize_with = "mail_server_url")]
    pub(crate) url: Address,
    #[serde(default)]
    pub(crate) password: Option<Secret>,
    /// `bank@example.com` or `The Bank <bank@example.com>`.
    #[serde(deserialize_with = "mailbox")]
    pub(crate) from: Mailbox,
}

/// The keys and the bounds of webhooks.
#[derive(Debug, Deserialize)]
pub(crate) struct Webhook {
    /// The bank's key, which signs for holders without a key of their own.
    #[serde(deserialize_with = "bank_key")]
    pub(crate) secret: Secret,
    /// The bank's key before, which signs, too, while receivers learn the new one.
    #[serde(default, deserialize_with = "bank_key_before")]
    pub(crate) secret_before: Option<Secret>,
    /// The receivers that may have any address, speak plain HTTP and listen on any port.
    #[serde(default)]
    pub(crate) allow: NamedReceivers,
    /// Settings of earlier releases.
    #[serde(default, rename = "allow_private", deserialize_with = "replaced_switch")]
    _allow_private: (),
    #[serde(default, rename = "ports", deserialize_with = "replaced_ports")]
    _ports: (),
}

/// The days for which notifications are kept.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Retention {
    /// For notifications that have a delivery.
    #[serde(deserialize_with = "days")]
    pub(crate) told_days: i32,
    /// For notifications without a delivery.
    #[serde(deserialize_with = "days")]
    pub(crate) untold_days: i32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { told_days: 90, untold_days: 30 }
    }
}

/// The attempts of deliveries.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delivery {
    #[serde(default)]
    pub(crate) schedule: Schedule,
}

const MAIL_SCHEMES: [Scheme; 2] = [("smtp", 25), ("smtps", 465)];

/// Reads the address of a mail server.
pub(crate) fn mail_server_address(text: &str) -> Result<Address, AddressError> {
    Address::parse(text, None, &MAIL_SCHEMES)?.only_with(&["tls"])
}

fn mail_server_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    let text = SecretString::deserialize(deserializer)?;
    let wrong = |fault| de::Error::custom(format!("smtp.url {fault}"));
    mail_server_address(text.expose_secret()).map_err(wrong)
}

fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mailbox, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| de::Error::custom("smtp.from must be an e-mail address");
    text.parse().map_err(wrong)
}

/// A key, which is read again for each webhook; one that cannot be used stops the start.
fn bank_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let secret = Secret::deserialize(deserializer)?;
    match SigningKey::read(&secret).map_err(|error| invalid("webhook.secret", &error))? {
        Some(_) => Ok(secret),
        None => Err(invalid("webhook.secret", &BankKeyError::from(InvalidKey))),
    }
}

fn bank_key_before<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let secret = Secret::deserialize(deserializer)?;
    SigningKey::read(&secret).map_err(|error| invalid("webhook.secret_before", &error))?;
    Ok(Some(secret))
}

fn invalid<E: de::Error>(key: &str, error: &BankKeyError) -> E {
    E::custom(format!("{key}: {}", chain(error)))
}

fn replaced_switch<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(de::Error::custom(replaced("webhook.allow_private")))
}

fn replaced_ports<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(de::Error::custom(replaced("webhook.ports")))
}

/// A setting that is ignored would look like one that holds.
fn replaced(key: &str) -> String {
    format!(
        "{key} is no setting any more: webhook.allow names the receivers in private networks, on \
         other ports or without TLS, such as mail:8025,10.0.0.7:8080"
    )
}

/// At least the time in which a message may come again: an event whose notification was deleted
/// would make the notification again.
const DAYS: std::ops::RangeInclusive<i32> = 28..=36_500;

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    /// The notations of days: a number in a file, text in the environment.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum DaysNotation {
        Number(i32),
        Text(String),
    }
    let read = match DaysNotation::deserialize(deserializer)? {
        DaysNotation::Number(days) => Some(days),
        DaysNotation::Text(text) => text.trim().parse().ok(),
    };
    read.filter(|days| DAYS.contains(days)).ok_or_else(|| {
        let (least, most) = (DAYS.start(), DAYS.end());
        de::Error::custom(format!("retention is {least} to {most} days"))
    })
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
    fn right_settings_are_read_and_no_receiver_is_named_by_default() {
        let settings = read("The Bank <bank@example.com>", SECRET, "0,5").expect("right");
        assert_eq!(settings.smtp.from.email.domain(), "example.com");
        assert_eq!(settings.webhook.allow, NamedReceivers::default());
    }

    fn webhook(setting: &str) -> Result<Webhook, String> {
        let json = format!(r#"{{"secret":"{SECRET}",{setting}}}"#);
        serde_json::from_str(&json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_setting_that_is_no_more_is_refused_by_its_name() {
        for (setting, key) in [
            (r#""allow_private":true"#, "webhook.allow_private"),
            (r#""allow_private":"false""#, "webhook.allow_private"),
            (r#""ports":"any""#, "webhook.ports"),
            (r#""ports":[443]"#, "webhook.ports"),
        ] {
            let error = webhook(setting).expect_err(setting);
            assert!(error.contains(&format!("{key} is no setting any more")), "{error}");
            assert!(error.contains("webhook.allow names"), "{error}");
        }
        assert!(webhook(r#""allow":"mail:8025""#).is_ok());
    }

    #[test]
    fn days_are_numbers_within_bounds() {
        let read = |days: &str| {
            let json = format!(
                r#"{{"smtp":{{"url":"smtp://mail:1025","from":"a@b.cz"}},
                    "webhook":{{"secret":"{SECRET}"}},
                    "retention":{{"untold_days":{days}}}}}"#
            );
            serde_json::from_str::<Settings>(&json).map_err(|error| error.to_string())
        };
        let retention = read(r#""28""#).expect("28 days").retention;
        assert_eq!((retention.told_days, retention.untold_days), (90, 28));
        for wrong in ["27", "0", "-1", r#""soon""#, "40000"] {
            let error = read(wrong).expect_err(wrong);
            assert!(error.contains("retention is 28 to 36500 days"), "{error}");
        }
    }

    #[test]
    fn a_wrong_url_of_the_mail_server_is_refused_with_its_fault() {
        for (url, then) in [
            ("smtp:mail", "smtp.url names no host"),
            ("smtp:///mail", "smtp.url names no host"),
            ("mail:25", "smtp.url must begin with smtp:// or smtps://"),
            ("http://u:hunter2@mail", "smtp.url must begin with smtp:// or smtps://"),
            ("mail", "smtp.url is no URL such as smtp://user@host:25/name"),
            ("smtp://u:hunter2@[::1", "smtp.url is no URL such as smtp://user@host:25/name"),
            ("smtp://u:hunter2%ff@mail", "smtp.url has escapes (%) in its password that make no"),
            ("smtp://u:hunter2@mail#x", "smtp.url has a # in it, which is written %23"),
            ("smtp://mail?tls=required&user=u", "has the parameter \"user\", which is not known"),
        ] {
            let json = format!(r#"{{"url":"{url}","from":"a@b.cz"}}"#);
            let error = serde_json::from_str::<Smtp>(&json).expect_err(url).to_string();
            assert!(error.contains(then) && !error.contains("hunter2"), "{url}: {error}");
        }
        let right = r#"{"url":"smtp://u:hunter2@mail","from":"a@b.cz"}"#;
        let smtp: Smtp = serde_json::from_str(right).expect("right");
        assert!(!format!("{smtp:?}").contains("hunter2"), "{smtp:?}");
    }

    #[test]
    fn a_wrong_setting_is_named_and_secrets_are_not_shown() {
        for (from, secret, schedule, then) in [
            ("nobody", SECRET, "0", "smtp.from must be an e-mail address"),
            ("a@b.cz", "hunter2", "0", "webhook.secret: the key must be whsec_ and base64"),
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
