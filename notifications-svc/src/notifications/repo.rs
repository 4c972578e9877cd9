//! The table of notifications. Promise: one function is one statement; a notification is stored
//! once.

use chrono::{DateTime, Utc};
use shared_events::{AccountId, MessageId, ids::NotificationId, messaging::Tx};
use uuid::Uuid;

use super::entity::{NewNotification, Notification};
use crate::recipients::Topic;

/// Stores notifications. A notification that is stored already stays as it is.
pub(crate) async fn insert_in_tx(tx: &mut Tx<'_>, new: &[NewNotification]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|notification| notification.id.uuid()).collect();
    let accounts: Vec<Uuid> =
        new.iter().map(|notification| notification.account_id.uuid()).collect();
    let topics: Vec<&str> = new.iter().map(|notification| notification.topic.as_str()).collect();
    let events: Vec<Uuid> = new.iter().map(|notification| notification.event_id.uuid()).collect();
    let correlations: Vec<Uuid> =
        new.iter().map(|notification| notification.correlation_id.uuid()).collect();
    let parameters: Vec<Option<&str>> =
        new.iter().map(|notification| notification.payload.as_deref()).collect();
    sqlx::query!(
        "INSERT INTO notifications
             (id, account_id, topic, event_id, correlation_id, parameters, created_at)
         SELECT id, account_id, topic::topic, event_id, correlation_id, parameters::jsonb, now()
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[])
              AS new(id, account_id, topic, event_id, correlation_id, parameters)
         ON CONFLICT (id) DO NOTHING",
        &ids,
        &accounts,
        &topics as _,
        &events,
        &correlations,
        &parameters as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

struct NotificationRow {
    id: Uuid,
    account_id: Uuid,
    topic: String,
    event_id: Uuid,
    created_at: DateTime<Utc>,
}

impl TryFrom<NotificationRow> for Notification {
    type Error = sqlx::Error;

    fn try_from(row: NotificationRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: NotificationId(row.id),
            account_id: AccountId(row.account_id),
            topic: Topic::from_name(&row.topic)
                .map_err(|unknown| sqlx::Error::Decode(unknown.into()))?,
            event_id: MessageId(row.event_id),
            created_at: row.created_at,
        })
    }
}

/// Notifications before this one, newest first. Notifications of topics that only a newer version
/// knows are left out.
pub(crate) async fn before_in_tx(
    tx: &mut Tx<'_>,
    before: NotificationId,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query_as!(
        NotificationRow,
        r#"SELECT id, account_id, topic::text AS "topic!", event_id, created_at
           FROM notifications WHERE id < $1 AND topic::text = ANY($3)
           ORDER BY id DESC LIMIT $2"#,
        before.uuid(),
        limit,
        &Topic::ALL.map(Topic::as_str) as _,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Notification::try_from).collect()
}

/// Notifications of one account before this one, likewise.
pub(crate) async fn of_account_before_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    before: NotificationId,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query_as!(
        NotificationRow,
        r#"SELECT id, account_id, topic::text AS "topic!", event_id, created_at
           FROM notifications WHERE account_id = $1 AND id < $2 AND topic::text = ANY($4)
           ORDER BY id DESC LIMIT $3"#,
        account_id.uuid(),
        before.uuid(),
        limit,
        &Topic::ALL.map(Topic::as_str) as _,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Notification::try_from).collect()
}
