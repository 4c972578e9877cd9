//! Commands that wait for the approval of another principal: the same queries, commands and events
//! for every service. The names here are the latest versions.

pub mod v1;

pub use v1::*;
