//! Which relay publishes which outbox rows. Promise: a lane has one relay at a time; a lane whose
//! relay died is found and emptied by another.
//!
//! Every process takes a lane of its own, by an advisory lock on a connection of its own, and
//! writes that lane's number on its rows. The lock ends with the connection, so a crash frees it.

use std::sync::{
    Arc,
    atomic::{AtomicI16, Ordering},
};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    database::{Database, in_time},
    outbox::{OutboxRow, PartitionNumber},
};

/// The most processes of one service at a time.
const LANES: PartitionNumber = 16;
/// The first half of the advisory lock's key: says that the lock is an outbox lane.
const LOCK_CLASS: i32 = 0x0062_7573;
/// Rows read back at a time, and their bytes.
const ROWS_MAX: i64 = 1_000;
const BYTES_MAX: i64 = 8 * 1024 * 1024;
/// Rows of our own lane that are this old and not in hand were committed without our knowing: the
/// connection was lost during the commit. If they are on their way all the same, they are published
/// twice, under the same ids.
const FORGOTTEN_AFTER: &str = "30 seconds";

/// The lane this process writes on, known to all its tasks.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurrentPartition(Arc<AtomicI16>);

impl CurrentPartition {
    pub(crate) fn get(&self) -> PartitionNumber {
        self.0.load(Ordering::Relaxed)
    }
}

/// A held lane.
#[derive(Debug)]
pub(crate) struct OutboxPartition {
    number: PartitionNumber,
    connection: PgConnection,
    current: CurrentPartition,
}

impl OutboxPartition {
    /// Takes the first free lane. Fails when the database is away or every lane is taken.
    pub(crate) async fn take(
        database: &Database,
        current: &CurrentPartition,
    ) -> sqlx::Result<Self> {
        let mut connection = database.connect_apart().await?;
        for number in 0..LANES {
            if try_lock(&mut connection, number).await? {
                current.0.store(number, Ordering::Relaxed);
                return Ok(Self { number, connection, current: current.clone() });
            }
        }
        Err(sqlx::Error::Protocol(format!("all {LANES} outbox lanes are taken")))
    }

    pub(crate) const fn number(&self) -> PartitionNumber {
        self.number
    }

    /// Takes the lane again over a new connection, or another one where somebody was faster.
    pub(crate) async fn retake(&mut self, database: &Database) -> sqlx::Result<()> {
        *self = Self::take(database, &self.current.clone()).await?;
        Ok(())
    }

    /// Makes rows of lanes whose relay is gone our own, and returns them in the order of their ids.
    pub(crate) async fn adopt_orphans(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        let others = sqlx::query_scalar!(
            "SELECT DISTINCT lane FROM bus.outbox WHERE lane <> $1 ORDER BY lane",
            self.number,
        );
        let others = in_time(others.fetch_all(&mut self.connection)).await?;
        let mut adopted = Vec::new();
        for orphan in others {
            if try_lock(&mut self.connection, orphan).await? {
                adopted.extend(self.adopt(orphan).await?);
                let number = i32::from(orphan);
                let unlock = sqlx::query!("SELECT pg_advisory_unlock($1, $2)", LOCK_CLASS, number);
                in_time(unlock.fetch_one(&mut self.connection)).await?;
                tracing::info!(orphan, rows = adopted.len(), "took over from a relay that is gone");
            }
        }
        adopted.sort_unstable_by_key(|row| row.id);
        Ok(adopted)
    }

    async fn adopt(&mut self, orphan: PartitionNumber) -> sqlx::Result<Vec<OutboxRow>> {
        let rows = sqlx::query_as!(
            StoredRow,
            "UPDATE bus.outbox SET lane = $1
             WHERE id = ANY(ARRAY(
                 SELECT id FROM (
                     SELECT id, coalesce(sum(octet_length(body)) OVER (ORDER BY id
                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
                     FROM bus.outbox WHERE lane = $2 ORDER BY id LIMIT $3) AS first
                 WHERE bytes_before < $4))
             RETURNING id, events, message_id, kind, correlation_id, partition_key, body",
            self.number,
            orphan,
            ROWS_MAX,
            BYTES_MAX as _,
        );
        let rows = in_time(rows.fetch_all(&mut self.connection)).await?;
        Ok(rows.into_iter().map(OutboxRow::from).collect())
    }

    /// The first rows that a relay before us left behind, in the order of their ids.
    pub(crate) async fn leftovers(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        self.rows_older_than("0 seconds").await
    }

    /// Rows that this process has committed without learning of it.
    pub(crate) async fn forgotten(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        self.rows_older_than(FORGOTTEN_AFTER).await
    }

    async fn rows_older_than(&mut self, age: &str) -> sqlx::Result<Vec<OutboxRow>> {
        let rows = sqlx::query_as!(
            StoredRow,
            "SELECT id, events, message_id, kind, correlation_id, partition_key, body
             FROM (
                 SELECT *, coalesce(sum(octet_length(body)) OVER (ORDER BY id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
                 FROM bus.outbox
                 WHERE lane = $1 AND created_at <= clock_timestamp() - $2::text::interval
                 ORDER BY id LIMIT $3) AS first
             WHERE bytes_before < $4
             ORDER BY id",
            self.number,
            age,
            ROWS_MAX,
            BYTES_MAX as _,
        );
        let rows = in_time(rows.fetch_all(&mut self.connection)).await?;
        Ok(rows.into_iter().map(OutboxRow::from).collect())
    }
}

/// A row as the table has it.
struct StoredRow {
    id: i64,
    events: i32,
    message_id: Uuid,
    kind: String,
    correlation_id: Uuid,
    partition_key: Option<String>,
    body: Vec<u8>,
}

impl From<StoredRow> for OutboxRow {
    fn from(stored: StoredRow) -> Self {
        let StoredRow { id, events, message_id, kind, correlation_id, partition_key, body } =
            stored;
        Self { id, events, message_id, kind, correlation_id, partition_key, body, room: None }
    }
}

async fn try_lock(connection: &mut PgConnection, lane: PartitionNumber) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock($1, $2) AS "taken!""#,
        LOCK_CLASS,
        i32::from(lane),
    );
    in_time(taken.fetch_one(connection)).await
}
