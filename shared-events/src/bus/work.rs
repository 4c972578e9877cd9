//! Work that no message starts: what a service does on its own, by the clock. Promise: it announces
//! events under the same rule as a handler, in the transaction that made them true.

use std::future::Future;

use chrono::Utc;
use sqlx::{PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;

use super::{
    database::Tx,
    handler::{Event, HandleError},
    lane::CurrentLane,
    outbox::{self, Cause, Handover, Row},
};
use crate::ids::{CorrelationId, MessageId};

/// Something that a service does on its own until it is stopped.
pub trait Worker: Send + 'static {
    /// Works until `shutdown`. What is begun by then should be finished, or harmless to repeat.
    fn run(
        self,
        workshop: Workshop,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send;
}

/// Opens pieces of work.
#[derive(Clone, Debug)]
pub struct Workshop {
    pub(crate) source: String,
    pub(crate) pool: PgPool,
    pub(crate) lane: CurrentLane,
    pub(crate) handover: Handover,
}

impl Workshop {
    /// Opens a transaction; waits while too many events wait for the broker. Dropped without
    /// [`Work::commit`], it leaves nothing behind.
    pub async fn begin(&self) -> Result<Work, HandleError> {
        self.handover.ready().await;
        let transaction = self.pool.begin().await?;
        Ok(Work { workshop: self.clone(), transaction, events: Vec::new() })
    }
}

/// A transaction and the events that it announces.
#[derive(Debug)]
pub struct Work {
    workshop: Workshop,
    transaction: Transaction<'static, Postgres>,
    events: Vec<Row>,
}

impl Work {
    /// The open transaction.
    pub fn tx(&mut self) -> Tx<'_> {
        Tx::lend(&mut self.transaction)
    }

    /// Announces an event when this is committed. `cause` is the message that led to it, and
    /// `correlation` that message's: the same event of the same cause has the same id.
    pub fn announce(&mut self, cause: MessageId, correlation: CorrelationId, event: Event) {
        let cause = Cause { id: cause, correlation, traceparent: None, actor: None };
        let key = event.partition_key.clone();
        let envelope = cause.wrap(&self.workshop.source, Utc::now(), event);
        self.events.push(Row::new(&envelope, key));
    }

    /// Commits the changes together with the events, and sends these on their way.
    pub async fn commit(mut self) -> Result<(), HandleError> {
        let lane = self.workshop.lane.get();
        let rows = outbox::insert(&mut self.transaction, lane, self.events).await?;
        Ok(self.workshop.handover.commit(self.transaction, rows).await?)
    }
}
