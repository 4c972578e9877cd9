//! What could not be handled when its turn came. Promise: it is tried again, ever more seldom, and
//! is in nobody's way until then.

use shared_events::messaging::Tx;
use uuid::Uuid;

/// What the longest wait for another try is, in minutes.
const WAIT_MINUTES_MAX: f64 = 60.0;

/// What is due of one kind, by its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The kind's name in the table.
    pub(crate) kind: &'static str,
    /// The hold, or the account.
    pub(crate) about: Uuid,
    /// The order; nil where it is none.
    pub(crate) part: Uuid,
}

/// Sets something aside: for a minute, and twice as long each further time. Says how often it has
/// failed.
pub(crate) async fn put_in_tx(tx: &mut Tx<'_>, key: Key, why: &str) -> sqlx::Result<i32> {
    let failures = sqlx::query_scalar!(
        "INSERT INTO set_aside (kind, about, part, failures, why, try_again)
         VALUES ($1, $2, $3, 1, $4, clock_timestamp() + interval '1 minute')
         ON CONFLICT (kind, about, part) DO UPDATE SET
             failures = set_aside.failures + 1,
             why = excluded.why,
             try_again = clock_timestamp()
                 + interval '1 minute' * least($5::float8, 2.0 ^ least(set_aside.failures, 10))
         RETURNING failures",
        key.kind,
        key.about,
        key.part,
        why,
        WAIT_MINUTES_MAX,
    );
    failures.fetch_one(tx.connection()).await
}

/// Forgets what was handled after all.
pub(crate) async fn forget_in_tx(tx: &mut Tx<'_>, key: Key) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM set_aside WHERE kind = $1 AND about = $2 AND part = $3",
        key.kind,
        key.about,
        key.part,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// How many are set aside of a kind. What nobody has tried for days is not there any more, and is
/// forgotten.
pub(crate) async fn count_in_tx(tx: &mut Tx<'_>, kind: &str) -> sqlx::Result<i64> {
    let count = sqlx::query_scalar!(
        r#"WITH gone AS (
               DELETE FROM set_aside
               WHERE kind = $1 AND try_again < clock_timestamp() - interval '2 days'
           )
           SELECT count(*) AS "count!" FROM set_aside
           WHERE kind = $1 AND try_again >= clock_timestamp() - interval '2 days'"#,
        kind,
    );
    count.fetch_one(tx.connection()).await
}
