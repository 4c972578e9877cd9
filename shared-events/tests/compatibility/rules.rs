//! The differences that the comparison accepts, and the differences that it reports.

use serde_json::{Value, json};

use crate::compare::{Use, compare};

fn object(properties: &Value, required: &Value) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn code(name: &str) -> Value {
    json!({ "type": "string", "const": name, "description": "a code" })
}

fn check(then: &Value, now: &Value, direction: Use, found: &[&str]) {
    assert_eq!(compare(then, now, direction), found, "{then} -> {now} ({direction:?})");
}

#[test]
fn words_may_change() {
    let then = json!({ "type": "string", "description": "Then." });
    let now = json!({ "type": "string", "description": "Now.", "examples": ["x"] });
    check(&then, &now, Use::Sent, &[]);
}

#[test]
fn a_property_may_be_added_and_none_removed() {
    let one = object(&json!({ "a": { "type": "string" } }), &json!(["a"]));
    let two = json!({ "a": { "type": "string" }, "b": { "type": "integer" } });
    let two = object(&two, &json!(["a"]));
    check(&one, &two, Use::Sent, &[]);
    check(&one, &two, Use::Received, &[]);
    check(&two, &one, Use::Received, &["/b was removed"]);
}

#[test]
fn nothing_is_newly_required_and_readers_find_what_they_relied_on() {
    let fields = json!({ "a": { "type": "string" }, "b": { "type": "string" } });
    let (one, both) = (object(&fields, &json!(["a"])), object(&fields, &json!(["a", "b"])));
    check(&one, &both, Use::Received, &["/b is newly required"]);
    check(&one, &both, Use::Sent, &["/b is newly required"]);
    check(&both, &one, Use::Received, &[]);
    check(&both, &one, Use::Sent, &["/b may be missing now"]);
}

#[test]
fn types_and_patterns_stay() {
    let text = json!({ "type": "string", "pattern": "^[A-Z]{3}$" });
    let number = json!({ "type": "integer" });
    let found =
        [r#"/ pattern was "^[A-Z]{3}$" and is absent"#, r#"/ type was "string" and is "integer""#];
    check(&text, &number, Use::Received, &found);
}

#[test]
fn bounds_may_widen_for_what_a_service_receives_alone() {
    let (short, long) = (json!({ "maxLength": 10 }), json!({ "maxLength": 20 }));
    check(&short, &long, Use::Received, &[]);
    check(&long, &short, Use::Received, &["/ maxLength was 20 and is 10"]);
    check(&short, &long, Use::Sent, &["/ maxLength was 10 and is 20"]);
    let (two, one) = (json!({ "minItems": 2 }), json!({ "minItems": 1 }));
    check(&two, &one, Use::Received, &[]);
    check(&one, &two, Use::Received, &["/ minItems was 1 and is 2"]);
}

fn closed(codes: &[&str]) -> Value {
    json!({ "oneOf": codes.iter().map(|name| code(name)).collect::<Vec<_>>() })
}

/// Codes of which the schema says that a reader keeps those that it does not know.
fn open(codes: &[&str], pattern: &str) -> Value {
    let mut all: Vec<_> = codes.iter().map(|name| code(name)).collect();
    all.push(json!({ "type": "string", "pattern": pattern }));
    json!({ "anyOf": all })
}

const ANY_CODE: &str = "^[a-z0-9_]{1,64}$";

#[test]
fn a_code_is_added_where_the_schema_says_open_and_nowhere_else() {
    check(&open(&["a"], ANY_CODE), &open(&["a", "b"], ANY_CODE), Use::Sent, &[]);
    let new = "/b is new, and readers need not keep unknown codes";
    check(&closed(&["a"]), &closed(&["a", "b"]), Use::Sent, &[new]);
    // A service that receives a code may learn another.
    check(&closed(&["a"]), &closed(&["a", "b"]), Use::Received, &[]);
}

#[test]
fn a_code_is_neither_removed_nor_renamed() {
    for direction in [Use::Sent, Use::Received] {
        let removed = "/b was removed";
        check(&closed(&["a", "b"]), &closed(&["a"]), direction, &[removed]);
        check(&open(&["a", "b"], ANY_CODE), &open(&["a"], ANY_CODE), direction, &[removed]);
        check(&open(&["b"], ANY_CODE), &open(&["c"], ANY_CODE), direction, &[removed]);
    }
}

#[test]
fn the_form_of_unknown_codes_is_not_narrowed_and_open_codes_are_not_closed() {
    let shorter = "^[a-z0-9_]{1,32}$";
    let narrowed = format!("/string pattern was {ANY_CODE:?} and is {shorter:?}");
    check(&open(&["a"], ANY_CODE), &open(&["a"], shorter), Use::Sent, &[&narrowed]);
    // Old readers of a closed list do not keep a new code: to open the list later is too late.
    let then = closed(&["a"]);
    let found = compare(&then, &open(&["a", "b"], ANY_CODE), Use::Sent);
    assert!(found.contains(&"/a was removed".to_owned()), "{found:?}");
    let found = compare(&open(&["a"], ANY_CODE), &then, Use::Sent);
    assert!(found.contains(&"/string was removed".to_owned()), "{found:?}");
}

#[test]
fn alternatives_are_added_to_what_a_service_receives_alone() {
    let kind = |name: &str| object(&json!({ name: { "type": "string" } }), &json!([name]));
    let (one, two) = (json!({ "oneOf": [kind("a")] }), json!({ "oneOf": [kind("a"), kind("b")] }));
    check(&one, &two, Use::Received, &[]);
    check(&one, &two, Use::Sent, &["/b is new, and readers need not keep unknown codes"]);
}

#[test]
fn definitions_are_compared_where_they_are_used() {
    let with = |bound: u32| {
        let text = json!({ "type": "string", "maxLength": bound });
        let list = json!({ "properties": { "next": { "$ref": "#/$defs/List" },
            "text": { "$ref": "#/$defs/Text" } } });
        json!({ "$ref": "#/$defs/List", "$defs": { "List": list, "Text": text } })
    };
    check(&with(5), &with(5), Use::Sent, &[]);
    check(&with(5), &with(4), Use::Received, &["/text maxLength was 5 and is 4"]);
}
