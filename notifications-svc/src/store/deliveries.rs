//! Notifications on their way. Promise: a due delivery is claimed by one courier at a time; a
//! courier that was lost delays it and nothing more.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CorrelationId, MessageId,
    bus::Tx,
    ids::{DeliveryId, NotificationId},
    notifications::{Channel, Delivery, DeliveryStatus},
};
use uuid::Uuid;

use super::words::{channel_word, read_channel, read_status, read_topic, status_word};
use crate::domain::{Parcel, Recipient, SigningKey};

/// A delivery to store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) channel: Channel,
}

/// Stores deliveries, due at `due`. What is there already stays as it is.
pub(crate) async fn insert_in_tx(
    tx: &mut Tx<'_>,
    new: &[NewDelivery],
    due: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|it| it.id.uuid()).collect();
    let notifications: Vec<Uuid> = new.iter().map(|it| it.notification_id.uuid()).collect();
    let channels: Vec<&str> = new.iter().map(|it| channel_word(it.channel)).collect();
    sqlx::query!(
        "INSERT INTO deliveries (id, notification_id, channel, next_attempt_at)
         SELECT id, notification_id, channel::channel, $4
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new(id, notification_id, channel)
         ON CONFLICT DO NOTHING",
        &ids,
        &notifications,
        &channels as _,
        due,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Claims deliveries of a channel that are due, the longest due first. They are due again at
/// `lease_ends` if nobody settles them; the number of the attempt is the claim.
pub(crate) async fn claim_in_tx(
    tx: &mut Tx<'_>,
    channel: Channel,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Parcel>> {
    let rows = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
               SELECT id FROM deliveries
               WHERE status = 'pending' AND channel = $1::text::channel AND next_attempt_at <= $2
               ORDER BY next_attempt_at LIMIT $4 FOR UPDATE SKIP LOCKED
           ), claimed AS (
               UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = $3
               FROM due WHERE deliveries.id = due.id
               RETURNING deliveries.id, notification_id, attempts
           )
           SELECT claimed.id, claimed.notification_id, claimed.attempts,
                  n.account_id, n.topic::text AS "topic!", n.event_id, n.correlation_id,
                  n.parameters::text AS parameters, n.created_at,
                  r.iban, r.name, r.language, r.webhook_key,
                  CASE WHEN r.wants_email THEN r.email END AS email,
                  CASE WHEN r.wants_webhook THEN r.webhook END AS webhook
           FROM claimed
           JOIN notifications n ON n.id = claimed.notification_id
           JOIN recipients r ON r.account_id = n.account_id"#,
        channel_word(channel),
        now,
        lease_ends,
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    let parcel = rows.into_iter().map(|row| {
        let key = row.webhook_key.map(SigningKey::try_from_bytes).transpose();
        Ok(Parcel {
            delivery_id: DeliveryId(row.id),
            notification_id: NotificationId(row.notification_id),
            account_id: AccountId(row.account_id),
            topic: read_topic(&row.topic)?,
            event_id: MessageId(row.event_id),
            correlation_id: CorrelationId(row.correlation_id),
            created_at: row.created_at,
            number: row.attempts,
            parameters: row.parameters,
            recipient: Recipient {
                iban: row.iban,
                name: row.name,
                language: row.language,
                email: row.email,
                webhook: row.webhook,
                webhook_key: key.map_err(|error| sqlx::Error::Decode(error.into()))?,
            },
        })
    });
    parcel.collect()
}

/// Where an attempt has left a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    pub(crate) id: DeliveryId,
    /// The number of the attempt.
    pub(crate) number: i32,
    pub(crate) status: DeliveryStatus,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) last_error: Option<String>,
}

/// Settles claimed deliveries. Returns those that the claim still held: whoever claimed one later,
/// because this attempt took too long, decides instead.
pub(crate) async fn settle_in_tx(
    tx: &mut Tx<'_>,
    settlements: &[Settlement],
) -> sqlx::Result<Vec<DeliveryId>> {
    let ids: Vec<Uuid> = settlements.iter().map(|it| it.id.uuid()).collect();
    let numbers: Vec<i32> = settlements.iter().map(|it| it.number).collect();
    let statuses: Vec<&str> = settlements.iter().map(|it| status_word(it.status)).collect();
    let nexts: Vec<Option<DateTime<Utc>>> =
        settlements.iter().map(|it| it.next_attempt_at).collect();
    let errors: Vec<Option<&str>> = settlements.iter().map(|it| it.last_error.as_deref()).collect();
    let settled = sqlx::query_scalar!(
        "UPDATE deliveries
         SET status = s.status::delivery_status, next_attempt_at = s.next_attempt_at,
             last_error = s.last_error
         FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::timestamptz[], $5::text[])
              AS s(id, number, status, next_attempt_at, last_error)
         WHERE deliveries.id = s.id AND deliveries.attempts = s.number
           AND deliveries.status = 'pending'
         RETURNING deliveries.id",
        &ids,
        &numbers,
        &statuses as _,
        &nexts as _,
        &errors as _,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(settled.into_iter().map(DeliveryId).collect())
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
    let delivery = rows.into_iter().map(|row| {
        let delivery = Delivery {
            delivery_id: DeliveryId(row.id),
            channel: read_channel(&row.channel)?,
            status: read_status(&row.status)?,
            attempts: row.attempts,
            last_error: row.last_error,
            next_attempt_at: row.next_attempt_at,
        };
        Ok((NotificationId(row.notification_id), delivery))
    });
    delivery.collect()
}

/// What waits on a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    /// Deliveries that have neither succeeded nor failed.
    pub(crate) pending: i64,
    /// When the one that is due the longest was, or will be, due.
    pub(crate) first_due_at: Option<DateTime<Utc>>,
}

/// Counts what waits on a channel.
pub(crate) async fn backlog_in_tx(tx: &mut Tx<'_>, channel: Channel) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"SELECT count(*) AS "pending!", min(next_attempt_at) AS first_due_at
           FROM deliveries WHERE status = 'pending' AND channel = $1::text::channel"#,
        channel_word(channel),
    )
    .fetch_one(tx.connection())
    .await
}
