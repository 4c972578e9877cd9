//! The dependencies of the workspace's crates. Promise: a program that uses the schema alone gets
//! no driver and no runtime; services are coupled by the contract and by nothing else; a clerk or
//! an operator installs nothing that knows a database; only the command line knows a terminal.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

/// Crates that deliver messages, store rows or serve requests.
const MACHINERY: [&str; 9] =
    ["axum", "hyper", "lapin", "metrics", "reqwest", "sqlx", "sqlx-core", "tokio", "tracing"];
/// The folder of the packages that may use every other: they test them together.
const TESTS: &str = "tests";
/// The members outside the services that may know a database: the delivery code, which a feature
/// turns on, and the benchmark.
const KNOW_DATABASES: [&str; 2] = ["shared-events", "bankwire-bench"];
/// Crates that speak to a person.
const TERMINAL: [&str; 4] = ["clap", "comfy-table", "crossterm", "indicatif"];

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

/// The crates that a package is built of, with these arguments.
fn tree(package: &str, more: &[&str]) -> BTreeSet<String> {
    let package = format!("--package={package}");
    let shown = cargo(&[&["tree", &package, "--edges=normal", "--prefix=none"], more].concat());
    let crates: BTreeSet<String> =
        shown.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(crates.contains("serde"), "cargo tree says something else than it used to:\n{shown}");
    crates
}

/// The crates among `names` that a package is built of.
fn found(package: &str, more: &[&str], names: &[&str]) -> Vec<String> {
    let crates = tree(package, more);
    let found = names.iter().filter(|name| crates.contains(**name));
    found.map(|name| format!("{package} is built of {name}")).collect()
}

#[test]
fn the_contract_alone_needs_no_machinery() {
    let unwanted = found("shared-events", &["--no-default-features"], &MACHINERY);
    assert!(unwanted.is_empty(), "{unwanted:#?}");
}

#[test]
fn what_a_clerk_installs_knows_no_database() {
    let databases = ["sqlx", "sqlx-core", "sqlx-postgres", "ledger-svc", "accounts-svc"];
    let unwanted = found("teller-cli", &[], &databases);
    assert!(unwanted.is_empty(), "{unwanted:#?}");
    // The same question has another answer of a crate that does know one.
    assert!(!found("bankwire-bench", &[], &databases).is_empty());
}

#[test]
fn only_the_command_line_knows_a_terminal() {
    let tools = ["client", "files", "camt053", "audit", "legacy"];
    let unwanted = tools.map(|tool| found(&format!("teller-{tool}"), &[], &TERMINAL)).concat();
    assert!(unwanted.is_empty(), "{unwanted:#?}");
    assert_eq!(found("teller-cli", &[], &TERMINAL).len(), TERMINAL.len());
}

#[test]
fn outside_the_services_only_the_benchmark_knows_databases() {
    let metadata = metadata();
    let mut known = BTreeSet::new();
    for package in packages(&metadata).filter(|package| !is_of_tests(&metadata, package)) {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        if dependencies.map(|it| text(&it["name"])).any(|name| name == "sqlx") {
            known.insert(text(&package["name"]));
        }
    }
    known.retain(|name| !name.ends_with("-svc"));
    assert_eq!(known, BTreeSet::from(KNOW_DATABASES));
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
    let couplings = couplings(|name| name.ends_with("-svc") || name == "shared-events");
    let others = couplings.iter().filter(|(_, to)| to != "shared-events");
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}

#[test]
fn clients_depend_on_no_service_and_the_benchmark_on_the_ledger_alone() {
    let couplings = couplings(|name| !name.ends_with("-svc"));
    let services: Vec<&(String, String)> =
        couplings.iter().filter(|(_, to)| to.ends_with("-svc")).collect();
    assert_eq!(services, [&("bankwire-bench".to_owned(), "ledger-svc".to_owned())]);
}

/// Whether a package is a part of the tests.
fn is_of_tests(metadata: &Value, package: &Value) -> bool {
    let tests = Path::new(text(&metadata["workspace_root"])).join(TESTS);
    Path::new(text(&package["manifest_path"])).starts_with(tests)
}

/// The members on which members with such a name depend; those of the tests are left out.
fn couplings(is_meant: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        packages(&metadata).map(|package| text(&package["name"])).collect();
    let mut couplings = Vec::new();
    let meant = packages(&metadata).filter(|package| !is_of_tests(&metadata, package));
    for package in meant.filter(|package| is_meant(text(&package["name"]))) {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let names = dependencies.map(|dependency| text(&dependency["name"]));
        let names = names.filter(|name| members.contains(name));
        couplings.extend(names.map(|name| (text(&package["name"]).to_owned(), name.to_owned())));
    }
    couplings
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
