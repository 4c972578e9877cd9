//! Events between the handler and the relay. Promise: an event is stored in the transaction that
//! announces it; rows get their ids while that transaction holds its locks; memory is bounded.
//!
//! Tests: `nothing_begins_while_too_much_waits`, `a_commit_queues_its_rows_once_it_is_answered`,
//! `a_commit_without_an_answer_queues_its_rows_as_doubtful`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::PgConnection;
use tokio::sync::{Mutex, mpsc, watch};
use uuid::Uuid;

use super::{
    coalesce::coalesce,
    database::{Database, in_time},
    handler::Event,
};
use crate::{
    envelope::{Envelope, MESSAGE_BYTES_MAX, SpecVersion, schema_urn},
    ids::{CorrelationId, MessageId},
    text::visible,
};

/// While so many bytes of committed events wait in memory for the broker, no transaction begins: a
/// slow broker slows the service down, without filling its memory or leaving accounts locked.
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The number of an outbox partition (column `lane`): which relay publishes a row.
pub(crate) type PartitionNumber = i16;

/// PostgreSQL's code for a transaction id that it has not given out yet.
const IN_THE_FUTURE: &str = "22023";
/// The longest `actor`: events copy the client's text.
const ACTOR_BYTES_MAX: usize = 255;

/// The message that led to an event.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) id: MessageId,
    pub(crate) correlation: CorrelationId,
    pub(crate) traceparent: Option<String>,
    pub(crate) actor: Option<String>,
}

impl Cause {
    pub(crate) fn of<D>(envelope: &Envelope<D>) -> Self {
        Self {
            id: envelope.id,
            correlation: envelope.correlationid,
            traceparent: envelope.traceparent.as_deref().and_then(child_span),
            actor: envelope.actor.as_deref().map(actor),
        }
    }

    /// Puts an event into its envelope. The same event of the same cause gets the same id.
    pub(crate) fn wrap(
        &self,
        source: &str,
        time: DateTime<Utc>,
        event: Event,
    ) -> Envelope<Box<RawValue>> {
        Envelope {
            specversion: SpecVersion::V1,
            id: self.id.caused(event.kind, event.data.get().as_bytes()),
            source: source.to_owned(),
            kind: event.kind.to_owned(),
            subject: Some(event.subject),
            time,
            dataschema: Some(schema_urn(event.kind)),
            correlationid: self.correlation,
            causationid: Some(self.id),
            traceparent: self.traceparent.clone(),
            actor: self.actor.clone(),
            data: event.data,
        }
    }
}

/// The client's `actor` as one line of visible characters, shortened.
pub(crate) fn actor(text: &str) -> String {
    visible(&text[..text.floor_char_boundary(ACTOR_BYTES_MAX)]).into_owned()
}

/// The same trace, a new span (W3C Trace Context, level 1).
fn child_span(parent: &str) -> Option<String> {
    let mut parts = parent.split('-');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        ("00", trace, _, flags) if is_hex(trace, 32) && is_hex(flags, 2) => {
            Some(format!("00-{trace}-{:016x}-{flags}", rand::random::<u64>()))
        }
        _ => None,
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Events of one transaction that travel in one message, which the broker has not confirmed.
#[derive(Clone, Debug)]
pub(crate) struct OutboxRow {
    pub(crate) id: i64,
    /// The transaction that stored the row (xid8), where this process has begun it; else 0.
    pub(crate) transaction: i64,
    /// The number of events.
    pub(crate) events: i32,
    /// The first event's id.
    pub(crate) message_id: Uuid,
    pub(crate) kind: String,
    pub(crate) correlation_id: Uuid,
    pub(crate) partition_key: Option<String>,
    /// The envelope as JSON; of several, a JSON array.
    pub(crate) body: Vec<u8>,
    /// The row's share of the memory for waiting events.
    pub(crate) permit: Option<Arc<MemoryPermit>>,
}

impl OutboxRow {
    pub(crate) fn new(envelope: &Envelope<Box<RawValue>>, partition_key: Option<String>) -> Self {
        let body = serde_json::to_vec(envelope).expect("an envelope writes plain JSON");
        Self {
            id: 0,
            transaction: 0,
            events: 1,
            message_id: envelope.id.uuid(),
            kind: envelope.kind.clone(),
            correlation_id: envelope.correlationid.0,
            partition_key,
            body,
            permit: None,
        }
    }
}

/// Stores events in the open transaction, in order and joined, and returns the rows with their ids.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    partition: PartitionNumber,
    events: Vec<OutboxRow>,
) -> sqlx::Result<Vec<OutboxRow>> {
    let mut rows = coalesce(events);
    if rows.is_empty() {
        return Ok(rows);
    }
    check_sizes(&rows)?;
    let counts: Vec<i32> = rows.iter().map(|row| row.events).collect();
    let message_ids: Vec<Uuid> = rows.iter().map(|row| row.message_id).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    let correlations: Vec<Uuid> = rows.iter().map(|row| row.correlation_id).collect();
    let keys: Vec<Option<&str>> = rows.iter().map(|row| row.partition_key.as_deref()).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body.as_slice()).collect();
    let stored = sqlx::query!(
        r#"INSERT INTO bus.outbox
             (lane, events, message_id, kind, correlation_id, partition_key, body)
         SELECT $1, events, message_id, kind, correlation_id, partition_key, body
         FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::bytea[])
              WITH ORDINALITY
              AS row(events, message_id, kind, correlation_id, partition_key, body, place)
         ORDER BY place
         RETURNING id, pg_current_xact_id()::text::bigint AS "transaction!""#,
        partition,
        &counts,
        &message_ids,
        &kinds as _,
        &correlations,
        &keys as _,
        &bodies as _,
    )
    .fetch_all(connection)
    .await?;
    for (row, stored) in rows.iter_mut().zip(stored) {
        (row.id, row.transaction) = (stored.id, stored.transaction);
    }
    Ok(rows)
}

/// Refuses an event that no broker would take: stored, it would stop all events behind it. The
/// announcing message fails for itself, as with any value that cannot be encoded.
fn check_sizes(rows: &[OutboxRow]) -> sqlx::Result<()> {
    match rows.iter().find(|row| row.body.len() > MESSAGE_BYTES_MAX) {
        Some(row) => {
            let wrong = format!("{} would have {} bytes", row.kind, row.body.len());
            Err(sqlx::Error::Encode(wrong.into()))
        }
        None => Ok(()),
    }
}

/// The number of waiting rows, and the age of the oldest in seconds.
pub(crate) async fn waiting(database: &Database) -> sqlx::Result<(f64, f64)> {
    let mut lease = database.lease().await?;
    let outbox = sqlx::query!(
        r#"SELECT count(*)::float8 AS "rows!",
                  coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
                      AS "seconds!"
           FROM bus.outbox"#,
    );
    let outbox = in_time(outbox.fetch_one(&mut *lease)).await?;
    lease.give_back();
    Ok((outbox.rows, outbox.seconds))
}

/// The ids of these rows of one transaction that are in the table. `None` while the server still
/// carries out the transaction: it goes on with a commit whose client has gone, and shows the rows
/// only at its end.
pub(crate) async fn stored(
    database: &Database,
    rows: &[OutboxRow],
) -> sqlx::Result<Option<Vec<i64>>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let transaction = rows.first().map_or(0, |row| row.transaction);
    let mut lease = database.lease().await?;
    if is_in_progress(&mut lease, transaction).await? {
        lease.give_back();
        return Ok(None);
    }
    let stored = sqlx::query_scalar!("SELECT id FROM bus.outbox WHERE id = ANY($1)", &ids);
    let stored = in_time(stored.fetch_all(&mut *lease)).await?;
    lease.give_back();
    Ok(Some(stored))
}

/// Whether the server still carries out a transaction. A server that took over from the one that
/// began the transaction may know nothing of it, and carries out nothing of it either.
async fn is_in_progress(connection: &mut PgConnection, transaction: i64) -> sqlx::Result<bool> {
    let asked = sqlx::query_scalar!(
        "SELECT pg_xact_status($1::bigint::text::xid8) = 'in progress'",
        transaction,
    );
    match in_time(asked.fetch_one(connection)).await {
        Err(sqlx::Error::Database(answer)) if answer.code().as_deref() == Some(IN_THE_FUTURE) => {
            Ok(false)
        }
        answer => Ok(answer?.unwrap_or(false)),
    }
}

/// Deletes confirmed rows.
pub(crate) async fn delete(database: &Database, ids: &[i64]) -> sqlx::Result<()> {
    let mut lease = database.lease().await?;
    let delete = sqlx::query!("DELETE FROM bus.outbox WHERE id = ANY($1)", ids);
    in_time(delete.execute(&mut *lease)).await?;
    lease.give_back();
    Ok(())
}

/// Rows of one transaction on their way to the relay.
#[derive(Debug)]
pub(crate) enum RelayItem {
    /// The rows are in the table.
    Committed(Vec<OutboxRow>),
    /// The commit began and its answer was lost: the table says whether the rows are stored.
    Doubtful(Vec<OutboxRow>),
}

/// The queue from commits to the relay. [`RelayQueue::ready`] bounds its bytes; beyond the bound
/// there is at most one transaction of each task.
#[derive(Clone, Debug)]
pub(crate) struct RelayQueue {
    turn: Arc<Mutex<()>>,
    waiting_bytes: watch::Sender<usize>,
    relay: mpsc::UnboundedSender<RelayItem>,
}

/// The memory of a transaction's events, released with the last of its rows.
#[derive(Debug)]
pub(crate) struct MemoryPermit {
    waiting_bytes: watch::Sender<usize>,
    bytes: usize,
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.waiting_bytes.send_modify(|waiting| *waiting -= self.bytes);
    }
}

impl RelayQueue {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<RelayItem>) {
        let (relay, receiver) = mpsc::unbounded_channel();
        (Self { turn: Arc::default(), waiting_bytes: watch::Sender::new(0), relay }, receiver)
    }

    /// Waits while too many bytes wait: before a transaction begins, so that none holds its locks
    /// until the broker is back.
    pub(crate) async fn ready(&self) {
        let mut waiting_bytes = self.waiting_bytes.subscribe();
        let few = waiting_bytes.wait_for(|waiting| *waiting < WAITING_BYTES_MAX).await;
        few.expect("the queue has the sender");
    }

    /// Commits a transaction that has stored these rows, and queues them. One commit at a time: a
    /// transaction that waits for this one's locks commits later and is queued later, so the events
    /// of an account leave in the order of its versions. Where the answer to the commit is lost, or
    /// not awaited any longer, the rows are queued in the same place as doubtful.
    pub(crate) async fn commit(
        &self,
        rows: Vec<OutboxRow>,
        commit: impl Future<Output = sqlx::Result<()>>,
    ) -> sqlx::Result<()> {
        if rows.is_empty() {
            return commit.await;
        }
        let _turn = self.turn.lock().await;
        let mut pending = PendingCommit { relay_queue: self, rows };
        commit.await?;
        self.push(std::mem::take(&mut pending.rows), RelayItem::Committed);
        Ok(())
    }

    /// Queues rows. After the relay's end the rows stay in the table, for the next relay.
    fn push(&self, mut rows: Vec<OutboxRow>, item: fn(Vec<OutboxRow>) -> RelayItem) {
        let bytes = rows.iter().map(|row| row.body.len()).sum();
        self.waiting_bytes.send_modify(|waiting| *waiting += bytes);
        let permit = Arc::new(MemoryPermit { waiting_bytes: self.waiting_bytes.clone(), bytes });
        for row in &mut rows {
            row.permit = Some(Arc::clone(&permit));
        }
        if self.relay.send(item(rows)).is_err() {
            tracing::info!("the relay has ended; committed events stay in the outbox");
        }
    }
}

/// The rows of a commit that has begun. Rows that are still here at its end are queued as doubtful.
struct PendingCommit<'h> {
    relay_queue: &'h RelayQueue,
    rows: Vec<OutboxRow>,
}

impl Drop for PendingCommit<'_> {
    fn drop(&mut self) {
        if !self.rows.is_empty() {
            self.relay_queue.push(std::mem::take(&mut self.rows), RelayItem::Doubtful);
        }
    }
}

/// A row of one event for tests.
#[cfg(test)]
pub(crate) fn row_with_id(id: i64) -> OutboxRow {
    OutboxRow {
        id,
        transaction: 0,
        events: 1,
        message_id: Uuid::from_u128(u128::from(id.unsigned_abs())),
        kind: "test.event.v1".to_owned(),
        correlation_id: Uuid::nil(),
        partition_key: None,
        body: b"{}".to_vec(),
        permit: None,
    }
}
