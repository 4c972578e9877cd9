//! The database edge of a service's deliveries. Promise: the batch reaches the database through
//! this trait alone, so that its tests run over tables in memory; a transaction is one type, and a
//! handler is given that transaction and no other. The trait's futures are boxed: the driver's code
//! is compiled once, here, and not again in each service.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    approvals::{ApprovalRecord, WaitingCommands, known_in_tx, store_in_tx, waiting_in_tx},
    conclude::BatchUpdates,
    database::{Database, Lease, Tx},
    handler::{HandleError, Handler, Idempotency, Outcome, Received},
    inbox::{self, InboxClaim, InboxState},
    isolation,
    outbox::{self, OutboxRow, RelayQueue},
    outbox_partition::CurrentPartition,
};
use crate::message::MessageSet;

/// The database, as the batch uses it.
#[async_trait]
pub(crate) trait DeliveryStore: Send + Sync + 'static {
    /// An open transaction. Dropped without a commit, it leaves nothing behind.
    type Transaction: Send;

    /// Waits while too many committed events wait for the broker.
    async fn ready(&self);

    /// Opens a transaction.
    async fn begin(&self) -> sqlx::Result<Self::Transaction>;

    /// What became of the approvals of these commands, as far as they were set aside.
    async fn approvals(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[Uuid],
    ) -> sqlx::Result<Vec<ApprovalRecord>>;

    /// The waiting commands of these principals.
    async fn waiting(
        &self,
        transaction: &mut Self::Transaction,
        principals: &[String],
    ) -> sqlx::Result<HashMap<String, WaitingCommands>>;

    /// Records messages in the inbox, and says of each whether it is new.
    async fn claim(
        &self,
        transaction: &mut Self::Transaction,
        claims: &[InboxClaim],
    ) -> sqlx::Result<Vec<InboxState>>;

    /// Stores events in the outbox, answers in the inbox, and commands that are set aside. Returns
    /// the outbox rows with their ids.
    async fn store(
        &self,
        transaction: &mut Self::Transaction,
        events: Vec<OutboxRow>,
        updates: &BatchUpdates,
    ) -> sqlx::Result<Vec<OutboxRow>>;

    /// Commits, and gives the rows to the relay.
    async fn commit(
        &self,
        transaction: Self::Transaction,
        rows: Vec<OutboxRow>,
    ) -> sqlx::Result<()>;

    /// How many isolated attempts at a message were begun and did not end.
    async fn unfinished_attempts(&self, message: &[u8]) -> sqlx::Result<i32>;

    /// Commits that isolated attempt number `attempt` at a message begins.
    async fn begin_attempt(&self, message: &[u8], attempt: i32) -> sqlx::Result<()>;

    /// Commits that the process outlived the isolated attempts at a message.
    async fn end_attempts(&self, message: &[u8]) -> sqlx::Result<()>;
}

/// A handler over the transactions of a store.
pub(crate) trait BatchHandler<T>: Send + Sync + 'static {
    type Message: MessageSet;
    const IDEMPOTENCY: Idempotency;
    const REFUSES_ITSELF: bool = false;

    fn handle_in(
        &self,
        transaction: &mut T,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<Vec<Outcome>, HandleError>> + Send;

    fn outcome_of_conflict(&self, received: &Received<Self::Message>) -> Outcome;

    fn outcome_without_right(&self, received: &Received<Self::Message>, why: &str) -> Outcome;
}

impl<H: Handler> BatchHandler<Lease> for H {
    type Message = H::Message;
    const IDEMPOTENCY: Idempotency = H::IDEMPOTENCY;
    const REFUSES_ITSELF: bool = H::REFUSES_ITSELF;

    async fn handle_in(
        &self,
        transaction: &mut Lease,
        batch: &[Received<H::Message>],
    ) -> Result<Vec<Outcome>, HandleError> {
        self.handle(&mut Tx::lend(transaction), batch).await
    }

    fn outcome_of_conflict(&self, received: &Received<H::Message>) -> Outcome {
        self.conflict(received)
    }

    fn outcome_without_right(&self, received: &Received<H::Message>, why: &str) -> Outcome {
        self.not_permitted(received, why)
    }
}

/// The service's PostgreSQL database.
pub(crate) struct PostgresDeliveryStore {
    database: Database,
    partition: CurrentPartition,
    relay_queue: RelayQueue,
    /// The connection of the last transaction that ended well: its statements are prepared.
    idle: Mutex<Option<Lease>>,
}

impl PostgresDeliveryStore {
    pub(crate) fn new(
        database: Database,
        partition: CurrentPartition,
        relay_queue: RelayQueue,
    ) -> Self {
        Self { database, partition, relay_queue, idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Option<Lease>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DeliveryStore for PostgresDeliveryStore {
    type Transaction = Lease;

    async fn ready(&self) {
        self.relay_queue.ready().await;
    }

    async fn begin(&self) -> sqlx::Result<Lease> {
        let idle = self.idle().take();
        let mut lease = match idle {
            Some(lease) => lease,
            None => self.database.lease().await?,
        };
        lease.begin().await?;
        Ok(lease)
    }

    async fn approvals(
        &self,
        transaction: &mut Lease,
        commands: &[Uuid],
    ) -> sqlx::Result<Vec<ApprovalRecord>> {
        known_in_tx(transaction, commands).await
    }

    async fn waiting(
        &self,
        transaction: &mut Lease,
        principals: &[String],
    ) -> sqlx::Result<HashMap<String, WaitingCommands>> {
        waiting_in_tx(transaction, principals).await
    }

    async fn claim(
        &self,
        transaction: &mut Lease,
        claims: &[InboxClaim],
    ) -> sqlx::Result<Vec<InboxState>> {
        inbox::claim(transaction, claims).await
    }

    async fn store(
        &self,
        transaction: &mut Lease,
        events: Vec<OutboxRow>,
        updates: &BatchUpdates,
    ) -> sqlx::Result<Vec<OutboxRow>> {
        let rows = outbox::insert(transaction, self.partition.get(), events).await?;
        updates.inbox.store(transaction).await?;
        store_in_tx(transaction, &updates.approvals).await?;
        Ok(rows)
    }

    async fn commit(&self, mut transaction: Lease, rows: Vec<OutboxRow>) -> sqlx::Result<()> {
        self.relay_queue.commit(rows, transaction.commit()).await?;
        *self.idle() = Some(transaction);
        Ok(())
    }

    async fn unfinished_attempts(&self, message: &[u8]) -> sqlx::Result<i32> {
        isolation::unfinished_attempts(&self.database, message).await
    }

    async fn begin_attempt(&self, message: &[u8], attempt: i32) -> sqlx::Result<()> {
        isolation::begin_attempt(&self.database, message, attempt).await
    }

    async fn end_attempts(&self, message: &[u8]) -> sqlx::Result<()> {
        isolation::end_attempts(&self.database, message).await
    }
}
