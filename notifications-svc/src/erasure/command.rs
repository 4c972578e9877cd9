//! Erases the data of holders.

use std::collections::HashMap;

use shared_events::{AccountId, messaging::Tx};

use super::{
    entity::{ErasedHolder, each_once},
    repo,
};

/// Erases the data of these holders. Returns the number of erased notifications of each account
/// that had any.
pub(crate) async fn erase_in_tx(
    tx: &mut Tx<'_>,
    erased: impl IntoIterator<Item = ErasedHolder>,
) -> sqlx::Result<HashMap<AccountId, u64>> {
    let erased = each_once(erased);
    let accounts: Vec<_> = erased.iter().map(|holder| holder.account_id.uuid()).collect();
    repo::lock_deliveries_in_tx(tx, &accounts).await?;
    repo::exclude_notifications_in_tx(tx).await?;
    repo::lock_deliveries_in_tx(tx, &accounts).await?;
    repo::erase_recipients_in_tx(tx, &erased).await?;
    repo::delete_attempts_in_tx(tx, &accounts).await?;
    repo::delete_deliveries_in_tx(tx, &accounts).await?;
    repo::delete_notifications_in_tx(tx, &accounts).await
}
