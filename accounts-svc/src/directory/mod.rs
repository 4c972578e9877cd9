//! The directory of accounts: one account by a key, or a list. Promise: an answer shows the
//! accounts of one snapshot, and nothing is stored or locked.
//!
//! ```text
//! entity   the keys of an account, and the filters of a list
//! query    one account; a list in the order of ids
//! repo     the statements
//! ```

mod entity;
mod query;
mod repo;

pub(crate) use entity::{AccountKey, AccountListing};
pub(crate) use query::{find_in_tx, list_in_tx};
