//! A transaction together with the parked messages that leave their queue with it. Promise: the
//! messages are acknowledged after the commit and never before; without a commit all stay parked.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use lapin::{Acker, message::Delivery};
use tracing::warn;
use uuid::Uuid;

use super::{
    entry::ParkedEntry,
    queue::{ParkedQueue, QueueScan},
};
use crate::{
    envelope::chain,
    messaging::{
        approvals::{ApprovalRecord, WaitingCommands},
        conclude::BatchUpdates,
        database::Lease,
        delivery_store::{DeliveryStore, PostgresDeliveryStore},
        inbox::{InboxClaim, InboxState},
        outbox::OutboxRow,
    },
};

/// An open transaction, and a scan of the parked queue.
pub(crate) struct ParkedTransaction {
    pub(crate) lease: Lease,
    pub(crate) scan: QueueScan,
    pub(crate) taken: TakenMessages,
}

/// The messages that leave the queue with the commit.
#[derive(Debug, Default)]
pub(crate) struct TakenMessages {
    fingerprints: Vec<String>,
    ackers: Vec<Acker>,
}

impl TakenMessages {
    pub(crate) fn take(&mut self, entry: &ParkedEntry, delivery: &Delivery) {
        self.fingerprints.push(entry.fingerprint.clone());
        self.ackers.push(delivery.acker.clone());
    }

    /// A message whose move an earlier transaction has recorded.
    pub(crate) fn leftover(&mut self, delivery: &Delivery) {
        self.ackers.push(delivery.acker.clone());
    }

    pub(crate) fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }
}

/// The service's database and its parked queue.
pub(crate) struct ParkedStore {
    pub(crate) store: PostgresDeliveryStore,
    pub(crate) queue: Arc<ParkedQueue>,
}

#[async_trait]
impl DeliveryStore for ParkedStore {
    type Transaction = ParkedTransaction;

    async fn ready(&self) {
        self.store.ready().await;
    }

    async fn begin(&self) -> sqlx::Result<ParkedTransaction> {
        let scan = QueueScan::new(Arc::clone(&self.queue));
        Ok(ParkedTransaction {
            lease: self.store.begin().await?,
            scan,
            taken: TakenMessages::default(),
        })
    }

    async fn approvals(
        &self,
        transaction: &mut ParkedTransaction,
        commands: &[Uuid],
    ) -> sqlx::Result<Vec<ApprovalRecord>> {
        self.store.approvals(&mut transaction.lease, commands).await
    }

    async fn waiting(
        &self,
        transaction: &mut ParkedTransaction,
        principals: &[String],
    ) -> sqlx::Result<HashMap<String, WaitingCommands>> {
        self.store.waiting(&mut transaction.lease, principals).await
    }

    async fn claim(
        &self,
        transaction: &mut ParkedTransaction,
        claims: &[InboxClaim],
    ) -> sqlx::Result<Vec<InboxState>> {
        self.store.claim(&mut transaction.lease, claims).await
    }

    async fn store(
        &self,
        transaction: &mut ParkedTransaction,
        events: Vec<OutboxRow>,
        updates: &BatchUpdates,
    ) -> sqlx::Result<Vec<OutboxRow>> {
        self.store.store(&mut transaction.lease, events, updates).await
    }

    /// Commits, then acknowledges. Where that fails, the next scan acknowledges the messages.
    async fn commit(
        &self,
        transaction: ParkedTransaction,
        rows: Vec<OutboxRow>,
    ) -> sqlx::Result<()> {
        let ParkedTransaction { lease, scan, taken } = transaction;
        self.store.commit(lease, rows).await?;
        if let Err(error) = scan.end(taken.ackers).await {
            warn!(error = %chain(&error), "moved messages are acknowledged later");
        }
        Ok(())
    }

    async fn unfinished_attempts(&self, message: &[u8]) -> sqlx::Result<i32> {
        self.store.unfinished_attempts(message).await
    }

    async fn begin_attempt(&self, message: &[u8], attempt: i32) -> sqlx::Result<()> {
        self.store.begin_attempt(message, attempt).await
    }

    async fn end_attempts(&self, message: &[u8]) -> sqlx::Result<()> {
        self.store.end_attempts(message).await
    }
}
