//! Audit.

pub mod query;
pub mod repo_journal;
pub mod repo_snapshot;
