//! The ledger's tables, one function for each statement. A batch costs the same number of
//! statements whatever its size.

/// A sum that was worked out by the database, which knows no bounds.
#[derive(Debug, thiserror::Error)]
#[error("{what} has more digits than can be told: {sum}")]
struct TooLong {
    what: &'static str,
    sum: String,
}

/// Reads a sum that was told as text, so that it keeps its digits: the drivers' decimals would
/// round it where they are full.
pub(crate) fn exact<T: std::str::FromStr>(what: &'static str, sum: String) -> sqlx::Result<T> {
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
pub(crate) fn parsed<T>(column: &'static str, value: &str, read: Option<T>) -> sqlx::Result<T> {
    read.ok_or_else(|| sqlx::Error::Decode(Foreign { column, value: value.to_owned() }.into()))
}
