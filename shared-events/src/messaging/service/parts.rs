//! The parts that the tasks of a service share, and the tasks that every service has.

use std::{future::Future, num::NonZeroU16, sync::Arc};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Task, maintenance};
use crate::{
    amqp::{connection::Link, health::Health},
    messaging::{
        access::{AccessBoard, AccessHandler},
        access_log::{AccessLog, AccessLogHandler},
        announcer::Announcer,
        approvals::{ApprovalsHandler, ApprovalsJob},
        background_job::{BackgroundJob, JobContext},
        batch::BatchProcessor,
        consumer::Consumer,
        database::Database,
        delivery_broker::ServiceBroker,
        delivery_store::PostgresDeliveryStore,
        operations::OperationsHandler,
        outbox::RelayQueue,
        outbox_partition::CurrentPartition,
        parked::{ParkedHandler, ParkedQueue, ParkedStore},
        settlement::Settlement,
        supervise::Supervisor,
        time_limit::AdaptiveTimeout,
    },
    topology::{ACCESS, OPERATIONS, Subscription},
};

/// The parts that the tasks of a service share.
pub(super) struct SharedParts {
    pub(super) announcer: Announcer,
    pub(super) database: Database,
    pub(super) consuming: Arc<Link>,
    pub(super) settlement: Arc<Settlement<ServiceBroker>>,
    pub(super) partition: CurrentPartition,
    pub(super) relay_queue: RelayQueue,
    /// Held while the process handles an isolated message.
    pub(super) isolation: Arc<Mutex<()>>,
    pub(super) access: AccessBoard,
    pub(super) access_log: AccessLog,
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
            announcer: self.announcer.clone(),
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

    /// The tasks that every service has: operators' requests, approved commands, grants, upkeep of
    /// the tables.
    pub(super) fn built_in(&self, log_days: NonZeroU16) -> Vec<Task> {
        let name = self.settlement.service;
        let operations = OPERATIONS.into_iter().filter(|own| own.service == name);
        let mut tasks: Vec<Task> = operations.map(|own| self.operations(own)).collect();
        for access in ACCESS.into_iter().filter(|own| own.service == name) {
            tasks.push(Box::pin(
                self.consumer(access, AccessHandler(self.access.clone()), self.store()).run(),
            ));
        }
        tasks.push(self.job(ApprovalsJob { settlement: Arc::clone(&self.settlement) }));
        let (database, health) = (self.database.clone(), self.health.clone());
        let shutdown = || self.shutdown.clone();
        let pruning = (database.clone(), log_days);
        tasks.push(Box::pin(maintenance::prune(pruning, health.clone(), shutdown())));
        tasks.push(Box::pin(maintenance::measure(database.clone(), health.clone(), shutdown())));
        tasks.push(Box::pin(self.access.clone().follow(database, health, shutdown())));
        tasks
    }

    /// A background job.
    pub(super) fn job<W: BackgroundJob>(&self, job: W) -> Task {
        let context = JobContext {
            announcer: self.announcer.clone(),
            database: self.database.clone(),
            time_limit: Arc::new(AdaptiveTimeout::new()),
            partition: self.partition.clone(),
            relay_queue: self.relay_queue.clone(),
        };
        Box::pin(run_job(job, context, self.health.clone(), self.shutdown.clone()))
    }

    /// Handles what is asked about the service's parked messages, approvals and access log.
    fn operations(&self, subscription: Subscription) -> Task {
        let queue = ParkedQueue::new(Arc::clone(&self.consuming), subscription.service);
        let store = ParkedStore { store: self.store(), queue: Arc::new(queue) };
        let settlement = Arc::clone(&self.settlement);
        let (service, access) = (settlement.service, self.access.clone());
        let handler = OperationsHandler {
            parked: ParkedHandler { service, settlement },
            approvals: ApprovalsHandler { service, access },
            access_log: self.access_log.clone(),
            listing: AccessLogHandler { service },
        };
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

async fn run_job<W: BackgroundJob>(
    mut job: W,
    context: JobContext,
    health: Health,
    shutdown: CancellationToken,
) {
    let mut supervisor = Supervisor::new(job.name(), health, shutdown.clone());
    while supervisor.restarts_after(job.run(context.clone(), shutdown.clone())).await {}
}
