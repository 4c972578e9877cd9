//! The benchmark of the bank. Promise: every figure is of the real path (broker, databases and
//! services as they run), beside what broker and database do alone, in the same run; a figure whose
//! transfers did not all arrive is none.
//!
//! ```text
//! options      the command line: a plan, and where the bank is
//! run          one part of the plan after another
//!   place      where the bank is; containers: the engine's view of it; machine: its hardware
//!   fill       the accounts to measure with
//!   pgbench    \
//!   bus         > the floor: broker and database alone
//!   commit     /
//!   traffic    debtors and creditors; command: ready to send; publisher: without waiting
//!   load       as much as the bank can take: transfers a second, and their cost (usage)
//!   latency    how long a transfer takes while the bank is not busy; settle: all have arrived
//!   shapes     hot account, Zipf, uniform
//!   overload   three times as much as the bank can take
//!   large      with a past (history, written by the ledger's own writer) and without
//! store        the statements in the databases
//! report       ratios, JSON; table; plot; output: to standard output
//! ```
//!
//! Outside the services and the tests this is the only program that writes into databases. It
//! is for a throw-away bank.

mod bus;
mod command;
mod commit;
mod containers;
mod fault;
mod fill;
mod history;
mod large;
mod latency;
mod load;
mod machine;
mod options;
mod output;
mod overload;
mod percentiles;
mod pgbench;
mod place;
mod plan;
mod plot;
mod publisher;
mod report;
mod run;
mod settle;
mod shapes;
mod store;
mod table;
mod traffic;
mod usage;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    let as_json = options.json;
    let runtime = Runtime::new().expect("the system lets a process have threads");
    let ended = runtime.block_on(options.run());
    // The driver's thread waits by the runtime's clock until the process ends. A runtime that is
    // shut down before makes it panic, which stands on standard error behind the report.
    std::mem::forget(runtime);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(as_json),
    }
}
