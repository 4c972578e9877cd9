//! The contract of today beside each contract that was released. Promise: a program that was built
//! against a released schema goes on working: nothing that it may send is refused, and everything
//! that it receives is what that schema says.
//!
//! Released sets stand in `shared-events/released/<version>/` and never change;
//! `make release-contract` adds one.

mod compare;
mod new_codes;
mod rules;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use compare::{Use, compare};
use serde_json::Value;
use shared_events::{
    catalogue::find,
    documents::{SCHEMAS, documents},
    message::Kind,
};

const ENVELOPE: &str = "envelope";

fn released() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released")
}

/// The JSON Schemas of today, by message type.
fn schemas_of_today() -> BTreeMap<String, Value> {
    let of_type = |(path, text): (String, String)| {
        let file = path.strip_prefix(SCHEMAS)?.trim_start_matches('/').to_owned();
        let kind = file.strip_suffix(".json")?;
        let schema = serde_json::from_str(&text).expect("generated schemas are JSON");
        (kind != "asyncapi").then(|| (kind.to_owned(), schema))
    };
    documents().into_iter().filter_map(of_type).collect()
}

/// The JSON Schemas of one released set, by message type.
fn schemas_in(set: &Path) -> BTreeMap<String, Value> {
    let files = fs::read_dir(set).unwrap_or_else(|error| panic!("{}: {error}", set.display()));
    let read = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).expect("released schemas are UTF-8");
        let name = file.file_name().to_string_lossy().into_owned();
        let kind = name.strip_suffix(".json").expect("released schemas are .json").to_owned();
        (kind, serde_json::from_str(&text).expect("released schemas are JSON"))
    };
    files.map(|file| read(file.expect("a folder can be listed"))).collect()
}

/// The writer and the reader of a message of this type.
fn use_of(kind: &str) -> Use {
    match find(kind).map(|entry| entry.kind) {
        Some(Kind::Command | Kind::Query) => Use::Received,
        Some(Kind::Event | Kind::Reply) => Use::Sent,
        None => Use::Both,
    }
}

#[test]
fn programs_built_against_a_released_contract_go_on_working() {
    let sets = fs::read_dir(released()).expect("shared-events/released exists");
    let today = schemas_of_today();
    let mut broken = Vec::new();
    let mut compared = 0;
    for set in sets.map(|set| set.expect("a folder can be listed").path()) {
        let version = set.file_name().expect("a set has a name").to_string_lossy().into_owned();
        for (kind, then) in schemas_in(&set) {
            compared += 1;
            match today.get(&kind) {
                Some(now) => {
                    let found = compare(&then, now, use_of(&kind));
                    broken.extend(
                        found
                            .into_iter()
                            .map(|difference| format!("{version} {kind}: {difference}")),
                    );
                }
                None => broken.push(format!("{version} {kind}: no longer published")),
            }
        }
    }
    assert!(broken.is_empty(), "publish a new version of the message instead: {broken:#?}");
    assert!(compared > 0, "shared-events/released holds no schema");
    assert!(today.contains_key(ENVELOPE), "the envelope has a schema");
}
