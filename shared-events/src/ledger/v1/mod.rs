//! Version 1 of the ledger's messages.

mod arrangements;
mod books;
mod commands;
mod content;
mod events;
mod history;
mod instructions;
mod interest;
mod journal;
mod monitors;
mod orders;
mod outcomes;
mod periods;
mod queries;
mod reasons;
mod schedules;

pub use arrangements::*;
pub use books::*;
pub use commands::*;
pub use events::*;
pub use history::*;
pub use instructions::*;
pub use interest::*;
pub use journal::*;
pub use monitors::*;
pub use orders::*;
pub use outcomes::*;
pub use periods::*;
pub use queries::*;
pub use reasons::*;
pub use schedules::*;
