//! The faults of the database. Promise: a transient fault is never taken for the fault of a
//! message.

use std::time::Duration;

/// The constraint that reports a missing day of the inbox (migration 5).
const DAY_TO_COME: &str = "inbox_day_to_come";

/// The constraint that reports a command that another transaction has set aside (migration 9).
const SET_ASIDE_BEFORE: &str = "approvals_pkey";

/// The fault of a server that did not answer within a bound.
pub(crate) fn silent(bound: Duration) -> sqlx::Error {
    let why = format!("the database did not answer within {} s", bound.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why))
}

/// Whether a later attempt can succeed. After nearly every fault it can: the server is away, stops,
/// is out of a resource, refuses the login, lacks a table until a restore. Only faults of the data
/// are a message's own: SQLSTATE classes 21 (cardinality), 22 (data), 23 (integrity), P0 (raised by
/// the database's own rules), and values that cannot be encoded or decoded. A missing day of the
/// inbox is created within a moment; a command that another transaction has set aside is found when
/// the batch is decided again.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error)
            if matches!(error.constraint(), Some(DAY_TO_COME | SET_ASIDE_BEFORE)) =>
        {
            true
        }
        sqlx::Error::Database(error) => error.code().is_none_or(|code| {
            !matches!(code.get(..2).unwrap_or_default(), "21" | "22" | "23" | "P0")
        }),
        sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::RowNotFound => false,
        _ => true,
    }
}
