//! Edits of a parked message. Promise: only `data` changes; every other byte of the envelope stays
//! as its author wrote it.
//!
//! Tests: `only_the_data_changes`, `a_body_that_is_not_one_event_is_not_edited`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::envelope::{Form, MESSAGE_BYTES_MAX, chain, form_of, read_message, text_of};

/// The body with other data, or why there is none.
pub(super) fn with_data(
    content_type: &str,
    body: &[u8],
    data: &Map<String, Value>,
) -> Result<Vec<u8>, String> {
    let read = read_message(content_type, body).map_err(|error| chain(&error).to_string())?;
    if read.len() != 1 || !matches!(form_of(content_type), Ok(Form::One)) {
        return Err("the body is not one event".to_owned());
    }
    let text = text_of(body).expect("the body was read as text before");
    let mut envelope: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(text).expect("an envelope is an object");
    let data = serde_json::value::to_raw_value(data).expect("JSON writes as JSON");
    envelope.insert("data".to_owned(), data);
    let edited = serde_json::to_vec(&envelope).expect("JSON writes as JSON");
    match edited.len() <= MESSAGE_BYTES_MAX {
        true => Ok(edited),
        false => Err(format!("{} bytes are more than a message may have", edited.len())),
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH},
        messaging::test_messages::{body_of, envelope},
    };

    fn data() -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), json!("Jana"))])
    }

    #[test]
    fn only_the_data_changes() {
        let text = String::from_utf8(body_of(&envelope("a"))).expect("JSON is text");
        let body = text.replacen('{', r#"{"custom":1.50,"#, 1);
        let edited = with_data(CONTENT_TYPE, body.as_bytes(), &data()).expect("it is edited");
        let [mut before, mut after]: [Value; 2] = [body.as_bytes(), &edited]
            .map(|body| serde_json::from_slice(body).expect("an envelope"));
        assert_eq!(after["data"], json!({ "name": "Jana" }));
        before["data"].take();
        after["data"].take();
        assert_eq!(before, after);
        assert!(String::from_utf8_lossy(&edited).contains(r#""custom":1.50"#), "as it was written");
        assert_ne!(digest(body.as_bytes()), digest(&edited));
    }

    #[test]
    fn a_body_that_is_not_one_event_is_not_edited() {
        let one = body_of(&envelope("a"));
        let several = [b"[", one.as_slice(), b"]"].concat();
        let large = Map::from_iter([("x".to_owned(), json!("x".repeat(MESSAGE_BYTES_MAX)))]);
        for (content_type, body, data) in [
            (CONTENT_TYPE, b"{".to_vec(), data()),
            ("text/plain", one.clone(), data()),
            (CONTENT_TYPE_BATCH, several, data()),
            (CONTENT_TYPE, one, large),
        ] {
            assert!(with_data(content_type, &body, &data).is_err(), "{content_type}");
        }
    }
}
