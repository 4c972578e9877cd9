//! What an account is and how it changes.

mod change;
mod command;
mod lifecycle;
mod refusal;
pub(crate) mod repo;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod save;
mod working_set;

pub(crate) use change::{Change, Changed};
pub(crate) use command::Commands;
pub(crate) use refusal::Refusal;
pub(crate) use working_set::{Book, Reaction, account_of, followed_by, openings};
