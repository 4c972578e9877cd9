//! Messages as text, one line each. Promise: a line has every field of the message and no value
//! that differs between two runs: ids become names, and instants of the machine's clock `<now>`.

use std::{collections::HashMap, fmt::Display};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

/// Instants of this run lie no further from now. A replaced key of a webhook signs for a day more.
const NEAR: TimeDelta = TimeDelta::hours(36);

/// Names for ids, and for other texts that differ between runs.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: HashMap<String, String>,
    unnamed: u32,
}

impl Names {
    /// Names a text. Text that is an id or a hash and has no name becomes `#1`, `#2`, ... in the
    /// order of appearance: hashes follow from random salts. Zeros stay, and hashes are found
    /// within JSON, too.
    pub fn add(&mut self, text: impl Display, name: impl Into<String>) {
        self.names.insert(text.to_string(), name.into());
    }

    /// The text as it stands in a transcript.
    pub fn of(&mut self, text: &str) -> String {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        if text.contains('"') {
            let parts: Vec<String> = text.split('"').map(|part| self.of_part(part)).collect();
            return parts.join("\"");
        }
        if Uuid::parse_str(text).is_ok() || is_hash(text) {
            self.unnamed += 1;
            let name = format!("#{}", self.unnamed);
            self.names.insert(text.to_owned(), name.clone());
            return name;
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(instant) if (Utc::now() - instant.to_utc()).abs() < NEAR => "<now>".to_owned(),
            _ => text.to_owned(),
        }
    }

    /// A part of a JSON text.
    fn of_part(&mut self, part: &str) -> String {
        if is_hash(part) { self.of(part) } else { part.to_owned() }
    }

    /// Every leaf of a message as ` path=value`.
    pub fn fields(&mut self, data: &Value) -> String {
        let mut line = String::new();
        self.append("", data, &mut line);
        line
    }

    fn append(&mut self, path: &str, value: &Value, line: &mut String) {
        let below =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Object(fields) if fields.is_empty() => line.push_str(&format!(" {path}={{}}")),
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.append(&below(key), value, line);
                }
            }
            Value::Array(items) if items.is_empty() => line.push_str(&format!(" {path}=[]")),
            Value::Array(items) => {
                for (place, value) in items.iter().enumerate() {
                    self.append(&below(&place.to_string()), value, line);
                }
            }
            Value::String(text) => {
                let text = self.of(text).replace('\n', "\\n");
                line.push_str(&format!(" {path}={text}"));
            }
            other => line.push_str(&format!(" {path}={other}")),
        }
    }
}

/// Whether a text is 32 bytes in hexadecimal digits, and not zeros.
fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        && text.bytes().any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_each_text_that_differs_between_runs() {
        let alice = "019f0000-0000-7000-8000-000000000001";
        let other = "019f0000-0000-7000-8000-000000000002";
        let data = serde_json::json!({
            "account_id": alice, "event": other, "again": [other], "on": "2026-11-22", "n": 1,
            "hash": "0f".repeat(32), "record": format!("{{\"h\":\"{}\"}}", "0f".repeat(32)),
            "zeros": "00".repeat(32), "none": [], "posted_at": "2025-03-14T11:00:00Z",
            "sent_at": Utc::now(),
        });
        let mut names = Names::default();
        names.add(alice, "alice");
        let line = names.fields(&data);
        let expected = " account_id=alice again.0=#1 event=#1 hash=#2 n=1 none=[] on=2026-11-22 \
                        posted_at=2025-03-14T11:00:00Z record={\"h\":\"#2\"} sent_at=<now> zeros=";
        assert_eq!(line, format!("{expected}{}", "00".repeat(32)));
    }
}
