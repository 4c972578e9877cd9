//! Repeated keys of a JSON object. Promise: a body with a repeated key is refused, in the envelope
//! and in the data, at any depth; two readers could read two messages.
//!
//! The scan follows a text that a parser has accepted, byte by byte; the scan makes no values and
//! needs no stack, so depth and size cost no more than one pass over the text.

use std::{borrow::Cow, collections::HashSet};

/// The number of keys above which keys are looked up instead of compared one by one.
const COMPARED_MAX: usize = 24;

/// An open array or object of the scan.
struct Level<'j> {
    /// The place of the first of its keys; an array has none.
    keys: usize,
    /// The number of passed elements of an array.
    index: Option<usize>,
    /// The keys of an object with many keys.
    many: Option<HashSet<Cow<'j, str>>>,
}

/// The path of the first repeated key, such as `data.transfers[3].money.amount`. `json` must be
/// JSON.
#[must_use]
pub(crate) fn repeated_key(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let (mut levels, mut keys) = (Vec::<Level<'_>>::new(), Vec::<Cow<'_, str>>::new());
    let (mut at, mut key_is_next) = (0, false);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = string_end(bytes, at);
                if std::mem::take(&mut key_is_next) {
                    let level = levels.last_mut()?;
                    let key = unescaped(&json[at - 1..=end]);
                    let is_there = level.has(&keys[level.keys..], &key);
                    keys.push(key);
                    if is_there {
                        return Some(path(&levels, &keys));
                    }
                }
                at = end + 1;
            }
            b'{' | b'[' => {
                key_is_next = *byte == b'{';
                let index = (!key_is_next).then_some(0);
                levels.push(Level { keys: keys.len(), index, many: None });
            }
            b'}' | b']' => {
                let level = levels.pop()?;
                keys.truncate(level.keys);
                key_is_next = false;
            }
            b',' => match levels.last_mut()?.index.as_mut() {
                Some(index) => *index += 1,
                None => key_is_next = true,
            },
            _ => {}
        }
    }
    None
}

impl<'j> Level<'j> {
    /// Whether a key is equal to an earlier one.
    fn has(&mut self, before: &[Cow<'j, str>], key: &str) -> bool {
        if before.len() < COMPARED_MAX {
            return before.iter().any(|earlier| earlier == key);
        }
        let many = self.many.get_or_insert_default();
        many.extend(before[many.len()..].iter().cloned());
        many.contains(key)
    }
}

/// The place of the closing quote of a string whose text begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    let next = |at: usize| {
        let rest = bytes.get(at..)?;
        rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|found| at + found)
    };
    while let Some(found) = next(at) {
        if bytes[found] == b'"' {
            return found;
        }
        at = found + 2;
    }
    bytes.len() - 1
}

/// A key, from its text with quotes. `"\u0069d"` is `"id"`.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    match quoted.contains('\\') {
        false => Cow::Borrowed(quoted.trim_matches('"')),
        true => Cow::Owned(serde_json::from_str(quoted).unwrap_or_default()),
    }
}

/// The path of the last pushed key.
fn path(levels: &[Level<'_>], keys: &[Cow<'_, str>]) -> String {
    let mut path = String::new();
    let ends = levels.iter().skip(1).map(|level| level.keys).chain([keys.len()]);
    for (level, end) in levels.iter().zip(ends) {
        match level.index {
            Some(index) => path.push_str(&format!("[{index}]")),
            None => {
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(dot);
                path.push_str(&keys[end - 1]);
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth() {
        for (json, expected) in [
            ("{}", None),
            ("[]", None),
            (r#""a string \" {\"a\":1,\"a\":2}""#, None),
            (r#"{"a":1,"b":2}"#, None),
            (r#"{"a":"a","b":["b","b",{"a":1},{"a":2}],"c":{"a":{"a":0}}}"#, None),
            (r#"{"a":1,"a":1}"#, Some("a")),
            (r#"{"a":{"b":[]},"a":{}}"#, Some("a")),
            (r#"{"id":1,"\u0069d":2}"#, Some("id")),
            (r#"{"data":{"x":[1,{"m":{"k":1,"l":"}","k":2}}]}}"#, Some("data.x[1].m.k")),
            (r#"[{"a":1},{"a":1, "b":[[],{}], "a":2}]"#, Some("[1].a")),
            (r#"{"":1,"":2}"#, Some("")),
            (r#"{"a\\":1,"a\\":2}"#, Some("a\\")),
        ] {
            serde_json::from_str::<&serde_json::value::RawValue>(json).expect("it is JSON");
            assert_eq!(repeated_key(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn many_keys_and_great_depth_cost_their_length_only() {
        let many: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":{n}")).collect();
        let json = format!("{{{},\"k77777\":0}}", many.join(","));
        assert_eq!(repeated_key(&json).as_deref(), Some("k77777"));
        let deep = format!("{}{}", "{\"a\":[".repeat(100_000), "]}".repeat(100_000));
        assert_eq!(repeated_key(&deep), None);
    }
}
