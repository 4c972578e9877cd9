//! The table of closed periods, and the closed day at the ends of the chains.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{CommandId, messaging::Tx};

/// Locks the ends of all chains: waits for all open postings, and makes later postings wait until the
/// transaction ends. Returns the last closed day.
pub(super) async fn lock_chains_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<Option<NaiveDate>> {
    let held = sqlx::query_scalar!("SELECT closed_through FROM chains ORDER BY chain FOR UPDATE");
    Ok(held.fetch_all(tx.connection()).await?.into_iter().flatten().max())
}

/// Closes a period. The transaction has locked the chains ([`lock_chains_in_tx`]).
pub(super) async fn close_in_tx(
    tx: &mut Tx<'_>,
    through: NaiveDate,
    command: CommandId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH closed AS (
             INSERT INTO periods_closed (through, command_id, closed_at) VALUES ($1, $2, $3)
         )
         UPDATE chains SET closed_through = $1",
        through,
        command.uuid(),
        at,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The instant at which a day was closed.
pub(super) async fn closed_at(
    tx: &mut Tx<'_>,
    through: NaiveDate,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let at =
        sqlx::query_scalar!("SELECT closed_at FROM periods_closed WHERE through = $1", through);
    at.fetch_optional(tx.connection()).await
}
