//! Begins erasures, and follows what the other services have erased.

use shared_events::{AccountId, messaging::Tx};

use super::{
    entity::{Completed, PartErased},
    repo,
};

/// Begins the erasure of these accounts, whose data the accounts service erases in the same
/// transaction.
pub(crate) async fn begin_in_tx(tx: &mut Tx<'_>, accounts: &[AccountId]) -> sqlx::Result<()> {
    match accounts {
        [] => Ok(()),
        accounts => repo::insert_in_tx(tx, accounts).await,
    }
}

/// Notes parts that were erased, in order. Returns, for each, the erasure that it completes.
pub(crate) async fn follow_in_tx(
    tx: &mut Tx<'_>,
    parts: &[PartErased],
) -> sqlx::Result<Vec<Option<Completed>>> {
    let mut completed = Vec::with_capacity(parts.len());
    for part in parts {
        completed.push(repo::note_in_tx(tx, *part).await?);
    }
    Ok(completed)
}
