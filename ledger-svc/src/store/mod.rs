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
mod numeric;
pub(crate) mod orders;
pub(crate) mod periods;
pub(crate) mod proof;
pub(crate) mod queries;
pub(crate) mod set_aside;

/// A sum that was worked out by the database, which knows no bounds.
#[derive(Debug, thiserror::Error)]
#[error("{what} has more digits than can be told: {sum}")]
struct TooLong {
    what: &'static str,
    sum: String,
}

/// Reads a sum that was told as text, so that it keeps its digits: the drivers' decimals would
/// round it where they are full.
fn exact<T: std::str::FromStr>(what: &'static str, sum: String) -> sqlx::Result<T> {
    sum.parse().map_err(|_| sqlx::Error::Decode(TooLong { what, sum }.into()))
}

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
