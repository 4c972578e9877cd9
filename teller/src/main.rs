//! The command line of the bank. All of it is in the library, where tests can reach it.

use std::process::ExitCode;

use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("the system lets a process have threads");
    let code = runtime.block_on(teller::cli::main());
    // The driver's thread waits by the runtime's clock until the process ends. A runtime that is
    // shut down before makes it panic, which stands on standard error behind what was told.
    std::mem::forget(runtime);
    code
}
