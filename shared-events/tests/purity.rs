//! The dependencies of the contract. Promise: a program that needs the schema alone gets no driver
//! and no runtime, and services are coupled by the contract and by nothing else.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Crates that deliver messages, store rows or serve requests.
const MACHINERY: [&str; 9] =
    ["axum", "hyper", "lapin", "metrics", "reqwest", "sqlx", "sqlx-core", "tokio", "tracing"];
/// The package that may use every other: it tests them together.
const TESTS: &str = "integration-tests";

fn cargo(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cargo {}: {said}", arguments.join(" "));
    String::from_utf8(ran.stdout).expect("cargo writes UTF-8")
}

#[test]
fn the_contract_alone_needs_no_machinery() {
    let tree = cargo(&[
        "tree",
        "--package=shared-events",
        "--edges=normal",
        "--no-default-features",
        "--prefix=none",
    ]);
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("serde"), "cargo tree says something else than it used to:\n{tree}");
    let unwanted: Vec<_> = MACHINERY.iter().filter(|name| crates.contains(*name)).collect();
    assert!(unwanted.is_empty(), "in the tree of the contract: {unwanted:?}");
}

#[test]
fn the_contract_is_pure_by_default() {
    let metadata = metadata();
    let contract = packages(&metadata).find(|package| package["name"] == "shared-events");
    let features = &contract.expect("shared-events is a member")["features"];
    assert_eq!(features["default"], Value::Array(vec![]));
}

#[test]
fn services_depend_on_the_contract_and_on_no_other_crate_of_the_workspace() {
    let metadata = metadata();
    let members: BTreeSet<&str> = packages(&metadata).map(|member| text(&member["name"])).collect();
    let mut couplings = Vec::new();
    for package in packages(&metadata).filter(|package| package["name"] != TESTS) {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for name in dependencies.map(|dependency| text(&dependency["name"])) {
            if members.contains(name) && name != "shared-events" {
                couplings.push(format!("{} depends on {name}", package["name"]));
            }
        }
    }
    assert!(couplings.is_empty(), "{couplings:#?}");
}

fn metadata() -> Value {
    let json = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    serde_json::from_str(&json).expect("cargo metadata is JSON")
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("names are text")
}
