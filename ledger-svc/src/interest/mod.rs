//! Interest.

pub mod accrual;
pub mod capitalisation;
pub mod command;
pub mod job;
pub mod query;
pub mod repo;
pub mod repo_due;
