//! Accounts: an account's balance, its limits and its status.
//!
//! ```text
//! entity       the account: balances, checks before a change, the change itself
//! limit_usage  the amounts that an account has spent on a day and in a month
//! repo         the table of accounts: locking, reading, storing; the trial balance
//! ```

mod entity;
mod limit_usage;
pub(crate) mod repo;
pub(crate) mod repo_trial_balance;

pub use entity::{
    Account, AccountAfter, AccountRefusal, Blocks, Limits, Status, internal_account_id,
};
pub use limit_usage::LimitUsage;
