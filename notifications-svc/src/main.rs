//! The process of the notifications service.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_events::host::serve("notifications", &notifications_svc::SCHEMA, notifications_svc::run)
}
