//! The table of accounts. Promise: one function for each statement; each statement is checked
//! against the schema when it is compiled; a row is read as the account that was written.
//!
//! ```text
//! locks    rows that a batch decides on, and external references that are taken
//! writes   the changes of a batch, as arrays
//! row      a row as an account
//! ```

mod locks;
mod row;
mod writes;

pub(crate) use locks::{lock_accounts_in_tx, taken_references_in_tx, unchanged_for_in_tx};
pub(crate) use row::{AccountRow, read_all};
pub(crate) use writes::{insert_accounts_in_tx, update_accounts_in_tx};
