//! Deliveries: made, listed, sent again. Promise: a delivery is made once; one that is sent again
//! keeps its id.

use shared_events::{
    AccountId, MessageId,
    ids::{DeliveryId, NotificationId},
    messaging::Tx,
};
use uuid::Uuid;

use crate::{
    deliveries::{Delivery, DeliveryStatus, NewDelivery, Recovery, ResentDelivery},
    recipients::{Channel, Topic, UnknownName},
};

/// Stores deliveries, due in so many seconds. A delivery that is stored already stays as it is.
pub(crate) async fn insert_in_tx(
    tx: &mut Tx<'_>,
    new: &[NewDelivery],
    due_seconds: f64,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|delivery| delivery.id.uuid()).collect();
    let notifications: Vec<Uuid> =
        new.iter().map(|delivery| delivery.notification_id.uuid()).collect();
    let channels: Vec<&str> = new.iter().map(|delivery| delivery.channel.as_str()).collect();
    sqlx::query!(
        "INSERT INTO deliveries (id, notification_id, channel, next_attempt_at)
         SELECT id, notification_id, channel::channel, now() + make_interval(secs => $4)
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new(id, notification_id, channel)
         ON CONFLICT DO NOTHING",
        &ids,
        &notifications,
        &channels as _,
        due_seconds,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The deliveries of these notifications, each with its notification, by channel.
pub(crate) async fn of_notifications_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(NotificationId, Delivery)>> {
    let rows = sqlx::query!(
        r#"SELECT id, notification_id, channel::text AS "channel!", status::text AS "status!",
                  attempts, next_attempt_at, last_error
           FROM deliveries WHERE notification_id = ANY($1) ORDER BY channel"#,
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    // A name that a newer version wrote cannot be shown by this one.
    let delivery = rows.into_iter().filter_map(|row| {
        let delivery = Delivery {
            id: DeliveryId(row.id),
            channel: Channel::from_name(&row.channel).ok()?,
            status: DeliveryStatus::from_name(&row.status).ok()?,
            attempts: row.attempts,
            last_error: row.last_error,
            next_attempt_at: row.next_attempt_at,
        };
        Some((NotificationId(row.notification_id), delivery))
    });
    Ok(delivery.collect())
}

/// Makes a delivery due again that has ended. `None`: there is no delivery with this id.
pub(crate) async fn resend_in_tx(
    tx: &mut Tx<'_>,
    id: DeliveryId,
) -> sqlx::Result<Option<ResentDelivery>> {
    let row = sqlx::query!(
        r#"WITH again AS (
               UPDATE deliveries
               SET status = 'pending', next_attempt_at = now(), attempts_before = attempts
               WHERE id = $1 AND status IN ('succeeded', 'failed')
               RETURNING id
           )
           SELECT d.id, d.notification_id, d.channel::text AS "channel!", n.account_id, n.event_id,
                  n.topic::text AS "topic!", EXISTS (SELECT FROM again) AS "is_due!"
           FROM deliveries d JOIN notifications n ON n.id = d.notification_id
           WHERE d.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ResentDelivery {
        id: DeliveryId(row.id),
        notification_id: NotificationId(row.notification_id),
        account_id: AccountId(row.account_id),
        event_id: MessageId(row.event_id),
        topic: Topic::from_name(&row.topic).map_err(unreadable)?,
        channel: Channel::from_name(&row.channel).map_err(unreadable)?,
        is_due: row.is_due,
    }))
}

/// Makes failed deliveries due again that pass the filters, the oldest first, at most `limit`. Ids
/// begin with the event's time, so the statement searches by id. Returns the number of deliveries.
pub(crate) async fn recover_in_tx(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE deliveries
         SET status = 'pending', next_attempt_at = now(), attempts_before = attempts
         WHERE id IN (
             SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id
             WHERE d.id >= $1 AND d.id < $2 AND n.id >= $1 AND n.id < $2 AND d.status = 'failed'
               AND ($3::uuid IS NULL OR n.account_id = $3)
               AND ($4::text IS NULL OR d.channel = $4::channel)
             ORDER BY d.id LIMIT $5 FOR UPDATE OF d SKIP LOCKED)",
        recovery.since.uuid(),
        recovery.until.uuid(),
        recovery.account_id.map(AccountId::uuid),
        recovery.channel.map(Channel::as_str),
        limit,
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected())
}

fn unreadable(unknown: UnknownName) -> sqlx::Error {
    sqlx::Error::Decode(unknown.into())
}
