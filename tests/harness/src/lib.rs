//! Real services over a real broker and real databases. A test is a fact about the running bank.
//!
//! ```text
//! suite      the list of facts, run by libtest-mimic: each with a bank of its own, cleaned up
//! diagnosis  where a bank's messages are, and what its services warned of
//! results    the report at the end of a run: durations, and the facts that failed
//! run        one broker and one PostgreSQL server for a whole run, as containers
//! bank       one test's bank: a virtual host, three databases, the services it starts
//! bank_day   the bank's day, which always differs from UTC's
//! certificates  the authority of a run, and the certificates of its servers and clients
//! instance   a service process: started, stopped, killed, asked for its health and metrics
//! binaries   the services' own binaries, built beside the tests; scratch files
//! processes  the running processes, so that an interrupted run leaves none behind
//! pooler     PgBouncer between an instance and its database
//! proxy      stands between an instance and its servers: pauses, cuts, retargets
//! message    messages to the bus, well formed or not
//! raw        a publisher of any bytes
//! parked     messages in a queue, with the reason and detail of their parking
//! recorder   every published event, or the replies to one requester
//! transcript messages as text that is the same in every run
//! statements whether a statement is valid against ISO's schema
//! wait       a condition and a deadline instead of a sleep
//! ```
//! How to write a test: `../README.md`.

pub mod bank;
mod bank_day;
pub mod binaries;
pub mod broker;
pub mod certificates;
mod connection;
pub mod database;
mod diagnosis;
mod docker;
pub mod instance;
pub mod message;
pub mod parked;
mod pooler;
mod processes;
pub mod proxy;
pub mod raw;
pub mod recorder;
mod results;
mod run;
pub mod statements;
pub mod suite;
pub mod transcript;
pub mod wait;

pub use bank::{Bank, RETIRED_EVENTS};
pub use bank_day::{time_zone, today};
pub use instance::Instance;
pub use message::Message;
pub use parked::Parked;
pub use proxy::{Direction, Proxy};
pub use recorder::{Recorded, Recorder};
pub use suite::Fact;
pub use transcript::Names;
pub use wait::{PATIENCE, wait_for, wait_value};
