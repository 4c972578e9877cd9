//! A batch of `ledger.commands`: instructions and changes of accounts, decided in their order in one
//! posting session.
//!
//! ```text
//! request   the content of a message of the queue
//! command   decides a batch; a preview decides one that nobody stores
//! ```

pub(crate) mod command;
mod request;

pub(crate) use request::{CommandRefusal, LedgerRequest};
