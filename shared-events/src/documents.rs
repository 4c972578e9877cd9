//! The contract as files, for clients in other languages: schemas, the AsyncAPI document, and the
//! broker's definitions. Promise: the same contract renders to the same bytes, on every machine and
//! with every set of features.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    asyncapi::asyncapi,
    catalogue::{PUBLISHED, generator},
    envelope::{Envelope, schema_urn},
    topology::{self, Principals},
};

/// The folder of the schemas, from the root of the repository.
pub const SCHEMAS: &str = "shared-events/schemas";
/// The file of the broker's definitions, from the root of the repository.
pub const DEFINITIONS: &str = "rabbitmq/definitions.json";

/// All generated files: path from the root of the repository, and text.
#[must_use]
pub fn documents() -> BTreeMap<String, String> {
    let mut documents = BTreeMap::from([
        (format!("{SCHEMAS}/envelope.json"), pretty(&envelope_schema())),
        (format!("{SCHEMAS}/asyncapi.json"), pretty(&asyncapi())),
        (DEFINITIONS.to_owned(), definitions_for(&Principals::development())),
    ]);
    documents.extend(PUBLISHED.iter().map(|entry| {
        (format!("{SCHEMAS}/{}.json", entry.kind_name), pretty(&entry.schema().to_value()))
    }));
    documents
}

/// The broker's definitions for these principals.
#[must_use]
pub fn definitions_for(principals: &Principals) -> String {
    pretty(&topology::definitions(principals))
}

/// The JSON Schema of the envelope, with any data.
#[must_use]
pub fn envelope_schema() -> Value {
    let mut schema = generator().into_root_schema_for::<Envelope<Value>>();
    schema.insert("$id".to_owned(), schema_urn("envelope").into());
    schema.insert("title".to_owned(), "Envelope".into());
    schema.to_value()
}

/// Indented JSON with sorted keys and a newline at the end. Sorting is necessary because other
/// crates of a build decide whether `serde_json` keeps the order of keys.
fn pretty(document: &Value) -> String {
    let text = serde_json::to_string_pretty(&sorted(document)).expect("values are JSON");
    text + "\n"
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            fields.into_iter().map(|(name, field)| (name.clone(), sorted(field))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
