//! Begins an erasure.

use shared_events::messaging::Tx;

use super::{entity::Request, repo};

/// Erases the texts of these accounts' standing orders, and begins to erase those of their
/// payments: two statements for any number of accounts.
pub(crate) async fn begin_in_tx(tx: &mut Tx<'_>, requests: &[Request]) -> sqlx::Result<()> {
    repo::erase_orders_in_tx(tx, requests).await?;
    repo::insert_in_tx(tx, requests).await
}
