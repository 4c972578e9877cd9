//! Facts about the running bank. `cargo test --test bank -- <filter>` checks the facts whose names
//! contain the filter.

use std::process::ExitCode;

use harness::suite;

fn main() -> ExitCode {
    let facts = [scenarios::facts(), conformance::facts()];
    suite::run(facts.into_iter().flatten().collect())
}
