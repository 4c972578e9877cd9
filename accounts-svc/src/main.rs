//! The process of the accounts service.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_events::host::serve("accounts", async |host, settings| {
        accounts_svc::run(host, settings).await.map_err(Into::into)
    })
}
