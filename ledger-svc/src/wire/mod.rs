//! Wire.

pub mod command;
pub mod inbound;
pub mod job;
pub mod outbound;
pub mod query;
