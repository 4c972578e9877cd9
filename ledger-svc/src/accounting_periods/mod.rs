//! Accounting periods.

pub mod command;
pub mod repo;
