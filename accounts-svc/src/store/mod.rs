//! The accounts' tables. Promise: one function for each statement; each statement is checked
//! against the schema when it is compiled; what is read is as valid as what was written.
//!
//! ```text
//! locked   what a batch decides on: locked rows, taken references, fresh serial numbers
//! saved    what a batch has decided, as arrays
//! asked    what queries read
//! row      a row of `accounts` as an account
//! ```

mod asked;
mod locked;
mod row;
mod saved;

use sqlx::migrate::Migrator;

pub(crate) use asked::{
    account_by_external_reference_in_tx, account_by_iban_in_tx, account_by_id_in_tx,
    accounts_after_in_tx,
};
pub(crate) use locked::{lock_accounts_in_tx, next_serials_in_tx, taken_references_in_tx};
pub(crate) use saved::{insert_accounts_in_tx, update_accounts_in_tx};

/// The schema of the service's database.
pub(crate) static MIGRATOR: Migrator = sqlx::migrate!();
