//! The faults of a body that is no envelope. Promise: all missing and wrong parts are named at
//! once, so that one answer is enough for the sender.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    cloud_events::{Form, SpecVersion},
    ids::{CorrelationId, MessageId},
    wrong_field::WrongField,
};

/// The maximal number of named faults: of a hundred broken events, the first are named.
const NAMED_MAX: usize = 20;

/// An attribute of the envelope: whether the attribute is required, its rule, and a check of a
/// value.
struct Attribute {
    name: &'static str,
    is_required: bool,
    rule: &'static str,
    reads: fn(&str) -> bool,
}

const fn required<T: DeserializeOwned>(name: &'static str, rule: &'static str) -> Attribute {
    Attribute { name, is_required: true, rule, reads: reads::<T> }
}

const fn optional<T: DeserializeOwned>(name: &'static str, rule: &'static str) -> Attribute {
    Attribute { name, is_required: false, rule, reads: reads::<Option<T>> }
}

fn reads<T: DeserializeOwned>(json: &str) -> bool {
    serde_json::from_str::<T>(json).is_ok()
}

const ATTRIBUTES: [Attribute; 12] = [
    required::<SpecVersion>("specversion", "must be \"1.0\""),
    required::<MessageId>("id", "must be a UUID"),
    required::<String>("source", "must be text, such as \"/clients/acme\""),
    required::<String>("type", "must be text: the message's type, such as ledger.balance.get.v1"),
    optional::<String>("subject", "must be text"),
    required::<DateTime<Utc>>("time", "must be an instant such as \"2026-11-22T12:00:00Z\""),
    optional::<String>("dataschema", "must be text"),
    required::<CorrelationId>("correlationid", "must be a UUID"),
    optional::<MessageId>("causationid", "must be a UUID"),
    optional::<String>("traceparent", "must be text"),
    optional::<String>("actor", "must be text"),
    required::<Box<RawValue>>("data", "must be the message"),
];

/// Names the faults of `json`, which cannot be read as `form`.
pub(crate) fn wrong_fields(form: Form, json: &str) -> Vec<WrongField> {
    match (form, serde_json::from_str::<&RawValue>(json)) {
        (_, Err(error)) => vec![no_document(json, &error)],
        (Form::One, Ok(_)) => wrong_envelope("", json),
        (Form::Several, Ok(_)) => match serde_json::from_str::<Vec<&RawValue>>(json) {
            Err(_) => vec![WrongField::new("", "a batch must be a JSON array of events")],
            Ok(events) => {
                let each = events.iter().enumerate();
                let wrong =
                    each.flat_map(|(n, event)| wrong_envelope(&format!("[{n}]"), event.get()));
                wrong.take(NAMED_MAX).collect()
            }
        },
    }
}

/// The fault of a text that is no JSON document, or goes on after the end of one.
fn no_document(json: &str, error: &serde_json::Error) -> WrongField {
    let mut documents = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
    let rule = match (json.trim().is_empty(), documents.next()) {
        (true, _) => "the body is empty".to_owned(),
        (false, Some(Ok(_))) => format!("more than one JSON document: {error}"),
        (false, _) => format!("not JSON: {error}"),
    };
    WrongField::new("", rule)
}

/// The faults of one envelope, at `place`.
fn wrong_envelope(place: &str, json: &str) -> Vec<WrongField> {
    let Ok(attributes) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else {
        return vec![WrongField::new(place, "an event must be a JSON object")];
    };
    let dot = if place.is_empty() { "" } else { "." };
    let wrong = ATTRIBUTES.iter().filter_map(|attribute| {
        let rule = match attributes.get(attribute.name) {
            None if attribute.is_required => "is missing",
            Some(json) if !(attribute.reads)(json.get()) => attribute.rule,
            None | Some(_) => return None,
        };
        Some(WrongField::new(format!("{place}{dot}{}", attribute.name), rule))
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"specversion":"1.0","id":"01a20297-9e51-71c2-8782-a3565f89d41e",
        "source":"/clients/acme","type":"a.b.v1","time":"2026-11-22T09:30:20Z",
        "correlationid":"01a20297-9e51-71c2-8782-a3565f89d41e","data":{}}"#;

    fn named(form: Form, json: &str) -> Vec<String> {
        let wrong = wrong_fields(form, json).into_iter();
        wrong.map(|wrong| format!("{}: {}", wrong.field, wrong.rule)).collect()
    }

    #[test]
    fn each_thing_that_is_missing_or_wrong_is_named() {
        let required = ["specversion", "id", "source", "type", "time", "correlationid", "data"];
        let all: Vec<String> = required.iter().map(|name| format!("{name}: is missing")).collect();
        assert_eq!(named(Form::One, "{}"), all);
        let wrong = GOOD
            .replace("\"1.0\"", "\"0.3\"")
            .replace("\"2026-11-22T09:30:20Z\"", "1795339820000")
            .replace("\"source\":\"/clients/acme\",", "\"actor\":7,");
        let expected = [
            "specversion: must be \"1.0\"",
            "source: is missing",
            "time: must be an instant such as \"2026-11-22T12:00:00Z\"",
            "actor: must be text",
        ];
        assert_eq!(named(Form::One, &wrong), expected);
        assert!(named(Form::One, GOOD).is_empty());
    }

    #[test]
    fn what_is_no_single_document_is_told_apart() {
        let first = |json| named(Form::One, json).remove(0);
        assert_eq!(first(""), ": the body is empty");
        assert_eq!(first("[]"), ": an event must be a JSON object");
        assert!(first("{").starts_with(": not JSON: "), "{}", first("{"));
        let two = format!("{GOOD}\n{GOOD}");
        assert!(first(&two).starts_with(": more than one JSON document: "), "{}", first(&two));
    }

    #[test]
    fn in_a_batch_the_event_is_named_too() {
        let batch = format!("[{GOOD},{{}},7]");
        let wrong = named(Form::Several, &batch);
        assert_eq!(wrong[0], "[1].specversion: is missing");
        assert_eq!(wrong.last().map(String::as_str), Some("[2]: an event must be a JSON object"));
        let many = format!("[{}]", vec!["{}"; 100].join(","));
        assert_eq!(named(Form::Several, &many).len(), NAMED_MAX);
        assert_eq!(named(Form::Several, "{}"), [": a batch must be a JSON array of events"]);
    }
}
