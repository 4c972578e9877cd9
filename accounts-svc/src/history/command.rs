//! Appends the changes of a batch to the history.

use shared_events::{AccountId, evidence::Salt, messaging::Tx};

use super::{
    entity::{Cause, Change},
    repo,
};

/// Appends a record of each change, in this order. The caller has locked what has changed, and
/// locks nothing afterwards.
pub(crate) async fn append_in_tx(
    tx: &mut Tx<'_>,
    changes: &[(&Cause, Change<'_>)],
) -> sqlx::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let (end, at) = repo::lock_end_in_tx(tx).await?;
    let salted = changes.iter().map(|change| (change, Salt(rand::random())));
    repo::insert_in_tx(tx, &end.records(at, salted)).await
}

/// Erases the texts beside all records of these accounts. The records stay, and the chain holds.
pub(crate) async fn erase_texts_in_tx(tx: &mut Tx<'_>, accounts: &[AccountId]) -> sqlx::Result<()> {
    match accounts {
        [] => Ok(()),
        accounts => repo::erase_texts_in_tx(tx, accounts).await,
    }
}
