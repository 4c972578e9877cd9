//! The dependencies of the oracle. Promise: of the workspace the contract alone, so that no line of
//! the ledger can judge itself.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// The crates of the workspace that the oracle consists of.
const ALLOWED: [&str; 2] = ["oracle", "shared-events"];
/// Crates that wait, deliver or store: a model that needs one is no model.
const MACHINERY: [&str; 4] = ["lapin", "reqwest", "sqlx", "tokio"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// The names of all crates that the oracle is built of, its tests included.
fn crates_of_the_oracle() -> BTreeSet<String> {
    let tree = cargo(&["tree", "--package=oracle", "--edges=normal,build,dev", "--prefix=none"]);
    let names = tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned);
    let names: BTreeSet<String> = names.collect();
    assert!(ALLOWED.iter().all(|name| names.contains(*name)), "not a tree of crates: {tree}");
    names
}

#[test]
fn the_oracle_imports_nothing_of_the_ledger_nor_of_any_other_service() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let members = metadata["packages"].as_array().into_iter().flatten();
    let members: BTreeSet<String> =
        members.filter_map(|package| package["name"].as_str()).map(str::to_owned).collect();
    assert!(members.contains("ledger-svc"), "the members of the workspace: {members:?}");
    let crates = crates_of_the_oracle();
    let imported: Vec<&String> =
        crates.intersection(&members).filter(|name| !ALLOWED.contains(&name.as_str())).collect();
    assert!(imported.is_empty(), "the oracle depends on {imported:?}");
}

#[test]
fn the_oracle_is_values_in_and_values_out() {
    let crates = crates_of_the_oracle();
    let machinery: Vec<&&str> = MACHINERY.iter().filter(|name| crates.contains(**name)).collect();
    assert!(machinery.is_empty(), "the oracle depends on {machinery:?}");
}
