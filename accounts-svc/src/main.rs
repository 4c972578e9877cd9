//! The process of the accounts service.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_events::host::serve("accounts", &accounts_svc::SCHEMA, accounts_svc::run)
}
