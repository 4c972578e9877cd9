//! What an account is and how it changes. Promise: values in, values out; no `async`, clock, id
//! generation, SQL or logging.
//!
//! ```text
//! book       the accounts of one batch; each command sees what those before it did
//! decide     one command or event, one account: how it changes, or why not
//! lifecycle  which status leads where
//! rules      what a field must be
//! refusal    why a command is refused
//! bank       account numbers and IBANs
//! page       how much of a list goes into one answer
//! ```

mod bank;
mod book;
mod decide;
mod lifecycle;
mod page;
mod refusal;
mod rules;
#[cfg(test)]
mod samples;

pub(crate) use bank::{Bank, Serial};
pub(crate) use book::{Book, Reaction, account_of, followed_by, openings};
pub(crate) use decide::{Change, Changed};
pub(crate) use page::page;
pub(crate) use refusal::Refusal;
pub(crate) use rules::{InvalidField, external_reference, searchable};
