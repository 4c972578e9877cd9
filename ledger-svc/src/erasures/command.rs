//! Begins an erasure.

use shared_events::messaging::Tx;

use super::{entity::Request, repo};

/// Erases the texts of an account's standing orders, and begins to erase those of its payments.
pub(crate) async fn begin_in_tx(tx: &mut Tx<'_>, request: &Request) -> sqlx::Result<()> {
    repo::erase_orders_in_tx(tx, request.account).await?;
    repo::insert_in_tx(tx, request).await
}
