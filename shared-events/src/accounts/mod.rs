//! Accounts: their holders, terms and states. The names here are the latest versions.

pub mod v1;
pub mod v2;

pub use v1::*;
pub use v2::{AccountOpened, HolderUpdated};
