//! Columns of the ledger's tables as the ledger's types. Promise: a value that no version of the
//! ledger writes is an error that names the column, and a sum keeps all its digits.

pub(crate) mod numeric;

use shared_events::Currency;

use crate::refusals::{ArrangementError, QueryError};

/// A sum of the database with more digits than the ledger's types hold.
#[derive(Debug, thiserror::Error)]
#[error("{what} has more digits than an amount holds: {sum}")]
struct TooLong {
    what: &'static str,
    sum: String,
}

/// Reads a sum from text: the driver's decimals would round where they are full.
pub(crate) fn exact<T: std::str::FromStr>(what: &'static str, sum: String) -> sqlx::Result<T> {
    sum.parse().map_err(|_| sqlx::Error::Decode(TooLong { what, sum }.into()))
}

/// A value in a column that no version of this service wrote.
#[derive(Debug, thiserror::Error)]
#[error("column {column} holds {value:?}, which no version of the ledger writes")]
struct Foreign {
    column: &'static str,
    value: String,
}

/// Takes the value that was read from a column's text.
pub(crate) fn parsed<T>(column: &'static str, value: &str, read: Option<T>) -> sqlx::Result<T> {
    read.ok_or_else(|| sqlx::Error::Decode(Foreign { column, value: value.to_owned() }.into()))
}

/// Reads a currency column.
pub(crate) fn currency(code: &str) -> sqlx::Result<Currency> {
    parsed("currency", code, code.parse().ok())
}

/// A stored value that cannot be decoded.
pub(crate) fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

impl From<sqlx::Error> for ArrangementError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
