//! Statements: the past of an account, and searches of payments.
//!
//! ```text
//! entity   an entry, the figures of a period, searches
//! query    balances at an instant or a date, statements, searches
//! repo     reading entries and records
//! ```

mod entity;
pub(crate) mod query;
mod repo;

pub(crate) use entity::{
    AsOf, EntrySearch, PaymentName, StatementEntry, StatementPeriod, StatementRange,
};
pub(crate) use repo::ENTRIES_SEARCHED_MAX;
