//! The ledger: transfers, balances, statements. The names here are the latest versions.

pub mod v1;

pub use v1::*;
