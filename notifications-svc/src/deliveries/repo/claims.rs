//! Claims of due deliveries. Promise: a due delivery is claimed by one worker at a time, by the
//! clock of the database alone; a lost worker delays its deliveries and nothing else; a row that
//! this version cannot read affects no other.

use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::{DeliveryId, NotificationId},
    messaging::Tx,
};
use uuid::Uuid;

use crate::{
    deliveries::{
        DeliveryStatus, PendingDelivery,
        traffic::{DueDelivery, Exclusions},
    },
    recipients::{Channel, PreviousKey, RecipientContact, SigningKey, SigningKeys, Topic},
    triggers::NotificationPayload,
};

/// Searches for due deliveries of a channel, the longest due first, at most `limit`, without the
/// exclusions and without those `found` before. Locks nothing.
pub(crate) async fn due_in_tx(
    tx: &mut Tx<'_>,
    channel: Channel,
    exclusions: &Exclusions,
    found: &[Uuid],
    limit: i64,
) -> sqlx::Result<Vec<DueDelivery>> {
    let accounts: Vec<Uuid> = exclusions.accounts.iter().map(|account| account.uuid()).collect();
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
        channel.as_str(),
        &accounts,
        found,
        &exclusions.hosts,
        exclusions.only_hosts.as_deref() as _,
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    let due = rows.into_iter().map(|row| DueDelivery {
        id: DeliveryId(row.id),
        account_id: AccountId(row.account_id),
        host: row.place,
    });
    Ok(due.collect())
}

/// A claimed delivery that this version cannot read.
#[derive(Clone, Debug)]
pub(crate) struct UnreadableDelivery {
    pub(crate) id: DeliveryId,
    /// The number of the attempt.
    pub(crate) number: i32,
    pub(crate) reason: String,
}

/// Claims deliveries that are still due and that no other worker is claiming. A claimed delivery is
/// due again when the lease ends, unless the claim is settled by then. The number of the attempt
/// identifies the claim.
pub(crate) async fn claim_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    lease_seconds: f64,
) -> sqlx::Result<Vec<Result<PendingDelivery, UnreadableDelivery>>> {
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
    let claimed = rows.into_iter().map(|row| {
        let (id, number) = (DeliveryId(row.id), row.attempts);
        let read = || {
            let payload = row.parameters.as_deref().and_then(NotificationPayload::read);
            Ok(PendingDelivery {
                id,
                notification_id: NotificationId(row.notification_id),
                account_id: AccountId(row.account_id),
                topic: Topic::from_name(&row.topic).map_err(|error| error.to_string())?,
                event_id: MessageId(row.event_id),
                correlation_id: CorrelationId(row.correlation_id),
                created_at: row.created_at,
                attempt: number,
                attempts_before: row.attempts_before,
                payload: payload.ok_or("its payload cannot be read by this version")?,
                recipient: RecipientContact {
                    iban: row.iban,
                    name: row.name,
                    language: row.language,
                    email: row.email,
                    webhook: row.webhook,
                    keys: keys(row.webhook_key, row.webhook_key_before, row.two_keys)?,
                },
            })
        };
        read().map_err(|reason: String| UnreadableDelivery { id, number, reason })
    });
    Ok(claimed.collect())
}

/// `both_sign`: the key before signs, too.
fn keys(
    own: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    both_sign: bool,
) -> Result<SigningKeys, String> {
    let key = |bytes: Vec<u8>| {
        SigningKey::try_from_bytes(bytes).map_err(|error| format!("its key {error}"))
    };
    let previous = match (both_sign, previous) {
        (false, _) => None,
        (true, None) => Some(PreviousKey::BankKey),
        (true, Some(bytes)) => Some(PreviousKey::Own(key(bytes)?)),
    };
    Ok(SigningKeys { own: own.map(key).transpose()?, previous })
}

/// Gives up the claims of unreadable deliveries without an attempt. They are due again in so many
/// seconds, and a newer version of the service, which can read them, may claim them first.
pub(crate) async fn set_aside_in_tx(
    tx: &mut Tx<'_>,
    unreadable: &[UnreadableDelivery],
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

/// The state of a delivery after an attempt.
#[derive(Clone, Debug)]
pub(crate) struct ClaimResult {
    pub(crate) id: DeliveryId,
    /// The number of the attempt.
    pub(crate) number: i32,
    pub(crate) status: DeliveryStatus,
    /// The seconds until the next attempt, where there is one.
    pub(crate) again_seconds: Option<f64>,
    pub(crate) last_error: Option<String>,
}

/// Settles claims. Returns the deliveries whose claim still held: where the attempt took too long
/// and another worker has claimed the delivery since, that worker decides.
pub(crate) async fn settle_in_tx(
    tx: &mut Tx<'_>,
    results: &[ClaimResult],
) -> sqlx::Result<Vec<DeliveryId>> {
    let ids: Vec<Uuid> = results.iter().map(|result| result.id.uuid()).collect();
    let numbers: Vec<i32> = results.iter().map(|result| result.number).collect();
    let statuses: Vec<&str> = results.iter().map(|result| result.status.as_str()).collect();
    let again: Vec<Option<f64>> = results.iter().map(|result| result.again_seconds).collect();
    let errors: Vec<Option<&str>> =
        results.iter().map(|result| result.last_error.as_deref()).collect();
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

/// The pending deliveries of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    /// Deliveries that have neither succeeded nor failed.
    pub(crate) pending: i64,
    /// The seconds for which the oldest due delivery has been due.
    pub(crate) late_seconds: f64,
}

/// Counts the pending deliveries of a channel.
pub(crate) async fn backlog_in_tx(tx: &mut Tx<'_>, channel: Channel) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"SELECT count(*) AS "pending!",
                  greatest(0, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0))::float8
                      AS "late_seconds!"
           FROM deliveries WHERE status = 'pending' AND channel = $1::text::channel"#,
        channel.as_str(),
    )
    .fetch_one(tx.connection())
    .await
}
