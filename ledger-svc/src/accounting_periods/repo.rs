//! The ledger's clock, and the periods that are closed: both stand at the ends of the chains.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{CommandId, messaging::Tx};

/// When something is decided or answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The database's clock, or the ledger's last decision where the clock has gone back.
    pub(crate) instant: DateTime<Utc>,
    /// The last day that is closed, if any is.
    pub(crate) closed_through: Option<NaiveDate>,
}

/// What the clock says now.
pub(crate) async fn clock(tx: &mut Tx<'_>) -> sqlx::Result<Clock> {
    sqlx::query_as!(
        Clock,
        r#"SELECT greatest(clock_timestamp(), max(decided_at)) AS "instant!",
                  max(closed_through) AS closed_through
           FROM chains"#,
    )
    .fetch_one(tx.connection())
    .await
}

/// How many seconds the database's clock is behind the ledger's last decision.
pub(crate) async fn clock_behind(tx: &mut Tx<'_>) -> sqlx::Result<f64> {
    let behind = sqlx::query_scalar!(
        r#"SELECT greatest(0, extract(epoch FROM max(decided_at) - clock_timestamp()))::float8
               AS "behind!" FROM chains"#,
    );
    behind.fetch_one(tx.connection()).await
}

/// Waits for all that is being posted, and keeps the rest waiting until the transaction ends. Says
/// which day is closed by then.
pub(crate) async fn hold_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<Option<NaiveDate>> {
    let held = sqlx::query_scalar!("SELECT closed_through FROM chains ORDER BY chain FOR UPDATE");
    Ok(held.fetch_all(tx.connection()).await?.into_iter().flatten().max())
}

/// Closes a period. The transaction holds the chains ([`hold_in_tx`]).
pub(crate) async fn close_in_tx(
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

/// When a day was closed.
pub(crate) async fn closed_at(
    tx: &mut Tx<'_>,
    through: NaiveDate,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let at =
        sqlx::query_scalar!("SELECT closed_at FROM periods_closed WHERE through = $1", through);
    at.fetch_optional(tx.connection()).await
}
