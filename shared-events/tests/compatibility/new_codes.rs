//! A consumer that was built against a released contract meets codes of a later one. Promise: an
//! event or a reply with a new code is what the released schema says, and today's reader keeps the
//! code and reads on; a command with a code that the service does not know is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use shared_events::{catalogue::find, message::Kind};

use crate::{compare, released, schemas_in};

const NEW_CODE: &str = "of_tomorrow";

/// The data of every golden message of these kinds, with the type of the message.
fn golden_data(kinds: &[Kind]) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).expect("golden files");
    let read = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).expect("golden files are UTF-8");
        let envelope: Value = serde_json::from_str(&text).expect("golden files are JSON");
        let kind_name = envelope["type"].as_str().expect("an envelope has a type").to_owned();
        let entry = find(&kind_name).expect("golden messages are published");
        kinds.contains(&entry.kind).then(|| (kind_name, envelope["data"].clone()))
    };
    files.filter_map(|file| read(file.expect("a folder can be listed"))).collect()
}

/// The schemas of each released set, by message type.
fn released_sets() -> Vec<BTreeMap<String, Value>> {
    let sets = fs::read_dir(released()).expect("shared-events/released exists");
    sets.map(|set| schemas_in(&set.expect("a folder can be listed").path())).collect()
}

/// The JSON pointers of the codes in `data` of which the schema says `wanted`.
struct Codes<'s> {
    root: &'s Value,
    wanted: fn(&Value) -> bool,
    found: Vec<String>,
}

impl<'s> Codes<'s> {
    fn of(root: &'s Value, data: &Value, wanted: fn(&Value) -> bool) -> Vec<String> {
        let mut codes = Self { root, wanted, found: vec![] };
        codes.walk(root, data, "");
        codes.found
    }

    fn walk(&mut self, schema: &'s Value, data: &Value, at: &str) {
        let schema = compare::resolved(self.root, schema);
        if (self.wanted)(schema) && data.is_string() {
            self.found.push(at.to_owned());
            return;
        }
        for keyword in ["oneOf", "anyOf"] {
            for alternative in schema[keyword].as_array().into_iter().flatten() {
                self.walk(alternative, data, at);
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = data.get(name) {
                self.walk(property, value, &format!("{at}/{name}"));
            }
        }
        for (place, item) in data.as_array().into_iter().flatten().enumerate() {
            if schema.get("items").is_some() {
                self.walk(&schema["items"], item, &format!("{at}/{place}"));
            }
        }
    }
}

fn is_open(schema: &Value) -> bool {
    schema.as_object().is_some_and(compare::says_open)
}

fn is_closed(schema: &Value) -> bool {
    let codes = schema["oneOf"].as_array();
    codes.is_some_and(|codes| codes.iter().all(|code| code["const"].is_string()))
}

/// The last name in a pointer, without the places in lists.
fn field(pointer: &str) -> String {
    let named = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err());
    named.unwrap_or_default().to_owned()
}

fn with_new_code(data: &Value, pointer: &str) -> Value {
    let mut changed = data.clone();
    *changed.pointer_mut(pointer).expect("the code stands there") = json!(NEW_CODE);
    changed
}

fn is_valid(schema: &Value, data: &Value) -> bool {
    jsonschema::validator_for(schema).expect("released schemas are schemas").is_valid(data)
}

#[test]
fn an_event_with_a_new_code_fits_the_released_schema_and_is_read_on() {
    let golden = golden_data(&[Kind::Event, Kind::Reply]);
    for schemas in released_sets() {
        let mut fields = BTreeSet::new();
        for (kind, data) in &golden {
            let Some(schema) = schemas.get(kind) else { continue };
            for pointer in Codes::of(schema, data, is_open) {
                let changed = with_new_code(data, &pointer);
                assert!(is_valid(schema, &changed), "{kind}: {pointer} in {changed}");
                let entry = find(kind).expect("golden messages are published");
                let again = entry.recode(&changed.to_string()).expect(kind);
                let again: Value = serde_json::from_str(&again).expect("messages write JSON");
                assert_eq!(again.pointer(&pointer), Some(&json!(NEW_CODE)), "{kind}: {again}");
                fields.insert(format!("{kind} {}", field(&pointer)));
            }
        }
        for (kind, code) in [
            ("accounts.account.close_refused.v1", "reason"),
            ("accounts.account.found.v1", "status"),
            ("accounts.command.rejected.v1", "reason"),
            ("bank.message.refused.v1", "code"),
            ("ledger.account.close_refused.v1", "reason"),
            ("ledger.arrangement.rejected.v1", "reason"),
            ("ledger.balance.found.v1", "status"),
            ("ledger.command.rejected.v1", "reason"),
            ("ledger.holds.released.v1", "cause"),
            ("ledger.instruction.found.v1", "status"),
            ("ledger.instructions.previewed.v1", "reason"),
            ("ledger.instructions.rejected.v1", "reason"),
            ("ledger.order.found.v1", "status"),
            ("ledger.order.missed.v1", "reason"),
            ("ledger.transfer.found.v1", "reason"),
            ("ledger.transfer.found.v1", "status"),
            ("ledger.transfers.rejected.v1", "reason"),
            ("notifications.command.rejected.v1", "reason"),
            ("notifications.deliveries.recovered.v1", "channel"),
            ("notifications.delivery.succeeded.v1", "topic"),
            ("notifications.notification.listed.v1", "status"),
            ("notifications.preferences.changed.v1", "topics"),
            ("notifications.recovery.rejected.v1", "reason"),
        ] {
            assert!(fields.contains(&format!("{kind} {code}")), "{kind} {code}: {fields:#?}");
        }
    }
}

#[test]
fn a_command_with_an_unknown_code_is_refused_by_the_schema_and_by_the_reader() {
    let golden = golden_data(&[Kind::Command, Kind::Query]);
    for schemas in released_sets() {
        let mut fields = BTreeSet::new();
        for (kind, data) in &golden {
            let Some(schema) = schemas.get(kind) else { continue };
            assert_eq!(Codes::of(schema, data, is_open), [""; 0], "{kind}");
            for pointer in Codes::of(schema, data, is_closed) {
                let changed = with_new_code(data, &pointer);
                assert!(!is_valid(schema, &changed), "{kind}: {pointer} in {changed}");
                let entry = find(kind).expect("golden messages are published");
                let refused = entry.recode(&changed.to_string()).expect_err(kind).to_string();
                assert!(refused.contains(&field(&pointer)), "{kind}: {refused}");
                assert!(refused.contains(NEW_CODE), "{kind}: {refused}");
                fields.insert(field(&pointer));
            }
        }
        for named in ["blocks", "channel", "status", "topics"] {
            assert!(fields.contains(named), "{named}: {fields:#?}");
        }
    }
}

#[test]
fn a_choice_that_a_reader_computes_with_stays_closed() {
    let golden = golden_data(&[Kind::Event, Kind::Reply]);
    for schemas in released_sets() {
        let mut fields = BTreeSet::new();
        for (kind, data) in &golden {
            let Some(schema) = schemas.get(kind) else { continue };
            for pointer in Codes::of(schema, data, is_closed) {
                let changed = with_new_code(data, &pointer).to_string();
                let entry = find(kind).expect("golden messages are published");
                assert!(entry.recode(&changed).is_err(), "{kind}: {pointer}");
                fields.insert(field(&pointer));
            }
        }
        let closed = [
            "at_closing",
            "blocks",
            "day_count",
            "direction",
            "on_holiday",
            "previous_blocks",
            "rounding",
        ];
        assert_eq!(fields.iter().map(String::as_str).collect::<Vec<_>>(), closed);
    }
}
