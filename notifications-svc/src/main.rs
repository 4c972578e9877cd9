//! The process of the notifications service.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_events::host::serve("notifications", async |host, settings| {
        notifications_svc::run(host, settings).await.map_err(Into::into)
    })
}
