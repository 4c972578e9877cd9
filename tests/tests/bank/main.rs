//! Facts about the running bank. `cargo test -p integration-tests -- <filter>` checks those whose
//! name contains the filter.

mod conformance;
mod scenarios;

use std::process::ExitCode;

use integration_tests::suite;

fn main() -> ExitCode {
    let facts = [scenarios::facts(), conformance::facts()];
    suite::run(facts.into_iter().flatten().collect())
}
