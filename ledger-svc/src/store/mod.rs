//! The ledger's tables, one function for each statement. A batch costs the same number of
//! statements whatever its size.

pub(crate) mod accounts;
pub(crate) mod book;
pub(crate) mod history;
pub(crate) mod holds;
pub(crate) mod interest;
pub(crate) mod journal;
pub(crate) mod kept;
pub(crate) mod monitors;
pub(crate) mod orders;
pub(crate) mod proof;
pub(crate) mod queries;

/// A value in a column that no version of this service wrote there.
#[derive(Debug, thiserror::Error)]
#[error("column {column} holds {value:?}, which no version of the ledger writes")]
struct Foreign {
    column: &'static str,
    value: String,
}

/// Reads a column's text as one of our own types.
fn parsed<T>(column: &'static str, value: &str, read: Option<T>) -> sqlx::Result<T> {
    read.ok_or_else(|| sqlx::Error::Decode(Foreign { column, value: value.to_owned() }.into()))
}
