//! Erases the data of holders.

use shared_events::messaging::Tx;

use super::{entity::ErasedHolder, repo};

/// Erases a holder's data. Returns the number of erased notifications.
pub(crate) async fn erase_in_tx(tx: &mut Tx<'_>, erased: ErasedHolder) -> sqlx::Result<u64> {
    repo::erase_recipient_in_tx(tx, erased).await?;
    repo::delete_notifications_in_tx(tx, erased.account_id).await
}
