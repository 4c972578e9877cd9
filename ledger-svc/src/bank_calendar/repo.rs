//! The ledger's clock, which stands at the ends of the journal's chains.

use shared_events::messaging::Tx;

use super::Clock;

/// Reads the ledger's clock.
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
