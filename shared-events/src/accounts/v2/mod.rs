//! Version 2 of the accounts service's messages: events without the data of holders.

mod events;

pub use events::*;
