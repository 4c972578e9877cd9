//! The rule of each of a holder's fields.

use shared_events::text::is_visible_line;
use url::{Host, Url};

use super::Holder;
use crate::fields::{FieldCheck, must, visible_text};

/// As in ISO 20022 (`Max140Text`).
const NAME_CHARS_MAX: usize = 140;
/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;
/// The longest URL that common HTTP servers and proxies take.
const WEBHOOK_CHARS_MAX: usize = 2_000;

/// Every field of a holder.
pub(super) fn check(holder: &Holder) -> FieldCheck {
    visible_text("holder.name", &holder.name, NAME_CHARS_MAX)?;
    holder.email.as_deref().map_or(Ok(()), email)?;
    holder.webhook.as_deref().map_or(Ok(()), webhook)?;
    let language = holder.language.as_bytes();
    must(
        language.len() == 2 && language.iter().all(u8::is_ascii_lowercase),
        "holder.language",
        || "two letters a-z, as in ISO 639-1".to_owned(),
    )
}

/// Checks only the form that every address has: the notifications service finds out whether mail
/// arrives.
fn email(text: &str) -> FieldCheck {
    let parts: Vec<&str> = text.split('@').collect();
    // No letter can be sent to a domain that has no form in DNS.
    let is_domain = |host: &str| matches!(Host::parse(host), Ok(Host::Domain(_)));
    let holds = matches!(parts[..], [user, host] if !user.is_empty() && is_domain(host))
        && text.len() <= EMAIL_BYTES_MAX
        && is_visible_line(text)
        && !text.contains(char::is_whitespace);
    must(holds, "holder.email", || {
        format!("an address such as jana@example.com, at most {EMAIL_BYTES_MAX} bytes")
    })
}

fn webhook(text: &str) -> FieldCheck {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let has_secrets = |url: &Url| !url.username().is_empty() || url.password().is_some();
    must(!Url::parse(text).is_ok_and(|url| has_secrets(&url)), "holder.webhook", || {
        "no user and no password: they are not sent".to_owned()
    })?;
    let holds = text.chars().count() <= WEBHOOK_CHARS_MAX
        && is_visible_line(text)
        && !text.contains(char::is_whitespace)
        && Url::parse(text).is_ok_and(is_web);
    must(holds, "holder.webhook", || {
        format!("an http or https URL, at most {WEBHOOK_CHARS_MAX} characters")
    })
}

#[cfg(test)]
mod tests;
