//! Work that no message starts: a service's own schedules. Promise: a job announces events under
//! the same rule as a handler, in the transaction that made them true.

use std::{future::Future, sync::Arc};

use chrono::Utc;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{
    announcer::Announcer,
    database::{Database, Lease, Tx},
    handler::{Event, HandleError},
    outbox::{self, Cause, OutboxRow, RelayQueue},
    outbox_partition::CurrentPartition,
    time_limit::AdaptiveTimeout,
};
use crate::ids::{CorrelationId, MessageId};

/// A job of a service that runs until the service stops.
pub trait BackgroundJob: Send + 'static {
    /// The job's name in the service's health: `job interest`.
    fn name(&self) -> String;

    /// Works until `shutdown`. Work in progress should be finished by then, or harmless to repeat.
    /// A job that panics is run again.
    fn run(
        &mut self,
        context: JobContext,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send;
}

/// Opens units of work.
#[derive(Clone, Debug)]
pub struct JobContext {
    pub(crate) announcer: Announcer,
    pub(crate) database: Database,
    pub(crate) time_limit: Arc<AdaptiveTimeout>,
    pub(crate) partition: CurrentPartition,
    pub(crate) relay_queue: RelayQueue,
}

impl JobContext {
    /// Opens a transaction; waits while too many events wait for the broker. Dropped without
    /// [`UnitOfWork::commit`], the transaction leaves nothing behind, and its connection is closed
    /// as after a fault: work that has only read ends with a commit, too.
    pub fn begin(&self) -> BoxFuture<'_, Result<UnitOfWork, HandleError>> {
        Box::pin(async {
            self.relay_queue.ready().await;
            let lease = self.database.begin().await?;
            Ok(UnitOfWork { context: self.clone(), lease, events: Vec::new() })
        })
    }

    /// Bounds a piece of work on the database: all that happens between [`JobContext::begin`] and
    /// [`UnitOfWork::commit`]. A server's host may vanish without a reset: work that takes longer
    /// than the bound (5 s; doubled each time that this was too short) is dropped with its
    /// connection, and fails as transient.
    pub async fn bounded<T>(
        &self,
        piece: impl Future<Output = Result<T, HandleError>>,
    ) -> Result<T, HandleError> {
        self.relay_queue.ready().await;
        // Boxed: a piece is a whole job's work, and jobs run side by side in one future.
        self.time_limit.bounded(Box::pin(piece)).await
    }
}

/// A transaction and the events that it announces.
#[derive(Debug)]
pub struct UnitOfWork {
    context: JobContext,
    lease: Lease,
    events: Vec<OutboxRow>,
}

impl UnitOfWork {
    /// The open transaction.
    pub fn tx(&mut self) -> Tx<'_> {
        Tx::lend(&mut self.lease)
    }

    /// Announces an event with the commit. `cause` is the message that led to the event, and
    /// `correlation` that message's: the same event of the same cause has the same id.
    pub fn announce(&mut self, cause: MessageId, correlation: CorrelationId, event: Event) {
        let cause = Cause { id: cause, correlation, traceparent: None, actor: None };
        let key = event.partition_key.clone();
        let announced = self.context.announcer.announce(&cause, Utc::now(), event);
        self.events.extend(announced.map(|envelope| OutboxRow::new(&envelope, key)));
    }

    /// Commits the changes together with the events, and queues the events for the relay.
    pub fn commit(mut self) -> BoxFuture<'static, Result<(), HandleError>> {
        Box::pin(async move {
            let partition = self.context.partition.get();
            let rows = outbox::insert(&mut self.lease, partition, self.events).await?;
            self.context.relay_queue.commit(rows, self.lease.commit()).await?;
            self.lease.give_back();
            Ok(())
        })
    }
}
