//! The statements of an outbox partition, on a database session of its own. Promise: each ends
//! within a bound; the advisory lock lives as long as the session, so a crash frees it.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    database::in_time,
    outbox::{OutboxRow, PartitionNumber},
};

/// The first half of the advisory lock's key: says that the lock is an outbox partition.
const LOCK_CLASS: i32 = 0x0062_7573;
/// Rows read back at a time, and their bytes.
const ROWS_MAX: i64 = 1_000;
const BYTES_MAX: i64 = 8 * 1024 * 1024;

/// A session that can hold partitions' locks and read their rows.
pub(crate) trait PartitionSession: Send + 'static {
    /// Takes a partition's lock, unless another session holds it.
    fn try_lock(
        &mut self,
        number: PartitionNumber,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send;

    fn unlock(&mut self, number: PartitionNumber) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// The partitions other than `own` that have rows.
    fn other_partitions(
        &mut self,
        own: PartitionNumber,
    ) -> impl Future<Output = sqlx::Result<Vec<PartitionNumber>>> + Send;

    /// Moves the first rows of `orphan` to `own`, and returns them in any order.
    fn adopt(
        &mut self,
        own: PartitionNumber,
        orphan: PartitionNumber,
    ) -> impl Future<Output = sqlx::Result<Vec<OutboxRow>>> + Send;

    /// The first rows of `own` that are older than `age`, in the order of their ids.
    fn rows_older_than(
        &mut self,
        own: PartitionNumber,
        age: &str,
    ) -> impl Future<Output = sqlx::Result<Vec<OutboxRow>>> + Send;
}

impl PartitionSession for PgConnection {
    async fn try_lock(&mut self, number: PartitionNumber) -> sqlx::Result<bool> {
        let taken = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1, $2) AS "taken!""#,
            LOCK_CLASS,
            i32::from(number),
        );
        in_time(taken.fetch_one(self)).await
    }

    async fn unlock(&mut self, number: PartitionNumber) -> sqlx::Result<()> {
        let number = i32::from(number);
        let unlock = sqlx::query!("SELECT pg_advisory_unlock($1, $2)", LOCK_CLASS, number);
        in_time(unlock.fetch_one(self)).await?;
        Ok(())
    }

    async fn other_partitions(
        &mut self,
        own: PartitionNumber,
    ) -> sqlx::Result<Vec<PartitionNumber>> {
        let others = sqlx::query_scalar!(
            "SELECT DISTINCT lane FROM bus.outbox WHERE lane <> $1 ORDER BY lane",
            own,
        );
        in_time(others.fetch_all(self)).await
    }

    async fn adopt(
        &mut self,
        own: PartitionNumber,
        orphan: PartitionNumber,
    ) -> sqlx::Result<Vec<OutboxRow>> {
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
            own,
            orphan,
            ROWS_MAX,
            BYTES_MAX as _,
        );
        let rows = in_time(rows.fetch_all(self)).await?;
        Ok(rows.into_iter().map(OutboxRow::from).collect())
    }

    async fn rows_older_than(
        &mut self,
        own: PartitionNumber,
        age: &str,
    ) -> sqlx::Result<Vec<OutboxRow>> {
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
            own,
            age,
            ROWS_MAX,
            BYTES_MAX as _,
        );
        let rows = in_time(rows.fetch_all(self)).await?;
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
        Self {
            id,
            transaction: 0,
            events,
            message_id,
            kind,
            correlation_id,
            partition_key,
            body,
            permit: None,
        }
    }
}
