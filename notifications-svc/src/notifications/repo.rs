//! What holders are told.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::NotificationId,
    messaging::Tx,
    notifications::{Notification, Topic},
};
use uuid::Uuid;

use crate::store::words::{read_topic, topic_word, topic_words};

/// A notification to store.
#[derive(Clone, Debug)]
pub(crate) struct NewNotification {
    pub(crate) id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) correlation_id: CorrelationId,
    /// The facts as JSON; None where nobody is written to.
    pub(crate) parameters: Option<String>,
}

/// Stores notifications. What is there already stays as it is.
pub(crate) async fn insert_in_tx(tx: &mut Tx<'_>, new: &[NewNotification]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|it| it.id.uuid()).collect();
    let accounts: Vec<Uuid> = new.iter().map(|it| it.account_id.uuid()).collect();
    let topics: Vec<&str> = new.iter().map(|it| topic_word(it.topic)).collect();
    let events: Vec<Uuid> = new.iter().map(|it| it.event_id.uuid()).collect();
    let correlations: Vec<Uuid> = new.iter().map(|it| it.correlation_id.uuid()).collect();
    let parameters: Vec<Option<&str>> = new.iter().map(|it| it.parameters.as_deref()).collect();
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

struct Row {
    id: Uuid,
    account_id: Uuid,
    topic: String,
    event_id: Uuid,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Notification {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            notification_id: NotificationId(row.id),
            account_id: AccountId(row.account_id),
            topic: read_topic(&row.topic)?,
            event_id: MessageId(row.event_id),
            created_at: row.created_at,
            deliveries: vec![],
        })
    }
}

/// Notifications before this one, newest first. Their deliveries are left out, and notifications
/// of topics that only a newer version knows.
pub(crate) async fn before_in_tx(
    tx: &mut Tx<'_>,
    before: NotificationId,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, account_id, topic::text AS "topic!", event_id, created_at
           FROM notifications WHERE id < $1 AND topic::text = ANY($3)
           ORDER BY id DESC LIMIT $2"#,
        before.uuid(),
        limit,
        &topic_words() as _,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Notification::try_from).collect()
}

/// Those of one account, likewise.
pub(crate) async fn of_account_before_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    before: NotificationId,
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, account_id, topic::text AS "topic!", event_id, created_at
           FROM notifications WHERE account_id = $1 AND id < $2 AND topic::text = ANY($4)
           ORDER BY id DESC LIMIT $3"#,
        account_id.uuid(),
        before.uuid(),
        limit,
        &topic_words() as _,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Notification::try_from).collect()
}
