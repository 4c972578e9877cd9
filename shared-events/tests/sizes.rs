//! The sizes of messages. Promise: every event and every reply of a fixed shape fits a message,
//! with the longest content that its schema allows; a reply without such a bound comes in pages
//! that are counted in bytes, and is named here.

use serde_json::{Map, Value};
use shared_events::{
    catalogue::{Entry, PUBLISHED},
    envelope::MESSAGE_BYTES_MAX,
    message::Kind,
};

/// What is left for the envelope around the data, and for the word that a reply ends early.
const ENVELOPE_BYTES: usize = 6 * 1024;

/// Replies that end where a message is full, or are refused where they have no pages; and the
/// grants of all principals, whose bytes are bounded where one is changed.
const BY_BYTES: [&str; 27] = [
    "accounts.access.listed.v1",
    "accounts.access.current.v1",
    "accounts.account.listed.v1",
    "accounts.history.found.v1",
    "accounts.books.found.v1",
    "notifications.notification.listed.v1",
    "ledger.entries.found.v1",
    "ledger.instructions.previewed.v1",
    "ledger.journal.found.v1",
    "ledger.payments.found.v1",
    "ledger.statement.found.v1",
    "ledger.trial_balance.found.v1",
    "accounts.parked.listed.v1",
    "accounts.parked.found.v1",
    "ledger.parked.listed.v1",
    "ledger.parked.found.v1",
    "notifications.parked.listed.v1",
    "notifications.parked.found.v1",
    "accounts.approvals.listed.v1",
    "accounts.approvals.found.v1",
    "ledger.approvals.listed.v1",
    "ledger.approvals.found.v1",
    "notifications.approvals.listed.v1",
    "notifications.approvals.found.v1",
    "accounts.access_log.listed.v1",
    "ledger.access_log.listed.v1",
    "notifications.access_log.listed.v1",
];

/// How long a text or a list can be whose schema does not say so, by the end of its path: of a text
/// in characters, of a list in items.
const BOUNDS: [(&str, usize); 42] = [
    (".edited_by", 32),
    (".approved_by", 32),
    (".actor", 255),
    (".decided_by", 32),
    ("approvals.requested.v1.message", 300),
    (".branch", 40),
    (".principal", 32),
    (".changed_by", 32),
    (".before", 20),
    (".grants", 20),
    // The four of a command that have no more than 1,000 legs on average; a transfer has 100.
    ("ledger.legs.posted.v1.transfers", 250),
    ("ledger.legs.posted.v1.transfers[].legs", 4),
    ("posted.legs", 100),
    (".reference", 140),
    (".end_to_end_id", 35),
    (".external_reference", 64),
    (".product", 40),
    (".reason", 140),
    (".command_type", 64),
    (".error", 200),
    (".webhook", 2_000),
    (".email", 254),
    (".rejected.v1.message", 200),
    ("rejected.v1.field", 64),
    ("refused.v1.message", 500),
    ("refused.v1.field", 500),
    ("refused.v1.wrong", 20),
    (".wrong[].field", 500),
    (".wrong[].rule", 500),
    ("books.found.v1.ends", 4),
    ("books.found.v1.astray", 10),
    (".rows.accounts", 1_000),
    (".rows.entries", 1_000),
    (".rows.holds", 1_000),
    (".rows.reversals", 1_000),
    ("interest.found.v1.days", 366),
    ("interest.found.v1.capitalised", 13),
    ("interest.found.v1.terms", 1_000),
    ("monitor.listed.v1.monitors", 20),
    ("order.found.v1.executions", 1_000),
    ("order.listed.v1.orders", 100),
    (".topics", 16),
];
/// What the database writes as text in the books: codes, states and figures.
const STORED_CHARS: usize = 40;

/// Makes the longest JSON that a schema describes.
struct Longest<'s> {
    definitions: &'s Map<String, Value>,
}

impl Longest<'_> {
    fn of(&self, schema: &Value, path: &str) -> usize {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return self.of(&self.definitions[name], path);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[choice].as_array() {
                return choices
                    .iter()
                    .map(|choice| self.of(choice, path))
                    .max()
                    .unwrap_or_default();
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(|value| value.to_string().len()).max().unwrap_or_default();
        }
        if !schema["const"].is_null() {
            return schema["const"].to_string().len();
        }
        let types = schema["type"].as_array().cloned().unwrap_or(vec![schema["type"].clone()]);
        let kinds = types.iter().filter_map(Value::as_str);
        kinds.map(|kind| self.of_kind(kind, schema, path)).max().unwrap_or_default()
    }

    fn of_kind(&self, kind: &str, schema: &Value, path: &str) -> usize {
        match kind {
            "string" => text_bytes(schema, path) + 2,
            "array" => {
                let items =
                    schema["maxItems"].as_u64().and_then(|count| usize::try_from(count).ok());
                // The table first: a list of lists has fewer than each of them could.
                let items = bound(path).or(items).unwrap_or_else(|| panic!("no bound: {path}"));
                items * (self.of(&schema["items"], &format!("{path}[]")) + 1) + 2
            }
            "object" => {
                let fields = schema["properties"].as_object().into_iter().flatten();
                let bytes = |(name, field): (&String, &Value)| {
                    self.of(field, &format!("{path}.{name}")) + name.len() + 4
                };
                fields.map(bytes).sum::<usize>() + 2
            }
            _ => 20,
        }
    }
}

fn bound(path: &str) -> Option<usize> {
    BOUNDS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, bound)| *bound)
}

/// A character has four bytes at most; those that JSON escapes have fewer.
fn text_bytes(schema: &Value, path: &str) -> usize {
    let longest = schema["maxLength"].as_u64().and_then(|count| usize::try_from(count).ok());
    match (schema["format"].as_str(), schema["pattern"].as_str(), longest) {
        (Some("uuid" | "date" | "date-time"), ..) => 36,
        (_, Some(pattern), None) if !pattern.contains('.') => 64,
        (_, Some(_), Some(longest)) => longest,
        (_, _, Some(longest)) => 4 * longest,
        _ if path.contains(".rows.") => STORED_CHARS,
        _ => 4 * bound(path).unwrap_or_else(|| panic!("no bound: {path}")),
    }
}

fn longest(entry: &Entry) -> usize {
    let schema = entry.schema().to_value();
    let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    Longest { definitions: &definitions }.of(&schema, entry.kind_name)
}

#[test]
fn every_event_and_reply_fits_a_message_however_long_its_parts_are() {
    let ours = PUBLISHED.iter().filter(|entry| matches!(entry.kind, Kind::Event | Kind::Reply));
    let bounded = ours.filter(|entry| !BY_BYTES.contains(&entry.kind_name));
    let sizes: Vec<_> =
        bounded.map(|entry| (longest(entry) + ENVELOPE_BYTES, entry.kind_name)).collect();
    let too_large: Vec<_> = sizes.iter().filter(|(bytes, _)| *bytes > MESSAGE_BYTES_MAX).collect();
    assert!(too_large.is_empty(), "{too_large:#?}");
    // Were everything small, this would measure something else.
    let posted = sizes.iter().find(|(_, kind)| *kind == "ledger.transfers.posted.v1");
    assert!(posted.is_some_and(|(bytes, _)| (300_000..900_000).contains(bytes)), "{posted:?}");
}

#[test]
fn what_comes_in_pages_of_bytes_is_published() {
    for kind in BY_BYTES {
        assert!(PUBLISHED.iter().any(|entry| entry.kind_name == kind), "{kind}");
    }
}
