//! Version 1 of the ledger's messages.

mod commands;
mod content;
mod events;
mod history;
mod instructions;
mod journal;
mod outcomes;
mod queries;
mod reasons;

pub use commands::*;
pub use events::*;
pub use history::*;
pub use instructions::*;
pub use journal::*;
pub use outcomes::*;
pub use queries::*;
pub use reasons::*;
