//! The table of postponed items. Promise: a postponed item is tried again after ever longer pauses,
//! and delays no other item until then.

use shared_events::messaging::Tx;
use uuid::Uuid;

/// The longest pause before another attempt, in minutes.
const WAIT_MINUTES_MAX: f64 = 60.0;

/// The key of a due item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemKey {
    /// The kind's name in the table.
    pub(crate) kind: &'static str,
    /// The hold, or the account.
    pub(crate) about: Uuid,
    /// The order; nil for other kinds.
    pub(crate) part: Uuid,
}

/// Postpones an item: for a minute, and twice as long each further time. Returns the number of
/// failures.
pub(crate) async fn put_in_tx(tx: &mut Tx<'_>, key: ItemKey, why: &str) -> sqlx::Result<i32> {
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

/// Forgets a postponed item that is done.
pub(crate) async fn forget_in_tx(tx: &mut Tx<'_>, key: ItemKey) -> sqlx::Result<()> {
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

/// The number of postponed items of a kind. Items that were not tried for days do not exist any more,
/// and are forgotten.
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
