//! The parts that the tasks of a service share, and the tasks that every service has.

use std::{future::Future, sync::Arc};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::Task;
use crate::{
    amqp::{connection::Link, health::Health},
    messaging::{
        access::{AccessBoard, AccessHandler},
        batch::BatchProcessor,
        consumer::Consumer,
        database::Database,
        delivery_broker::ServiceBroker,
        delivery_store::PostgresDeliveryStore,
        outbox::RelayQueue,
        outbox_partition::CurrentPartition,
        parked::{ParkedHandler, ParkedQueue, ParkedStore},
        settlement::Settlement,
        time_limit::AdaptiveTimeout,
    },
    topology::{ACCESS, OPERATIONS, Subscription},
};

/// The parts that the tasks of a service share.
pub(super) struct SharedParts {
    pub(super) source: String,
    pub(super) database: Database,
    pub(super) consuming: Arc<Link>,
    pub(super) settlement: Arc<Settlement<ServiceBroker>>,
    pub(super) partition: CurrentPartition,
    pub(super) relay_queue: RelayQueue,
    /// Held while the process handles an isolated message.
    pub(super) isolation: Arc<Mutex<()>>,
    pub(super) access: AccessBoard,
    pub(super) health: Health,
    pub(super) shutdown: CancellationToken,
}

impl SharedParts {
    pub(super) fn store(&self) -> PostgresDeliveryStore {
        let (partition, relay_queue) = (self.partition.clone(), self.relay_queue.clone());
        PostgresDeliveryStore::new(self.database.clone(), partition, relay_queue)
    }

    pub(super) fn consumer<H, S>(
        &self,
        subscription: Subscription,
        handler: H,
        store: S,
    ) -> Consumer<H, S, ServiceBroker> {
        let processor = BatchProcessor {
            handler,
            subscription: subscription.name,
            source: self.source.clone(),
            store,
            time_limit: AdaptiveTimeout::new(),
            isolation: Arc::clone(&self.isolation),
            settlement: Arc::clone(&self.settlement),
            access: self.access.clone(),
            health: self.health.clone(),
        };
        Consumer {
            subscription,
            processor,
            link: Arc::clone(&self.consuming),
            partition: self.partition.clone(),
            health: self.health.clone(),
            shutdown: self.shutdown.clone(),
        }
    }

    /// The tasks that every service has: its operators' requests, and the grants of principals.
    pub(super) fn built_in(&self) -> Vec<Task> {
        let name = self.settlement.service;
        let operations = OPERATIONS.into_iter().filter(|own| own.service == name);
        let mut tasks: Vec<Task> = operations.map(|own| self.operations(own)).collect();
        for access in ACCESS.into_iter().filter(|own| own.service == name) {
            tasks.push(Box::pin(
                self.consumer(access, AccessHandler(self.access.clone()), self.store()).run(),
            ));
        }
        let (database, health) = (self.database.clone(), self.health.clone());
        tasks.push(Box::pin(self.access.clone().follow(database, health, self.shutdown.clone())));
        tasks
    }

    /// Handles what operators ask about the service's parked messages.
    fn operations(&self, subscription: Subscription) -> Task {
        let queue = ParkedQueue::new(Arc::clone(&self.consuming), subscription.service);
        let store = ParkedStore { store: self.store(), queue: Arc::new(queue) };
        let settlement = Arc::clone(&self.settlement);
        let handler = ParkedHandler { service: settlement.service, settlement };
        self.with_grants(self.consumer(subscription, handler, store).run())
    }

    /// A task that judges messages: it begins when the grants of the principals are known, so that
    /// a new service refuses nothing that it will permit.
    pub(super) fn with_grants(&self, task: impl Future<Output = ()> + Send + 'static) -> Task {
        let (access, shutdown) = (self.access.clone(), self.shutdown.clone());
        Box::pin(async move {
            tokio::select! {
                () = access.known() => task.await,
                () = shutdown.cancelled() => {}
            }
        })
    }
}
