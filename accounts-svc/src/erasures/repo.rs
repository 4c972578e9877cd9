//! The table of erasures.

use shared_events::{AccountId, messaging::Tx};
use uuid::Uuid;

use super::entity::{Completed, Part, PartErased};

/// Stores erasures. One that is repeated, also in the same batch, waits for all services again.
pub(super) async fn insert_in_tx(tx: &mut Tx<'_>, accounts: &[AccountId]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.uuid()).collect();
    let inserted = sqlx::query!(
        "INSERT INTO erasures (account_id) SELECT DISTINCT unnest($1::uuid[])
         ON CONFLICT (account_id) DO UPDATE SET erased_at = EXCLUDED.erased_at, ledger_at = NULL,
             notifications_at = NULL",
        &ids,
    );
    inserted.execute(tx.connection()).await?;
    Ok(())
}

/// Notes that a part was erased. Returns the erasure if this was its last part. A part that was
/// noted before, or is of no known erasure, changes nothing.
pub(super) async fn note_in_tx(
    tx: &mut Tx<'_>,
    PartErased { account_id, part }: PartErased,
) -> sqlx::Result<Option<Completed>> {
    let noted = sqlx::query!(
        r#"UPDATE erasures
           SET ledger_at = CASE WHEN $2 THEN clock_timestamp() ELSE ledger_at END,
               notifications_at = CASE WHEN $2 THEN notifications_at ELSE clock_timestamp() END
           WHERE account_id = $1
               AND CASE WHEN $2 THEN ledger_at ELSE notifications_at END IS NULL
           RETURNING erased_at, ledger_at, notifications_at"#,
        account_id.uuid(),
        part == Part::Ledger,
    );
    let noted = noted.fetch_optional(tx.connection()).await?;
    Ok(noted.and_then(|row| {
        let (ledger, notifications) = row.ledger_at.zip(row.notifications_at)?;
        let completed_at = ledger.max(notifications);
        Some(Completed { account_id, erased_at: row.erased_at, completed_at })
    }))
}

/// The number of erasures that are not completed, and the age of the oldest in seconds.
pub(super) async fn waiting_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<(f64, f64)> {
    let waiting = sqlx::query!(
        r#"SELECT count(*)::float8 AS "count!",
                  coalesce(extract(epoch FROM clock_timestamp() - min(erased_at)), 0)::float8
                      AS "seconds!"
           FROM erasures WHERE ledger_at IS NULL OR notifications_at IS NULL"#,
    );
    let waiting = waiting.fetch_one(tx.connection()).await?;
    Ok((waiting.count, waiting.seconds))
}
