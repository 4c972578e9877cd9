//! The rules of the ledger, as values in and values out: no clock, no ids, no database.

mod account;
mod books;
mod follow;
mod transfer;

pub use account::{Account, After, Status, own_account_id};
pub use books::{Books, Decided, Outcome, Posting};
pub use follow::{AccountEvent, Followed};
pub use transfer::{Decision, digest};

#[cfg(test)]
mod properties;
