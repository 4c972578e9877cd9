//! Version 1 of the accounts service's messages.

mod access;
mod books;
mod commands;
mod erasure;
mod events;
mod history;
mod holders;
mod queries;
mod terms;

pub use access::*;
pub use books::*;
pub use commands::*;
pub use erasure::*;
pub use events::*;
pub use history::*;
pub use holders::*;
pub use queries::*;
pub use terms::*;
