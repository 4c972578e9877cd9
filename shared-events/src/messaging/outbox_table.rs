//! What the relay asks of its table, beside the publishing. Promise: none of it holds up a message;
//! each of it ends, or is tried again, when the database is silent.

use std::pin::Pin;

use tracing::{info, warn};

use super::{
    database::{Database, is_transient},
    outbox::{self, OutboxRow},
    outbox_partition::OutboxPartition,
};
use crate::amqp::connection::Backoff;
use crate::envelope::chain;

pub(crate) type TableTask<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A look at the table, and the lane it was made with.
pub(crate) struct SweepResult {
    pub(crate) lane: OutboxPartition,
    pub(crate) at_start: bool,
    pub(crate) found: sqlx::Result<Vec<OutboxRow>>,
}

/// What runs beside the publishing, if anything does.
pub(crate) async fn beside<T>(running: &mut Option<TableTask<T>>) -> T {
    match running {
        Some(future) => {
            let done = future.await;
            *running = None;
            done
        }
        None => std::future::pending().await,
    }
}

/// A database that is away comes back; until then the rows are merely still there.
pub(crate) async fn delete(database: Database, ids: Vec<i64>) -> sqlx::Result<()> {
    let mut backoff = Backoff::new();
    loop {
        match outbox::delete(&database, &ids).await {
            Err(error) if is_transient(&error) => backoff.pause().await,
            done => return done,
        }
    }
}

/// The doubtful rows that were committed after all. Asks until the database answers: nothing can be
/// committed meanwhile that could leave before them.
pub(crate) async fn committed(database: Database, rows: Vec<OutboxRow>) -> Vec<OutboxRow> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut backoff = Backoff::new();
    loop {
        match outbox::stored(&database, &ids).await {
            Ok(stored) => {
                info!(rows = rows.len(), committed = stored.len(), "a commit's answer was lost");
                return rows.into_iter().filter(|row| stored.contains(&row.id)).collect();
            }
            Err(error) => {
                warn!(error = %chain(&error), "not known yet whether events were committed");
                backoff.pause().await;
            }
        }
    }
}

/// At the start, all that the lane's last relay left. Later, what a dead relay left on another
/// lane, and rows of our own that are old: they were committed without our knowing.
pub(crate) async fn sweep(
    mut lane: OutboxPartition,
    database: Database,
    at_start: bool,
) -> SweepResult {
    let found = async {
        let mut rows = lane.adopt_orphans().await?;
        rows.extend(match at_start {
            true => lane.leftovers().await?,
            false => lane.forgotten().await?,
        });
        Ok(rows)
    };
    let found = found.await;
    if let Err(error) = &found {
        warn!(error = %chain(error), "cannot read the outbox; taking a lane again");
        if let Err(error) = lane.retake(&database).await {
            warn!(error = %chain(&error), "no outbox lane");
            tokio::time::sleep(Backoff::new().next_pause()).await;
        }
    }
    SweepResult { lane, at_start, found }
}
