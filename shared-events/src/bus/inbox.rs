//! Which messages have had their effect. Promise: within one transaction, a message id is new once.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::ids::MessageId;

/// Messages that old do not come again: brokers and clients have long given up on them.
const KEPT_FOR: &str = "14 days";
/// A day's messages are dropped together. An id made before it was first sent has time to be sent.
const DAYS_KEPT: i32 = 28;
/// So many days have a table before they begin.
const DAYS_AHEAD: i32 = 7;
/// Rows deleted at a time, so that pruning never holds a batch up.
const PRUNE_ROWS_MAX: i64 = 10_000;

/// What the inbox knows of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: this transaction is the first.
    Never,
    /// It had its effect; this is what was answered.
    Before { outcome: Option<Vec<u8>> },
    /// Its id was used for other content.
    Conflict,
}

/// Writes all ids down, and says of each whether it is new. Ids must differ from each other.
/// A concurrent transaction with the same id waits here until the first has ended.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    ids: &[Uuid],
    digests: &[Vec<u8>],
) -> sqlx::Result<Vec<Seen>> {
    let new = sqlx::query_scalar!(
        "INSERT INTO bus.inbox (message_id, digest)
         SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS claimed(message_id, digest)
         ORDER BY message_id
         ON CONFLICT (message_id) DO NOTHING
         RETURNING message_id",
        ids,
        digests,
    )
    .fetch_all(&mut *connection)
    .await?;
    if new.len() == ids.len() {
        return Ok(vec![Seen::Never; ids.len()]);
    }
    let mut known = HashMap::with_capacity(ids.len());
    let rows = sqlx::query!(
        "SELECT message_id, digest, outcome FROM bus.inbox
         WHERE message_id = ANY($1) AND NOT message_id = ANY($2)",
        ids,
        &new,
    )
    .fetch_all(connection)
    .await?;
    known.extend(rows.into_iter().map(|row| (row.message_id, (row.digest, row.outcome))));
    let seen = |(id, digest): (&Uuid, &Vec<u8>)| match known.remove(id) {
        None => Seen::Never,
        Some((stored, outcome)) if stored == *digest => Seen::Before { outcome },
        Some(_) => Seen::Conflict,
    };
    Ok(ids.iter().zip(digests).map(seen).collect())
}

/// Keeps what was answered, for whoever asks again.
pub(crate) async fn keep_outcomes(
    connection: &mut PgConnection,
    ids: &[Uuid],
    outcomes: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bus.inbox SET outcome = answered.outcome
         FROM unnest($1::uuid[], $2::bytea[]) AS answered(message_id, outcome)
         WHERE inbox.message_id = answered.message_id",
        ids,
        outcomes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets messages that had no effect after all: they wait for a retry, or are parked.
pub(crate) async fn forget(connection: &mut PgConnection, ids: &[MessageId]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!("DELETE FROM bus.inbox WHERE message_id = ANY($1)", &ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes room for the days to come, and drops what is too old to come again: whole days at once,
/// and a few rows at a time what lies beside the days. Returns how many of those.
pub(crate) async fn prune(pool: &PgPool) -> sqlx::Result<u64> {
    sqlx::query!("SELECT bus.keep_inbox($1, $2)", DAYS_AHEAD, DAYS_KEPT).execute(pool).await?;
    let mut pruned = 0;
    loop {
        let done = sqlx::query!(
            "DELETE FROM bus.inbox_rest WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM bus.inbox_rest
                 WHERE received_at < now() - $1::text::interval LIMIT $2))",
            KEPT_FOR,
            PRUNE_ROWS_MAX,
        )
        .execute(pool)
        .await?;
        pruned += done.rows_affected();
        if done.rows_affected() < PRUNE_ROWS_MAX.unsigned_abs() {
            return Ok(pruned);
        }
    }
}
