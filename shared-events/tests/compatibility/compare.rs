//! Compares two JSON Schemas of one message version. Promise: every difference that an older
//! program could notice is found, with the place where it stands.
//!
//! | keyword | what may change |
//! |---|---|
//! | `properties` | a property may be added, none removed |
//! | `required` | what a service receives may need less; otherwise nothing |
//! | `oneOf` of constants | a code may be added where readers keep unknown codes |
//! | `oneOf` of objects | what a service receives may have more alternatives |
//! | `maximum`, `maxLength`, ... | what a service receives may be larger (or smaller for minima) |
//! | `description`, `title`, `examples`, `$comment` | anything |
//! | all others | nothing |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The writer and the readers of the messages that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Clients write it, a service reads it: commands and queries.
    Received,
    /// A service writes it, clients read it: events and replies.
    Sent,
    /// Both: the envelope.
    Both,
}

/// For people only.
const WORDS: [&str; 6] = ["$id", "$schema", "$comment", "description", "examples", "title"];
/// Compared each in its own way.
const COMPARED: [&str; 9] = [
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "items",
    "not",
    "oneOf",
    "properties",
    "required",
];
const UPPER_BOUNDS: [&str; 3] = ["maxItems", "maxLength", "maximum"];
const LOWER_BOUNDS: [&str; 3] = ["minItems", "minLength", "minimum"];

/// The differences that break programs built against `then`, with their places in the schema.
pub(crate) fn compare(then: &Value, now: &Value, direction: Use) -> Vec<String> {
    let mut comparison =
        Comparison { then, now, direction, broken: vec![], begun: BTreeSet::new() };
    comparison.schemas("", then, now);
    comparison.broken
}

struct Comparison<'s> {
    then: &'s Value,
    now: &'s Value,
    direction: Use,
    broken: Vec<String>,
    /// Pairs of definitions whose comparison has begun: schemas may be recursive.
    begun: BTreeSet<(String, String)>,
}

impl<'s> Comparison<'s> {
    fn breaks(&mut self, at: &str, what: impl AsRef<str>) {
        let at = if at.is_empty() { "/" } else { at };
        self.broken.push(format!("{at} {}", what.as_ref()));
    }

    fn schemas(&mut self, at: &str, then: &'s Value, now: &'s Value) {
        let references = (reference(then), reference(now));
        if let (Some(then), Some(now)) = &references
            && !self.begun.insert((then.clone(), now.clone()))
        {
            return;
        }
        let (then, now) = (resolved(self.then, then), resolved(self.now, now));
        match (then, now) {
            (Value::Object(then), Value::Object(now)) => self.keywords(at, then, now),
            (then, now) if then == now => {}
            (then, now) => self.breaks(at, format!("was {then} and is {now}")),
        }
    }

    fn keywords(&mut self, at: &str, then: &'s Map<String, Value>, now: &'s Map<String, Value>) {
        self.properties(at, then, now);
        self.required(at, then, now);
        for keyword in ["items", "additionalProperties", "not"] {
            match (then.get(keyword), now.get(keyword)) {
                (Some(then), Some(now)) => self.schemas(&format!("{at}/{keyword}"), then, now),
                (None, None) => {}
                (then, now) => self.breaks(at, format!("{keyword} was {then:?} and is {now:?}")),
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            self.alternatives(at, keyword, (then, now));
        }
        let others = then.keys().chain(now.keys()).map(String::as_str).collect::<BTreeSet<_>>();
        let ignored = |name: &&str| WORDS.contains(name) || COMPARED.contains(name);
        for keyword in others.into_iter().filter(|name| !ignored(name)) {
            self.values(at, keyword, then.get(keyword), now.get(keyword));
        }
    }

    fn properties(&mut self, at: &str, then: &'s Map<String, Value>, now: &'s Map<String, Value>) {
        let (then, now) = (fields(then), fields(now));
        for (name, then) in then {
            match now.get(name) {
                Some(now) => self.schemas(&format!("{at}/{name}"), then, now),
                None => self.breaks(&format!("{at}/{name}"), "was removed"),
            }
        }
    }

    fn required(&mut self, at: &str, then: &Map<String, Value>, now: &Map<String, Value>) {
        let (then, now) = (names(then.get("required")), names(now.get("required")));
        for name in now.difference(&then) {
            self.breaks(&format!("{at}/{name}"), "is newly required");
        }
        if self.direction != Use::Received {
            for name in then.difference(&now) {
                self.breaks(&format!("{at}/{name}"), "may be missing now");
            }
        }
    }

    /// Alternatives, matched by what tells them apart: their constant, their one property, or their
    /// place.
    fn alternatives(
        &mut self,
        at: &str,
        keyword: &str,
        (then, now): (&'s Map<String, Value>, &'s Map<String, Value>),
    ) {
        let open = says_open(then) && says_open(now);
        let (then, now) = (tagged(then.get(keyword)), tagged(now.get(keyword)));
        for (tag, then) in &then {
            match now.get(tag) {
                Some(now) => self.schemas(&format!("{at}/{tag}"), then, now),
                None => self.breaks(&format!("{at}/{tag}"), "was removed"),
            }
        }
        let may_grow = open || (self.direction == Use::Received && !then.is_empty());
        for tag in now.keys().filter(|tag| !may_grow && !then.contains_key(*tag)) {
            self.breaks(&format!("{at}/{tag}"), "is new, and readers need not keep unknown codes");
        }
    }

    fn values(&mut self, at: &str, keyword: &str, then: Option<&Value>, now: Option<&Value>) {
        let wider = match (then.and_then(Value::as_f64), now.and_then(Value::as_f64)) {
            _ if self.direction != Use::Received => false,
            (Some(then), Some(now)) if UPPER_BOUNDS.contains(&keyword) => now >= then,
            (Some(then), Some(now)) if LOWER_BOUNDS.contains(&keyword) => now <= then,
            (Some(_), None) => UPPER_BOUNDS.contains(&keyword) || LOWER_BOUNDS.contains(&keyword),
            _ => false,
        };
        if then != now && !wider {
            let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
            self.breaks(at, format!("{keyword} was {} and is {}", shown(then), shown(now)));
        }
    }
}

/// Whether a list of codes says that a reader keeps the codes that it does not know.
pub(crate) fn says_open(schema: &Map<String, Value>) -> bool {
    let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf"));
    let all = alternatives.and_then(Value::as_array).into_iter().flatten();
    let mut any_text = all.filter(|alternative| {
        alternative["type"] == "string" && alternative.get("const").is_none()
    });
    any_text.next().is_some_and(|text| text.get("pattern").is_some())
}

fn reference(schema: &Value) -> Option<String> {
    schema.get("$ref").and_then(Value::as_str).map(str::to_owned)
}

/// The definition that a schema refers to, or the schema itself.
pub(crate) fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match reference(schema).and_then(|pointer| pointer.strip_prefix('#').map(str::to_owned)) {
        Some(pointer) => {
            let found = root.pointer(&pointer);
            resolved(root, found.unwrap_or_else(|| panic!("{pointer} is not in the schema")))
        }
        None => schema,
    }
}

fn fields(schema: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().collect()
}

fn names(list: Option<&Value>) -> BTreeSet<String> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn tagged(list: Option<&Value>) -> BTreeMap<String, &Value> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.enumerate().map(|(place, alternative)| (tag(place, alternative), alternative)).collect()
}

fn tag(place: usize, alternative: &Value) -> String {
    let only = alternative.get("properties").and_then(Value::as_object);
    let only = only.filter(|fields| fields.len() == 1).and_then(|fields| fields.keys().next());
    let constant = alternative.get("const").and_then(Value::as_str);
    let referred = alternative.get("$ref").and_then(Value::as_str);
    let known = constant.or(only.map(String::as_str)).or(referred);
    let text = alternative.get("type").and_then(Value::as_str);
    known.or(text).map_or_else(|| place.to_string(), str::to_owned)
}
