//! A holder whose data are to be erased.

use shared_events::AccountId;

/// A holder whose data are to be erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedHolder {
    pub(crate) account_id: AccountId,
    /// The version of the account by which the holder was erased.
    pub(crate) version: i64,
}
