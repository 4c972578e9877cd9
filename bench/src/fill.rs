//! Accounts to measure with. Promise: the ledger and notifications hold them as if they had been
//! opened by the accounts service, which has no part in a transfer and does not know them.

use uuid::Uuid;

use crate::{command::CURRENCY, fault::BenchError, place::Place, store, traffic::account};

const CHUNK_ACCOUNTS: usize = 50_000;

/// Makes sure that the first `count` accounts of the benchmark are there.
pub(crate) async fn accounts(place: &Place, count: u32) -> Result<(), BenchError> {
    let ids: Vec<Uuid> = (0..count).map(account).collect();
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(()) };
    let (ledger, notifications) = (place.ledger().await?, place.notifications().await?);
    let known = store::known_accounts(&ledger, &notifications, (*first, *last)).await?;
    if known == (i64::from(count), i64::from(count)) {
        return Ok(());
    }
    for ids in ids.chunks(CHUNK_ACCOUNTS) {
        store::open_accounts(&ledger, ids, CURRENCY).await?;
        store::know_holders(&notifications, ids).await?;
    }
    Ok(())
}
