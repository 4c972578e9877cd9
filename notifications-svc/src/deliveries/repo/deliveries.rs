//! Notifications on their way: made, listed, sent again. Promise: a delivery is made once; sent
//! again, it is the same one, with the same id.

use shared_events::{
    AccountId, MessageId,
    ids::{DeliveryId, NotificationId},
    messaging::Tx,
    notifications::{Channel, Delivery, Topic},
};
use uuid::Uuid;

use crate::domain::Recovery;
use crate::store::words::{channel_word, read_channel, read_status, read_topic};

/// A delivery to store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) channel: Channel,
}

/// Stores deliveries, due in so many seconds. What is there already stays as it is.
pub(crate) async fn insert_in_tx(
    tx: &mut Tx<'_>,
    new: &[NewDelivery],
    due_seconds: f64,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|it| it.id.uuid()).collect();
    let notifications: Vec<Uuid> = new.iter().map(|it| it.notification_id.uuid()).collect();
    let channels: Vec<&str> = new.iter().map(|it| channel_word(it.channel)).collect();
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
    // What a newer version calls by a word of its own cannot be shown by this one.
    let delivery = rows.into_iter().filter_map(|row| {
        let delivery = Delivery {
            delivery_id: DeliveryId(row.id),
            channel: read_channel(&row.channel).ok()?,
            status: read_status(&row.status).ok()?,
            attempts: row.attempts,
            last_error: row.last_error,
            next_attempt_at: row.next_attempt_at,
        };
        Some((NotificationId(row.notification_id), delivery))
    });
    Ok(delivery.collect())
}

/// A delivery that is sent again, or that cannot be.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) event_id: MessageId,
    pub(crate) topic: Topic,
    pub(crate) channel: Channel,
    /// It had ended, and is due now with all the attempts of a schedule.
    pub(crate) is_due: bool,
}

/// Makes a delivery that has ended due again. `None`: there is none with this id.
pub(crate) async fn resend_in_tx(tx: &mut Tx<'_>, id: DeliveryId) -> sqlx::Result<Option<Again>> {
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
    Ok(Some(Again {
        delivery_id: DeliveryId(row.id),
        notification_id: NotificationId(row.notification_id),
        account_id: AccountId(row.account_id),
        event_id: MessageId(row.event_id),
        topic: read_topic(&row.topic)?,
        channel: read_channel(&row.channel)?,
        is_due: row.is_due,
    }))
}

/// Makes failed deliveries due again, the oldest first, at most `limit`: those of events between
/// `since` and `until`, of one account and one channel where given. Their ids begin with the
/// event's time, so that they are found by their ids. Returns how many.
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
        recovery.channel.map(channel_word),
        limit,
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected())
}
