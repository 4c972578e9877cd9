//! Version 1 of the ledger's messages.

mod commands;
mod events;
mod queries;
mod reasons;

pub use commands::*;
pub use events::*;
pub use queries::*;
pub use reasons::*;
