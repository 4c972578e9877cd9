//! Statements.

pub mod query;
pub mod repo;
