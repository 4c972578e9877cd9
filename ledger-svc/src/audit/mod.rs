//! Audit: the journal with its hashes, and a snapshot of the state that follows from it, for the
//! proof of the books.
//!
//! ```text
//! entity         records in their chains; rows of the state as text
//! query          pages of both
//! repo_journal   records with their entries
//! repo_snapshot  accounts, holds, reversals, counts of entries
//! ```

mod entity;
pub(crate) mod query;
mod repo_journal;
mod repo_snapshot;

pub(crate) use entity::{
    ChainedRecord, FollowedTerms, JournalEntry, JournalPage, Snapshot, SnapshotPart, SnapshotRows,
};
