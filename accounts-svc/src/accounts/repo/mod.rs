//! The accounts' table. Promise: one function for each statement; each statement is checked
//! against the schema when it is compiled; what is read is as valid as what was written.

mod locks;
mod row;
mod writes;

pub(crate) use locks::{lock_accounts_in_tx, next_serials_in_tx, taken_references_in_tx};
pub(crate) use row::{Row, read_all};
pub(crate) use writes::{insert_accounts_in_tx, update_accounts_in_tx};
