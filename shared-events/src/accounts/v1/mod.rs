//! Version 1 of the accounts service's messages.

mod access;
mod commands;
mod events;
mod queries;
mod terms;

pub use access::*;
pub use commands::*;
pub use events::*;
pub use queries::*;
pub use terms::*;
