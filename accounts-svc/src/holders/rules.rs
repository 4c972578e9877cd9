//! What a field must be. Promise: what passes here can be stored, written on the bus and shown;
//! what does not is refused with the field's path and the rule.

use shared_events::{
    Amount, Currency, Money,
    accounts::{ChangeLimits, CloseAccount, Holder, OpenAccount, SpendingLimit, SpendingLimits},
    text::is_visible_line,
};
use url::{Host, Url};

/// As in ISO 20022 (`Max140Text`).
const NAME_CHARS_MAX: usize = 140;
/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;
/// As long as common HTTP servers and proxies take.
const WEBHOOK_CHARS_MAX: usize = 2_000;
const PRODUCT_CHARS_MAX: usize = 40;
const EXTERNAL_REFERENCE_CHARS_MAX: usize = 64;
const REASON_CHARS_MAX: usize = 140;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub(crate) struct InvalidField {
    /// The field's path in the message's data.
    pub(crate) field: &'static str,
    /// The rule, in words.
    pub(crate) rule: String,
}

type Checked = Result<(), InvalidField>;

fn must(holds: bool, field: &'static str, rule: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(InvalidField { field, rule: rule() }) }
}

/// Text that can be looked for: without control characters, which neither PostgreSQL (NUL) nor a
/// mail's header (line breaks) can carry. What is stored may have more of them than [`phrase`] lets
/// in today, and is found all the same.
pub(crate) fn searchable(field: &'static str, text: &str) -> Checked {
    must(!text.chars().any(char::is_control), field, || "no control characters".to_owned())
}

fn phrase(field: &'static str, text: &str, chars_max: usize) -> Checked {
    must(is_visible_line(text), field, || "one line of visible characters".to_owned())?;
    must(!text.trim().is_empty() && text.chars().count() <= chars_max, field, || {
        format!("1 to {chars_max} characters, not only spaces")
    })
}

/// Every field of the command that opens an account.
pub(crate) fn open(command: &OpenAccount) -> Checked {
    account_id(command)?;
    holder(&command.holder)?;
    product(&command.product)?;
    currency(command.currency)?;
    overdraft_limit(command.overdraft_limit, command.currency)?;
    command.external_reference.as_deref().map_or(Ok(()), external_reference)
}

/// An id that the bank will never need for an account of its own.
fn account_id(command: &OpenAccount) -> Checked {
    let reference = command.external_reference.as_deref();
    must(command.account_id.is_for_client(reference), "account_id", || {
        "a UUID of version 4 or 7, or the one that follows from the external reference".to_owned()
    })
}

fn currency(currency: Currency) -> Checked {
    currency
        .holdable()
        .map(drop)
        .map_err(|reason| InvalidField { field: "currency", rule: reason.to_string() })
}

/// Who an account belongs to and how to reach them.
pub(crate) fn holder(holder: &Holder) -> Checked {
    phrase("holder.name", &holder.name, NAME_CHARS_MAX)?;
    holder.email.as_deref().map_or(Ok(()), email)?;
    holder.webhook.as_deref().map_or(Ok(()), webhook)?;
    let language = holder.language.as_bytes();
    must(
        language.len() == 2 && language.iter().all(u8::is_ascii_lowercase),
        "holder.language",
        || "two letters a-z, as in ISO 639-1".to_owned(),
    )
}

/// Only what every address has: whether mail arrives there is for the notifications service to see.
fn email(text: &str) -> Checked {
    let parts: Vec<&str> = text.split('@').collect();
    // A domain that no letter can be sent to, such as one that has no form in DNS, helps nobody.
    let is_domain = |host: &str| matches!(Host::parse(host), Ok(Host::Domain(_)));
    let holds = matches!(parts[..], [user, host] if !user.is_empty() && is_domain(host))
        && text.len() <= EMAIL_BYTES_MAX
        && is_visible_line(text)
        && !text.contains(char::is_whitespace);
    must(holds, "holder.email", || {
        format!("an address such as jana@example.com, at most {EMAIL_BYTES_MAX} bytes")
    })
}

fn webhook(text: &str) -> Checked {
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

fn product(text: &str) -> Checked {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let holds = (1..=PRODUCT_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed);
    must(holds, "product", || format!("1 to {PRODUCT_CHARS_MAX} of a-z, 0-9 and -"))
}

/// What another system calls an account.
pub(crate) fn external_reference(text: &str) -> Checked {
    phrase("external_reference", text, EXTERNAL_REFERENCE_CHARS_MAX)
}

/// How far below zero an account in `currency` may go.
pub(crate) fn overdraft_limit(limit: Amount, currency: Currency) -> Checked {
    limit_of("overdraft_limit", limit, currency)
}

/// What an account in `currency` may spend, as a whole.
pub(crate) fn spending(limits: &SpendingLimits, currency: Currency) -> Checked {
    let fields =
        ["spending.transfer", "spending.daily", "spending.monthly", "spending.minimum_balance"];
    spending_of(limits, currency, fields)
}

/// What is given of it one by one.
pub(crate) fn changed_spending(limits: &SpendingLimits, currency: Currency) -> Checked {
    spending_of(limits, currency, ["transfer", "daily", "monthly", "minimum_balance"])
}

fn spending_of(limits: &SpendingLimits, currency: Currency, fields: [&'static str; 4]) -> Checked {
    let SpendingLimits { transfer, daily, monthly, minimum_balance } = *limits;
    for (field, limit) in fields.into_iter().zip([transfer, daily, monthly, minimum_balance]) {
        limit.map_or(Ok(()), |limit| limit_of(field, limit, currency))?;
    }
    Ok(())
}

/// Which limits are lifted: none that is given, and one at least where none is.
pub(crate) fn lifted(command: &ChangeLimits) -> Checked {
    let given = [
        (SpendingLimit::Transfer, command.transfer),
        (SpendingLimit::Daily, command.daily),
        (SpendingLimit::Monthly, command.monthly),
        (SpendingLimit::MinimumBalance, command.minimum_balance),
    ];
    let is_both =
        given.iter().any(|(limit, given)| given.is_some() && command.lift.contains(limit));
    must(!is_both, "lift", || "no limit that is given, too".to_owned())?;
    let is_any = !command.lift.is_empty()
        || command.overdraft_limit.is_some()
        || given.iter().any(|(_, given)| given.is_some());
    must(is_any, "lift", || "at least one limit to set or to lift".to_owned())
}

fn limit_of(field: &'static str, limit: Amount, currency: Currency) -> Checked {
    let most = currency.amount_max();
    must((Amount::ZERO..=Amount(most)).contains(&limit), field, || format!("0 to {most}"))?;
    must(Money { amount: limit, currency }.fits_currency(), field, || {
        format!("at most {} digits after the point, as {currency} has", currency.digits())
    })
}

/// Where the rest goes when an account is closed.
pub(crate) fn payout(command: &CloseAccount) -> Checked {
    must(command.payout != Some(command.account_id), "payout", || "another account".to_owned())
}

/// Why an account is frozen.
pub(crate) fn reason(text: &str) -> Checked {
    phrase("reason", text, REASON_CHARS_MAX)
}

#[cfg(test)]
mod tests;
