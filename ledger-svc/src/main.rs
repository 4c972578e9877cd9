//! The ledger as a process: configuration, probes and signals around [`ledger_svc::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_events::host::serve("ledger", &ledger_svc::SCHEMA, ledger_svc::run)
}
