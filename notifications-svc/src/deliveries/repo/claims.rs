//! Deliveries that are due, and who carries them. Promise: a due delivery is claimed by one courier
//! at a time, by the clock of the database alone; a courier that was lost delays it and nothing
//! more; a row that this version cannot read holds up no other.

use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::{DeliveryId, NotificationId},
    messaging::Tx,
    notifications::{Channel, DeliveryStatus},
};
use uuid::Uuid;

use crate::domain::{Candidate, Closed, KeyBefore, Keys, Parcel, Recipient, SigningKey, Told};
use crate::store::words::{channel_word, read_topic, status_word};

/// Looks for deliveries of a channel that are due, the longest due first, at most `limit`. Leaves
/// out what is closed and what was `found` before. Nothing is locked yet.
pub(crate) async fn due_in_tx(
    tx: &mut Tx<'_>,
    channel: Channel,
    closed: &Closed,
    found: &[Uuid],
    limit: i64,
) -> sqlx::Result<Vec<Candidate>> {
    let accounts: Vec<Uuid> = closed.accounts.iter().map(|account| account.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT d.id, n.account_id, coalesce(reached.place, '') AS "place!"
           FROM deliveries d
           JOIN notifications n ON n.id = d.notification_id
           JOIN recipients r ON r.account_id = n.account_id
           CROSS JOIN LATERAL (SELECT lower(CASE d.channel::text
               WHEN 'webhook' THEN substring(r.webhook FROM '://(\[[^]]*\]|[^/?#:]*)')
               WHEN 'email' THEN substring(r.email FROM '@([^@]*)$')
           END)) AS reached(place)
           WHERE d.status = 'pending' AND d.channel = $1::text::channel
             AND d.next_attempt_at <= now()
             AND n.account_id <> ALL($2) AND d.id <> ALL($3)
             AND coalesce(reached.place, '') <> ALL($4)
             AND ($5::text[] IS NULL OR coalesce(reached.place, '') = ANY($5))
           ORDER BY d.next_attempt_at LIMIT $6"#,
        channel_word(channel),
        &accounts,
        found,
        &closed.places,
        closed.all_but.as_deref() as _,
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    let candidate = rows.into_iter().map(|row| Candidate {
        delivery_id: DeliveryId(row.id),
        account_id: AccountId(row.account_id),
        place: row.place,
    });
    Ok(candidate.collect())
}

/// A claimed delivery that this version cannot read, and why not.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: DeliveryId,
    /// The number of the attempt.
    pub(crate) number: i32,
    pub(crate) why: String,
}

/// Claims deliveries that are still due and that nobody else is claiming. They are due again when
/// the lease ends, if nobody settles them by then; the number of the attempt is the claim.
pub(crate) async fn claim_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    lease_seconds: f64,
) -> sqlx::Result<Vec<Result<Parcel, Unreadable>>> {
    let rows = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
               SELECT id FROM deliveries
               WHERE id = ANY($1) AND status = 'pending' AND next_attempt_at <= now()
               ORDER BY id FOR UPDATE SKIP LOCKED
           ), claimed AS (
               UPDATE deliveries
               SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
               FROM due WHERE deliveries.id = due.id
               RETURNING deliveries.id, notification_id, attempts, attempts_before
           )
           SELECT claimed.id, claimed.notification_id, claimed.attempts, claimed.attempts_before,
                  n.account_id, n.topic::text AS "topic!", n.event_id, n.correlation_id,
                  n.parameters::text AS parameters, n.created_at,
                  r.iban, r.name, r.language, r.webhook_key, r.webhook_key_before,
                  coalesce(r.webhook_key_before_until > now(), false) AS "two_keys!",
                  CASE WHEN r.wants_email THEN r.email END AS email,
                  CASE WHEN r.wants_webhook AND r.webhook IS DISTINCT FROM r.webhook_gone
                       THEN r.webhook END AS webhook
           FROM claimed
           JOIN notifications n ON n.id = claimed.notification_id
           JOIN recipients r ON r.account_id = n.account_id"#,
        ids,
        lease_seconds,
    )
    .fetch_all(tx.connection())
    .await?;
    let parcel = rows.into_iter().map(|row| {
        let (id, number) = (DeliveryId(row.id), row.attempts);
        let read = || {
            let told = row.parameters.as_deref().and_then(Told::read);
            Ok(Parcel {
                delivery_id: id,
                notification_id: NotificationId(row.notification_id),
                account_id: AccountId(row.account_id),
                topic: read_topic(&row.topic).map_err(|error| error.to_string())?,
                event_id: MessageId(row.event_id),
                correlation_id: CorrelationId(row.correlation_id),
                created_at: row.created_at,
                number,
                attempts_before: row.attempts_before,
                told: told.ok_or("its facts cannot be read by this version")?,
                recipient: Recipient {
                    iban: row.iban,
                    name: row.name,
                    language: row.language,
                    email: row.email,
                    webhook: row.webhook,
                    keys: keys(row.webhook_key, row.webhook_key_before, row.two_keys)?,
                },
            })
        };
        read().map_err(|why: String| Unreadable { id, number, why })
    });
    Ok(parcel.collect())
}

fn keys(own: Option<Vec<u8>>, before: Option<Vec<u8>>, two: bool) -> Result<Keys, String> {
    let key = |bytes: Vec<u8>| {
        SigningKey::try_from_bytes(bytes).map_err(|error| format!("its key {error}"))
    };
    let before = match (two, before) {
        (false, _) => None,
        (true, None) => Some(KeyBefore::TheBanks),
        (true, Some(bytes)) => Some(KeyBefore::Own(key(bytes)?)),
    };
    Ok(Keys { own: own.map(key).transpose()?, before })
}

/// Gives claimed deliveries back untried: they are due again in a while, and a newer version of the
/// service, which can read them, may be quicker.
pub(crate) async fn set_aside_in_tx(
    tx: &mut Tx<'_>,
    unreadable: &[Unreadable],
    seconds: f64,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = unreadable.iter().map(|row| row.id.uuid()).collect();
    let numbers: Vec<i32> = unreadable.iter().map(|row| row.number).collect();
    sqlx::query!(
        "UPDATE deliveries
         SET attempts = attempts - 1, next_attempt_at = now() + make_interval(secs => $3)
         FROM unnest($1::uuid[], $2::integer[]) AS back(id, number)
         WHERE deliveries.id = back.id AND attempts = back.number AND status = 'pending'",
        &ids,
        &numbers,
        seconds,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Where an attempt has left a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    pub(crate) id: DeliveryId,
    /// The number of the attempt.
    pub(crate) number: i32,
    pub(crate) status: DeliveryStatus,
    /// In how many seconds it is tried again, where it is.
    pub(crate) again_seconds: Option<f64>,
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
    let again: Vec<Option<f64>> = settlements.iter().map(|it| it.again_seconds).collect();
    let errors: Vec<Option<&str>> = settlements.iter().map(|it| it.last_error.as_deref()).collect();
    let settled = sqlx::query_scalar!(
        "UPDATE deliveries
         SET status = s.status::delivery_status,
             next_attempt_at = now() + make_interval(secs => s.again), last_error = s.last_error
         FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::double precision[], $5::text[])
              AS s(id, number, status, again, last_error)
         WHERE deliveries.id = s.id AND deliveries.attempts = s.number
           AND deliveries.status = 'pending'
         RETURNING deliveries.id",
        &ids,
        &numbers,
        &statuses as _,
        &again as _,
        &errors as _,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(settled.into_iter().map(DeliveryId).collect())
}

/// What waits on a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    /// Deliveries that have neither succeeded nor failed.
    pub(crate) pending: i64,
    /// For how many seconds the one that is due the longest has been due.
    pub(crate) late_seconds: f64,
}

/// Counts what waits on a channel.
pub(crate) async fn backlog_in_tx(tx: &mut Tx<'_>, channel: Channel) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"SELECT count(*) AS "pending!",
                  greatest(0, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0))::float8
                      AS "late_seconds!"
           FROM deliveries WHERE status = 'pending' AND channel = $1::text::channel"#,
        channel_word(channel),
    )
    .fetch_one(tx.connection())
    .await
}
