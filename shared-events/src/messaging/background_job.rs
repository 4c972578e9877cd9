//! Work that no message starts: what a service does on its own, by the clock. Promise: it announces
//! events under the same rule as a handler, in the transaction that made them true.

use std::{future::Future, sync::Arc};

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::{
    database::{Database, Lease, Tx},
    handler::{Event, HandleError},
    outbox::{self, Cause, OutboxRow, RelayQueue},
    outbox_partition::CurrentPartition,
    time_limit::AdaptiveTimeout,
};
use crate::ids::{CorrelationId, MessageId};

/// Something that a service does on its own until it is stopped.
pub trait BackgroundJob: Send + 'static {
    /// What it is called in the service's health: `job interest`.
    fn name(&self) -> String;

    /// Works until `shutdown`. What is begun by then should be finished, or harmless to repeat.
    /// Where it panics it is run again.
    fn run(
        &mut self,
        context: JobContext,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send;
}

/// Opens pieces of work.
#[derive(Clone, Debug)]
pub struct JobContext {
    pub(crate) source: String,
    pub(crate) database: Database,
    pub(crate) time_limit: Arc<AdaptiveTimeout>,
    pub(crate) lane: CurrentPartition,
    pub(crate) relay_queue: RelayQueue,
}

impl JobContext {
    /// Opens a transaction; waits while too many events wait for the broker. Dropped without
    /// [`UnitOfWork::commit`], it leaves nothing behind.
    pub async fn begin(&self) -> Result<UnitOfWork, HandleError> {
        self.relay_queue.ready().await;
        let lease = self.database.begin().await?;
        Ok(UnitOfWork { context: self.clone(), lease, events: Vec::new() })
    }

    /// A piece of work on the database: all between [`JobContext::begin`] and [`UnitOfWork::commit`]
    /// belongs into one. The server's host may vanish without a word: a piece that takes longer
    /// than the bound (5 s; twice as long each time that this was too short) is dropped, with its
    /// connection, and fails as one that can be tried again.
    pub async fn bounded<T>(
        &self,
        piece: impl Future<Output = Result<T, HandleError>>,
    ) -> Result<T, HandleError> {
        self.relay_queue.ready().await;
        // In a box: a piece is all that a job does, and jobs run side by side in one future.
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

    /// Announces an event when this is committed. `cause` is the message that led to it, and
    /// `correlation` that message's: the same event of the same cause has the same id.
    pub fn announce(&mut self, cause: MessageId, correlation: CorrelationId, event: Event) {
        let cause = Cause { id: cause, correlation, traceparent: None, actor: None };
        let key = event.partition_key.clone();
        let envelope = cause.wrap(&self.context.source, Utc::now(), event);
        self.events.push(OutboxRow::new(&envelope, key));
    }

    /// Commits the changes together with the events, and sends these on their way.
    pub async fn commit(mut self) -> Result<(), HandleError> {
        let lane = self.context.lane.get();
        let rows = outbox::insert(&mut self.lease, lane, self.events).await?;
        self.context.relay_queue.commit(&mut self.lease, rows).await?;
        self.lease.give_back();
        Ok(())
    }
}
