//! The wire: the only place that names the contract's messages. Promise: a message becomes a
//! checked value of the ledger's own when it comes in, so that nothing behind the wire asks again;
//! an outcome becomes an event by an exhaustive match, so that no outcome is left unannounced.
//!
//! ```text
//! command    handlers of ledger.commands and ledger.arrangements
//! consumers_erasures  the handler of ledger.erasures, and the event of an erasure that is done
//! query      the handler of ledger.queries
//! job        due work, and the events that it announces
//! inbound    messages -> requests
//! outbound   outcomes -> events and replies
//! kinds      the kinds of instructions, in both directions
//! values     the parts that messages of both directions share
//! limits     the limits that the contract publishes are the limits that the ledger keeps
//! ```
//!
//! The wire is the outermost layer: it calls the capabilities, and no capability knows it.

mod command;
mod consumers_erasures;
mod inbound;
mod job;
mod kinds;
mod limits;
mod outbound;
mod query;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use command::{ArrangementHandler, CommandHandler};
pub(crate) use consumers_erasures::{ErasureHandler, texts_erased};
pub(crate) use job::DueJobs;
pub(crate) use query::QueryAnswers;

pub use inbound::instructions::{instruction, transfers};
pub use outbound::{
    events::close_refusal,
    outcomes::{outcome, record, reject_reason},
};
pub use values::blocks;
