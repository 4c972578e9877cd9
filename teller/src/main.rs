//! The command line of the bank. All of it is in the library, where tests can reach it.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    teller::cli::main().await
}
