//! The database edge of the relay, and the tasks on it that run beside the publishing. Promise: no
//! task delays a message; each ends, or is attempted again, while the database is silent.

use std::{collections::HashSet, pin::Pin};

use sqlx::PgConnection;
use tracing::{info, warn};

use super::{
    database::Database,
    database_fault::is_transient,
    outbox::{self, OutboxRow},
    outbox_partition::{CurrentPartition, OutboxPartition},
};
use crate::amqp::connection::Backoff;
use crate::envelope::chain;

/// The outbox table, as the relay uses it. The tests of `relay` run over a table in memory.
pub(crate) trait OutboxTable: Clone + Send + Sync + 'static {
    /// A held partition.
    type Partition: Send + 'static;

    /// Takes a free partition.
    fn take_partition(&self) -> impl Future<Output = sqlx::Result<Self::Partition>> + Send;

    /// Rows that no process has in memory: rows of dead relays, and, at the start, all rows that an
    /// earlier relay of this partition left; later, old rows of this process.
    fn unpublished(
        &self,
        partition: &mut Self::Partition,
        at_start: bool,
    ) -> impl Future<Output = sqlx::Result<Vec<OutboxRow>>> + Send;

    /// Which of these rows of one transaction are in the table; `None` while the transaction is
    /// still carried out.
    fn stored(
        &self,
        rows: &[OutboxRow],
    ) -> impl Future<Output = sqlx::Result<Option<Vec<i64>>>> + Send;

    fn delete(&self, ids: &[i64]) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// The outbox table of a service's PostgreSQL database.
#[derive(Clone)]
pub(crate) struct PostgresOutbox {
    database: Database,
    /// A delete that is lost with the server's memory leaves a row that is published again, as
    /// after any crash: the relay does not wait for the disk.
    deletes: Database,
    current: CurrentPartition,
}

impl PostgresOutbox {
    pub(crate) fn new(database: Database, current: CurrentPartition) -> Self {
        Self { deletes: database.unflushed(), database, current }
    }
}

impl OutboxTable for PostgresOutbox {
    type Partition = OutboxPartition<PgConnection>;

    async fn take_partition(&self) -> sqlx::Result<Self::Partition> {
        let session = self.database.connect_apart().await?;
        let partition = OutboxPartition::take(session, &self.current).await?;
        info!(lane = partition.number(), "relay holds its outbox partition");
        Ok(partition)
    }

    async fn unpublished(
        &self,
        partition: &mut Self::Partition,
        at_start: bool,
    ) -> sqlx::Result<Vec<OutboxRow>> {
        let mut rows = partition.adopt_orphans().await?;
        rows.extend(match at_start {
            true => partition.leftovers().await?,
            false => partition.unnoticed().await?,
        });
        Ok(rows)
    }

    async fn stored(&self, rows: &[OutboxRow]) -> sqlx::Result<Option<Vec<i64>>> {
        outbox::stored(&self.database, rows).await
    }

    async fn delete(&self, ids: &[i64]) -> sqlx::Result<()> {
        outbox::delete(&self.deletes, ids).await
    }
}

/// A task on the table that runs beside the publishing.
pub(crate) type TableTask<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Waits for a running task and clears it; for ever, where none runs.
pub(crate) async fn finished<T>(running: &mut Option<TableTask<T>>) -> T {
    match running {
        Some(task) => {
            let result = task.await;
            *running = None;
            result
        }
        None => std::future::pending().await,
    }
}

/// Deletes confirmed rows. While the database is away the rows are merely still there.
pub(crate) async fn delete<O: OutboxTable>(table: O, ids: Vec<i64>) -> sqlx::Result<()> {
    let mut backoff = Backoff::new();
    loop {
        match table.delete(&ids).await {
            Err(error) if is_transient(&error) => backoff.pause().await,
            result => return result,
        }
    }
}

/// The doubtful rows that were committed after all. Asks until the database answers, and until it
/// has ended their transaction: events of later transactions of this process wait behind these.
pub(crate) async fn committed<O: OutboxTable>(table: O, rows: Vec<OutboxRow>) -> Vec<OutboxRow> {
    let mut backoff = Backoff::new();
    loop {
        match table.stored(&rows).await {
            Ok(Some(stored)) => {
                warn!(rows = rows.len(), committed = stored.len(), "a commit's answer was lost");
                let stored: HashSet<i64> = stored.into_iter().collect();
                return rows.into_iter().filter(|row| stored.contains(&row.id)).collect();
            }
            Ok(None) => warn!(rows = rows.len(), "events wait for the end of their commit"),
            Err(error) => {
                warn!(error = %chain(&error), "not known yet whether events were committed");
            }
        }
        backoff.pause().await;
    }
}

/// The result of a look at the table, and the partition that the look was made with.
pub(crate) struct SweepResult<P> {
    pub(crate) partition: P,
    pub(crate) at_start: bool,
    pub(crate) found: sqlx::Result<Vec<OutboxRow>>,
}

/// Reads rows that no process has in memory. After a fault, takes a partition again: its lock may
/// be lost with its session.
pub(crate) async fn sweep<O: OutboxTable>(
    table: O,
    mut partition: O::Partition,
    at_start: bool,
) -> SweepResult<O::Partition> {
    let found = table.unpublished(&mut partition, at_start).await;
    if let Err(error) = &found {
        warn!(error = %chain(error), "cannot read the outbox; taking a partition again");
        match table.take_partition().await {
            Ok(taken) => partition = taken,
            Err(error) => {
                warn!(error = %chain(&error), "no outbox partition");
                tokio::time::sleep(Backoff::new().next_pause()).await;
            }
        }
    }
    SweepResult { partition, at_start, found }
}
