//! One step of deleting. Promise: a step reads a bounded number of notifications by primary key,
//! deletes the old ones with their deliveries and attempts, and locks no delivery that is under
//! way.

use shared_events::{ids::NotificationId, messaging::Tx};
use uuid::Uuid;

/// The result of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepResult {
    /// The last notification that the step read; `None`: there was none.
    pub(crate) last: Option<NotificationId>,
    /// The number of deleted notifications.
    pub(crate) deleted: u64,
}

/// Reads the next `limit` notifications after `after` and before `before`, and deletes the ones
/// that are `days` old; with `only_untold`, only notifications without a delivery. A notification
/// with a pending delivery stays.
pub(crate) async fn delete_in_tx(
    tx: &mut Tx<'_>,
    (after, before): (NotificationId, NotificationId),
    days: i32,
    only_untold: bool,
    limit: i64,
) -> sqlx::Result<StepResult> {
    let rows = sqlx::query!(
        r#"SELECT id, created_at < now() - make_interval(days => $3)
                      AND (parameters IS NULL OR NOT $4)
                      AND NOT EXISTS (SELECT FROM deliveries d
                                      WHERE d.notification_id = n.id AND d.status = 'pending')
                  AS "is_over!"
           FROM notifications n WHERE id > $1 AND id < $2 ORDER BY id LIMIT $5"#,
        after.uuid(),
        before.uuid(),
        days,
        only_untold,
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    let last = rows.last().map(|row| NotificationId(row.id));
    let over: Vec<Uuid> = rows.iter().filter(|row| row.is_over).map(|row| row.id).collect();
    let deleted = match over.as_slice() {
        [] => 0,
        over => delete_all_in_tx(tx, over).await?,
    };
    Ok(StepResult { last, deleted })
}

/// Deletes notifications with their deliveries and attempts. One whose delivery was sent again in
/// this moment stays.
async fn delete_all_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<u64> {
    sqlx::query!(
        "DELETE FROM attempts WHERE delivery_id IN (
             SELECT id FROM deliveries WHERE notification_id = ANY($1) AND status <> 'pending'
             ORDER BY id FOR UPDATE)",
        ids,
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "DELETE FROM deliveries WHERE notification_id = ANY($1) AND status <> 'pending'",
        ids,
    )
    .execute(tx.connection())
    .await?;
    let done = sqlx::query!(
        "DELETE FROM notifications n WHERE id = ANY($1)
         AND NOT EXISTS (SELECT FROM deliveries d WHERE d.notification_id = n.id)",
        ids,
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected())
}
