//! The verbs: what is done with each message.

mod commands;
mod events;
mod ids;
mod queries;

pub(crate) use commands::Commands;
pub(crate) use events::Events;
pub(crate) use queries::Queries;
