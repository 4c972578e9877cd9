//! Texts of limited length and known form.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{
    ledger::{END_TO_END_ID_CHARS_MAX, REFERENCE_CHARS_MAX},
    text::first_hidden,
};
use url::Url;

use super::InvalidInput;

const NAME_CHARS_MAX: usize = 140;
const EMAIL_BYTES_MAX: usize = 254;
const WEBHOOK_CHARS_MAX: usize = 2_000;
const PRODUCT_CHARS_MAX: usize = 40;
const EXTERNAL_REFERENCE_CHARS_MAX: usize = 64;
const FREEZE_REASON_CHARS_MAX: usize = 140;
/// 24 bytes in base64, and 64 with padding.
const SECRET_CHARS: (usize, usize) = (32, 88);

/// Checks a value that may not be given.
pub fn checked(
    text: Option<&str>,
    check: fn(&str) -> Result<String, InvalidInput>,
) -> Result<Option<String>, InvalidInput> {
    text.map(check).transpose()
}

/// The remittance information of a transfer.
pub fn reference(text: &str) -> Result<String, InvalidInput> {
    line("reference", text, 0, REFERENCE_CHARS_MAX)
}

/// The debtor's own id of a payment.
pub fn end_to_end_id(text: &str) -> Result<String, InvalidInput> {
    line("end_to_end_id", text, 0, END_TO_END_ID_CHARS_MAX)
}

/// A holder's full name.
pub fn holder_name(text: &str) -> Result<String, InvalidInput> {
    line("name", text, 1, NAME_CHARS_MAX)
}

/// An e-mail address, checked by its form.
pub fn email(text: &str) -> Result<String, InvalidInput> {
    let parts: Vec<&str> = text.split('@').collect();
    let has_form = matches!(parts[..], [user, host] if !user.is_empty() && !host.is_empty());
    if !has_form || text.contains(is_blank) {
        return Err(InvalidInput::new("email", "not an e-mail address such as ada@example.com"));
    }
    match text.len() <= EMAIL_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(InvalidInput::new("email", format!("more than {EMAIL_BYTES_MAX} bytes"))),
    }
}

/// The URL of a webhook.
pub fn webhook(text: &str) -> Result<String, InvalidInput> {
    let address = line("webhook", text, 1, WEBHOOK_CHARS_MAX)?;
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let has_secrets = |url: &Url| !url.username().is_empty() || url.password().is_some();
    match Url::parse(&address) {
        Ok(url) if has_secrets(&url) => {
            Err(InvalidInput::new("webhook", "has a user or a password, which are not sent"))
        }
        Ok(url) if is_web(&url) && !address.contains(is_blank) => Ok(address),
        Ok(_) | Err(_) => Err(InvalidInput::new("webhook", "not an http or https URL")),
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// A language by ISO 639-1.
pub fn language(text: &str) -> Result<String, InvalidInput> {
    match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(text.to_owned()),
        false => Err(InvalidInput::new("language", "two letters (ISO 639-1) such as en")),
    }
}

/// A product's name.
pub fn product(text: &str) -> Result<String, InvalidInput> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match (1..=PRODUCT_CHARS_MAX).contains(&text.len()) && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(InvalidInput::new("product", "1 to 40 of a-z, 0-9 and -")),
    }
}

/// The name of an account in another system.
pub fn external_reference(text: &str) -> Result<String, InvalidInput> {
    line("external_reference", text, 1, EXTERNAL_REFERENCE_CHARS_MAX)
}

/// The bank's name on a statement.
pub fn bank_name(text: &str) -> Result<String, InvalidInput> {
    line("bank_name", text, 1, NAME_CHARS_MAX)
}

/// A BIC (ISO 9362): four letters or digits, a country, two more, and three of a branch if any.
pub fn bic(text: &str) -> Result<String, InvalidInput> {
    let (bytes, is_part) = (text.as_bytes(), |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_bic = matches!(bytes.len(), 8 | 11)
        && bytes.iter().all(is_part)
        && bytes[4..6].iter().all(u8::is_ascii_uppercase);
    match is_bic {
        true => Ok(text.to_owned()),
        false => Err(InvalidInput::new("bic", "not a BIC (ISO 9362) such as BANKCZPP")),
    }
}

/// Why an account is frozen.
pub fn freeze_reason(text: &str) -> Result<String, InvalidInput> {
    line("reason", text, 1, FREEZE_REASON_CHARS_MAX)
}

/// A key that webhooks are signed with.
pub fn webhook_secret(text: &str) -> Result<String, InvalidInput> {
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let (min, max) = SECRET_CHARS;
    let key = text.strip_prefix("whsec_").unwrap_or_default();
    match (min..=max).contains(&key.len()) && key.bytes().all(base64) {
        true => Ok(text.to_owned()),
        false => {
            let rule = "must be whsec_ and base64 of 24 to 64 bytes";
            Err(InvalidInput::new("webhook_secret", rule))
        }
    }
}

/// A day.
pub fn date(field: &str, text: &str) -> Result<NaiveDate, InvalidInput> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| InvalidInput::new(field, "not a date such as 2026-11-22"))
}

/// An instant, with its offset from UTC.
pub fn instant(field: &str, text: &str) -> Result<DateTime<Utc>, InvalidInput> {
    let rule = "not an instant such as 2026-11-22T12:00:00Z or 2026-11-22T13:00:00+01:00";
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidInput::new(field, rule))?;
    Ok(instant.to_utc())
}

/// Text on one line, of so many characters.
fn line(field: &str, text: &str, min: usize, max: usize) -> Result<String, InvalidInput> {
    let wrong = |rule: String| Err(InvalidInput::new(field, rule));
    if let Some((place, c)) = first_hidden(text) {
        let code = u32::from(c);
        return wrong(format!("character {place} (U+{code:04X}) cannot be seen"));
    }
    match text.chars().count() {
        count if count < min => wrong(format!("must have {min} to {max} characters")),
        count if count > max => wrong(format!("has {count} characters, at most {max} are allowed")),
        _ if min > 0 && text.trim().is_empty() => wrong("has only spaces".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: Result<String, InvalidInput>, expected: &str) {
        let text = given.unwrap_or_else(|error| error.to_string());
        assert_eq!(text, expected);
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        check(reference(&"ř".repeat(140)), &"ř".repeat(140));
        let rule = "reference: has 141 characters, at most 140 are allowed";
        check(reference(&"x".repeat(141)), rule);
        let rule = "end_to_end_id: has 36 characters, at most 35 are allowed";
        check(end_to_end_id(&"x".repeat(36)), rule);
        check(holder_name(""), "name: must have 1 to 140 characters");
        check(holder_name("  "), "name: has only spaces");
        check(reference("a\nb"), "reference: character 2 (U+000A) cannot be seen");
        check(reference("ab\u{202e}"), "reference: character 3 (U+202E) cannot be seen");
    }

    #[test]
    fn forms_are_checked() {
        check(email("ada@example.com"), "ada@example.com");
        check(email("ada"), "email: not an e-mail address such as ada@example.com");
        check(email("a da@example.com"), "email: not an e-mail address such as ada@example.com");
        check(email(&format!("{}@x", "x".repeat(253))), "email: more than 254 bytes");
        for wrong in ["ftp://example.com", "https://", "https://exa mple.com"] {
            check(webhook(wrong), "webhook: not an http or https URL");
        }
        let rule = "webhook: has a user or a password, which are not sent";
        check(webhook("https://ada:secret@example.com/hook"), rule);
        for right in ["BANKCZPP", "BANKCZPPXXX", "B4NKCZP2"] {
            check(bic(right), right);
        }
        for wrong in ["", "BANKCZ", "bankczpp", "BANK1ZPP", "BANKCZPPXX", "BANKCZPP\n"] {
            check(bic(wrong), "bic: not a BIC (ISO 9362) such as BANKCZPP");
        }
        check(language("EN"), "language: two letters (ISO 639-1) such as en");
        check(product("Gold Card"), "product: 1 to 40 of a-z, 0-9 and -");
        let secret = format!("whsec_{}", "A".repeat(32));
        check(webhook_secret(&secret), &secret);
        let rule = "webhook_secret: must be whsec_ and base64 of 24 to 64 bytes";
        check(webhook_secret("secret"), rule);
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        assert!(date("from", "2024-02-29").is_ok());
        let error = date("from", "2023-02-29").expect_err("no such day");
        assert_eq!(error.to_string(), "from: not a date such as 2026-11-22");
    }
}
