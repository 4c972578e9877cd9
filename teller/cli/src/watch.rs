//! `teller watch`.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use shared_events::{AccountId, envelope::RawEnvelope};
use teller_client::input::{self, InvalidInput};

use crate::{
    failure::Failure,
    output::{Text, note},
    session::{Session, account_id},
};

const RECONNECT_AFTER: Duration = Duration::from_secs(1);
const EVERYTHING: &str = "#";
const PATTERN_CHARS_MAX: usize = 255;

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Types of events: `ledger.#`, `*.account.*.v1`; * is one word, # any number of them
    #[arg(value_name = "PATTERN", default_value = EVERYTHING)]
    patterns: Vec<String>,
    /// Only events about this account: id, IBAN or external reference
    #[arg(long)]
    account: Option<String>,
    /// End after this many events
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
}

impl Watch {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        if self
            .patterns
            .iter()
            .any(|pattern| pattern.is_empty() || pattern.len() > PATTERN_CHARS_MAX)
        {
            return Err(InvalidInput::new("pattern", "must have 1 to 255 characters").into());
        }
        let key = self.account.map(|name| input::account("account", &name)).transpose()?;
        let bank = session.bank().await?;
        let about = match key {
            Some(key) => Some(account_id(&bank, key).await?),
            None => None,
        };
        let mut left = self.count;
        let mut watch = bank.watch(&self.patterns).await?;
        note("watching; end with Ctrl-C");
        while left != Some(0) {
            let Some(event) = watch.next().await else {
                note("the connection is lost; events may be missed until it is back");
                watch = reconnected(&bank, &self.patterns).await;
                note("watching again");
                continue;
            };
            if concerns(&event, about) {
                match session.json() {
                    true => session.out.json(&event)?,
                    false => session.out.text(&Text::line(&line(&event)))?,
                }
                left = left.map(|left| left - 1);
            }
        }
        Ok(())
    }
}

/// Watches again, as soon as the broker can be reached.
pub(crate) async fn reconnected(
    bank: &teller_client::Teller,
    patterns: &[String],
) -> shared_events::client::Watch {
    loop {
        tokio::time::sleep(RECONNECT_AFTER).await;
        if let Ok(watch) = bank.watch(patterns).await {
            return watch;
        }
    }
}

/// Whether the account's id stands anywhere in the event.
fn concerns(event: &RawEnvelope, about: Option<AccountId>) -> bool {
    about.is_none_or(|account| event.data.get().contains(&format!("\"{account}\"")))
}

/// An event on one line: `2026-11-22T21:04:05Z accounts.account.frozen.v1 <subject> reason=...`
fn line(event: &RawEnvelope) -> String {
    let time = event.time.format("%Y-%m-%dT%H:%M:%SZ");
    let subject = event.subject.as_deref().unwrap_or_default();
    let mut line = format!("{time} {} {subject}", event.kind);
    if let Ok(Value::Object(data)) = serde_json::from_str(event.data.get()) {
        let fields = data.iter().filter(|(_, value)| *value != subject);
        for (name, value) in fields {
            line = format!("{line} {}", named(name, value));
        }
    }
    line
}

/// `name=value`; of many things only how many there are.
fn named(name: &str, value: &Value) -> String {
    match value {
        Value::Array(items) => match items.as_slice() {
            [one] if one.get("creditor").is_some() => transfer(one),
            [one] => named(name, one),
            many => format!("{name}={}", many.len()),
        },
        Value::Object(_) if value.get("amount").is_some() => format!("{name}={}", money(value)),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| named(name, value)).collect();
            format!("{name}=({})", fields.join(" "))
        }
        Value::String(text) if text.contains(char::is_whitespace) => format!("{name}={text:?}"),
        Value::String(text) => format!("{name}={text}"),
        Value::Null | Value::Bool(_) | Value::Number(_) => format!("{name}={value}"),
    }
}

/// A transfer, posted or rejected: `12.50 EUR cash -> <account> reason=... reference=...`
fn transfer(value: &Value) -> String {
    let mut text = format!(
        "{} {} -> {}",
        money(&value["money"]),
        party(&value["debtor"]),
        party(&value["creditor"])
    );
    for name in ["reason", "reference"] {
        if let Some(field) = value.get(name) {
            text = format!("{text} {}", named(name, field));
        }
    }
    text
}

fn money(value: &Value) -> String {
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    format!("{} {}", part("amount"), part("currency"))
}

fn party(value: &Value) -> &str {
    let name = value["code"].as_str().or_else(|| value["account_id"].as_str());
    name.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn event(kind: &str, data: &str) -> RawEnvelope {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let json = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/x","type":"{kind}",
            "subject":"{ACCOUNT}","time":"2026-11-22T21:04:05Z","correlationid":"{id}",
            "data":{data}}}"#
        );
        serde_json::from_str(&json).expect("an event")
    }

    fn frozen() -> RawEnvelope {
        let data = format!(r#"{{"account_id":"{ACCOUNT}","reason":"lost card","version":3}}"#);
        event("accounts.account.frozen.v1", &data)
    }

    #[test]
    fn an_event_is_one_line() {
        let time = "2026-11-22T21:04:05Z";
        let expected =
            format!("{time} accounts.account.frozen.v1 {ACCOUNT} reason=\"lost card\" version=3");
        assert_eq!(line(&frozen()), expected);
    }

    #[test]
    fn a_transfer_is_read_at_a_glance_and_many_are_counted() {
        let one = r#"{"debtor":{"account_id":"a","code":"cash"},"creditor":{"account_id":"b"},
            "money":{"amount":"12.50","currency":"EUR"},"reason":"account_frozen"}"#;
        let events = event("t.v1", &format!(r#"{{"transfers":[{one}]}}"#));
        assert!(line(&events).ends_with(" 12.50 EUR cash -> b reason=account_frozen"));
        let events = event("t.v1", &format!(r#"{{"transfers":[{one},{one}]}}"#));
        assert!(line(&events).ends_with(" transfers=2"));
    }

    #[test]
    fn an_event_concerns_the_accounts_that_it_names() {
        let named = ACCOUNT.parse().expect("a UUID");
        let other = "01890a5d-ac96-774b-bcce-b302099a8059".parse().expect("a UUID");
        assert!(concerns(&frozen(), None));
        assert!(concerns(&frozen(), Some(named)));
        assert!(!concerns(&frozen(), Some(other)));
    }
}
