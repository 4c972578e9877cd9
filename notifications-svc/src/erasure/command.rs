//! Erases the data of holders.

use shared_events::{AccountId, messaging::Tx};

use super::repo;

/// A holder whose data are to be erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedHolder {
    pub(crate) account_id: AccountId,
    /// The version of the account by which the holder was erased.
    pub(crate) version: i64,
}

/// Erases a holder's data. Returns the number of erased notifications.
pub(crate) async fn erase_in_tx(tx: &mut Tx<'_>, erased: ErasedHolder) -> sqlx::Result<u64> {
    repo::erase_recipient_in_tx(tx, erased).await?;
    repo::delete_notifications_in_tx(tx, erased.account_id).await
}
