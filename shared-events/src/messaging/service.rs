//! Puts a service together. Promise: a service starts in any order with its broker and database,
//! waits for them and reports what it lacks; at its stop it finishes its work in progress.

mod maintenance;
mod parts;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::LocalBoxFuture;
use sqlx::migrate::MigrateError;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    access::{self, AccessBoard, AccessLimits},
    access_log::{self, AccessLog},
    announcer::{Announcer, RetiredEvents},
    background_job::BackgroundJob,
    consumer,
    database::Database,
    database_fault::is_transient,
    delivery_broker::ServiceBroker,
    handler::Handler,
    inbox,
    outbox::RelayQueue,
    outbox_partition::CurrentPartition,
    outbox_table::PostgresOutbox,
    query_consumer::{self, QueryConsumer, QueryHandler},
    relay::{self, Relay},
    schema::Schema,
    session::UnfitDatabase,
    settlement::Settlement,
    time_limit::AdaptiveTimeout,
    topology_check::verify,
};
use crate::amqp::{
    ConnectionParameters,
    connection::{Backoff, Link},
    health::Health,
};
use crate::{
    envelope::chain,
    topology::{
        ACCESS, EVENTS, OPERATIONS, PARKED, PERSONAL, REPLIES, RETRY, Subscription, parked_queue,
    },
};
use parts::SharedParts;

/// How long a stopping service may take to finish its batch and to empty its relay.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(25);
/// A service is ready when every part of it works, not when the first does.
const NOT_STARTED: &str = "not started yet";

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type MakeTask = Box<dyn FnOnce(&SharedParts) -> Task + Send>;

/// A fault that no waiting ends.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database cannot carry this service.
    #[error(transparent)]
    Unfit(#[from] UnfitDatabase),
    /// The database's schema cannot be brought up to date, or is of another version.
    #[error("the schema of the database cannot be used")]
    Schema(#[from] MigrateError),
    /// A part of the service ended by itself. Its unfinished work comes again after a restart.
    #[error("a part of the service died")]
    PartDied,
}

/// A service: a name, a broker, a database, handlers of messages and background jobs.
pub struct Service {
    name: &'static str,
    amqp: ConnectionParameters,
    database: Database,
    schema: &'static Schema,
    health: Health,
    access_limits: AccessLimits,
    retired: RetiredEvents,
    subscriptions: Vec<Subscription>,
    tasks: Vec<MakeTask>,
}

impl Service {
    /// A service without tasks. `name` is as in the topology: `ledger`.
    #[must_use]
    pub fn new(
        name: &'static str,
        amqp: ConnectionParameters,
        database: Database,
        schema: &'static Schema,
        health: Health,
    ) -> Self {
        let tasks = vec![];
        let own = built_in().filter(|subscription| subscription.service == name);
        let subscriptions: Vec<Subscription> = own.collect();
        for subscription in &subscriptions {
            health.bad(&consumer::part(subscription), NOT_STARTED);
        }
        Self {
            name,
            amqp,
            database,
            schema,
            health,
            access_limits: AccessLimits::default(),
            retired: RetiredEvents::default(),
            subscriptions,
            tasks,
        }
    }

    /// Leaves out versions of events that nobody reads any more.
    #[must_use]
    pub fn without(self, retired: RetiredEvents) -> Self {
        Self { retired, ..self }
    }

    /// Bounds in time what principals may do.
    #[must_use]
    pub fn access_limits(self, access_limits: AccessLimits) -> Self {
        Self { access_limits, ..self }
    }

    /// Handles the messages of a subscription.
    #[must_use]
    pub fn consume<H: Handler>(mut self, subscription: Subscription, handler: H) -> Self {
        self.subscriptions.push(subscription);
        self.health.bad(&consumer::part(&subscription), NOT_STARTED);
        self.tasks.push(Box::new(move |parts| {
            let store = parts.store();
            parts.with_grants(parts.consumer(subscription, handler, store).run())
        }));
        self
    }

    /// Answers the queries of a subscription.
    #[must_use]
    pub fn answer<A: QueryHandler>(mut self, subscription: Subscription, handler: A) -> Self {
        self.subscriptions.push(subscription);
        self.health.bad(&query_consumer::part(&subscription), NOT_STARTED);
        self.tasks.push(Box::new(move |parts| {
            let consumer = QueryConsumer {
                subscription,
                handler,
                source: parts.announcer.source.clone(),
                database: parts.database.clone(),
                time_limit: AdaptiveTimeout::new(),
                link: Arc::clone(&parts.consuming),
                settlement: Arc::clone(&parts.settlement),
                access: parts.access.clone(),
                access_log: parts.access_log.clone(),
                health: parts.health.clone(),
                shutdown: parts.shutdown.clone(),
            };
            parts.with_grants(consumer.run())
        }));
        self
    }

    /// Runs a background job.
    #[must_use]
    pub fn work<W: BackgroundJob>(mut self, job: W) -> Self {
        self.tasks.push(Box::new(move |parts| parts.job(job)));
        self
    }

    /// Runs until `shutdown`, then finishes: stops consuming, ends the current batches, empties the
    /// relay.
    ///
    /// # Errors
    /// When the database or its schema cannot carry this version, or a part of the service died.
    pub fn run(
        self,
        shutdown: CancellationToken,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        Box::pin(self.run_until(shutdown))
    }

    async fn run_until(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        self.health.bad(relay::PART, NOT_STARTED);
        self.health.bad(access::PART, NOT_STARTED);
        let process = format!("{}-svc", self.name);
        let link = |role| Link::new(self.amqp.clone(), &process, role, self.health.clone());
        let partition = CurrentPartition::default();
        let (relay_queue, relay_items) = RelayQueue::new();
        let broker = ServiceBroker::new(link("reply"));
        let parts = SharedParts {
            announcer: Announcer {
                source: format!("/{}", self.name),
                retired: self.retired.clone(),
            },
            database: self.database.clone(),
            consuming: Arc::new(link("consume")),
            settlement: Arc::new(Settlement { service: self.name, broker }),
            partition: partition.clone(),
            relay_queue,
            isolation: Arc::default(),
            access: AccessBoard::new(self.access_limits),
            access_log: AccessLog::new(&self.database),
            health: self.health.clone(),
            shutdown: shutdown.clone(),
        };
        let prepared = tokio::select! {
            prepared = self.prepare(&parts) => prepared,
            () = shutdown.cancelled() => return Ok(()),
        };
        prepared?;
        let (ready, relay_ready) = oneshot::channel();
        let outbox = PostgresOutbox::new(self.database.clone(), partition);
        let relay = Relay::start(link("relay"), outbox, self.health.clone(), relay_items);
        let mut relay = tokio::select! {
            relay = relay => tokio::spawn(relay.run(ready)),
            () = shutdown.cancelled() => return Ok(()),
        };
        tokio::select! {
            at_work = relay_ready => at_work.map_err(|_| ServiceError::PartDied)?,
            () = shutdown.cancelled() => return Ok(()),
        }
        let mut tasks: JoinSet<()> =
            self.tasks.into_iter().map(|make_task| make_task(&parts)).collect();
        let built_in = parts.built_in(self.access_limits.log_days);
        built_in.into_iter().for_each(|task| drop(tasks.spawn(task)));
        info!(service = self.name, "up");
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = tasks.join_next() => if !shutdown.is_cancelled() {
                return Err(ServiceError::PartDied);
            },
            _ = &mut relay => return Err(ServiceError::PartDied),
        }
        info!(service = self.name, "stopping: finishing work in progress");
        finish(tasks, parts, relay).await;
        Ok(())
    }

    /// Returns what the database lacks: an answer, or the migrations of this version.
    async fn lack_of_database(&self) -> Result<Option<String>, ServiceError> {
        match self.database.missing_migration(self.schema).await {
            Ok(missing) => Ok(missing.map(|version| {
                format!("migration {version} is missing: `{}-svc migrate` runs it", self.name)
            })),
            Err(error) => lack_of(error).map(Some),
        }
    }

    /// Waits for the database and the broker, and checks both.
    async fn prepare(&self, parts: &SharedParts) -> Result<(), ServiceError> {
        let mut backoff = Backoff::new();
        while let Some(lack) = self.lack_of_database().await? {
            warn!(error = %lack, "waiting for the database");
            self.health.bad("database", lack);
            backoff.pause().await;
        }
        self.health.good("database");
        // The day's table must be there before the day's messages.
        if let Err(error) = inbox::prune(&self.database).await {
            warn!(error = %chain(&error), "the inbox was not pruned");
        }
        let log_days = self.access_limits.log_days;
        if let Err(error) = access_log::keep_days(&self.database, log_days).await {
            warn!(error = %chain(&error), "the access log was not pruned");
        }
        let exchanges = [EVENTS, PERSONAL, RETRY, PARKED, REPLIES];
        let mut queues: Vec<String> =
            self.subscriptions.iter().flat_map(Subscription::queues).collect();
        queues.push(parked_queue(self.name));
        let mut backoff = Backoff::new();
        let ready = loop {
            match verify(&parts.consuming, &exchanges, &queues).await {
                Ok(ready) => break ready,
                Err(error) => {
                    warn!(error = %chain(&error), "waiting for the broker");
                    self.health.bad("broker", chain(&error).to_string());
                    backoff.pause().await;
                }
            }
        };
        let access = ACCESS.iter().find(|access| access.service == self.name);
        let waiting = access.and_then(|access| {
            let place = queues.iter().position(|queue| queue == access.name)?;
            ready.get(place).copied()
        });
        parts.access.expect_waiting(waiting.unwrap_or(0));
        self.health.good("broker");
        Ok(())
    }
}

/// Ends the current batches, then empties the relay.
async fn finish(mut tasks: JoinSet<()>, parts: SharedParts, relay: JoinHandle<()>) {
    let finished = async {
        while tasks.join_next().await.is_some() {}
        parts.settlement.broker.close().await;
        parts.consuming.close().await;
        // Drops the last sender: the relay ends when it has published and deleted everything.
        drop(parts);
        let _ = relay.await;
    };
    match tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await {
        Ok(()) => info!("stopped; no work is left"),
        Err(_) => warn!("stopped late; the next start finishes the work"),
    }
}

/// The subscriptions that the bus itself handles.
fn built_in() -> impl Iterator<Item = Subscription> {
    OPERATIONS.into_iter().chain(ACCESS)
}

/// Brings the schema of a service's database up to date, as the role that owns the schema, and
/// grants `role`, which the service runs as, its rights. Waits for the database.
///
/// # Errors
/// When the migrations cannot be carried out.
pub async fn migrate(
    database: &Database,
    schema: &'static Schema,
    role: &str,
) -> Result<(), ServiceError> {
    let mut backoff = Backoff::new();
    while let Err(error) = database.migrate(schema, role).await {
        let lack = lack_of(error)?;
        warn!(error = %lack, "waiting for the database");
        backoff.pause().await;
    }
    Ok(())
}

/// Returns the fault of a database that waiting may end.
fn lack_of(error: MigrateError) -> Result<String, ServiceError> {
    match error {
        MigrateError::Execute(fault) => match UnfitDatabase::of(fault) {
            Ok(unfit) => Err(unfit.into()),
            Err(fault) if is_transient(&fault) => Ok(chain(&fault).to_string()),
            Err(fault) => Err(MigrateError::Execute(fault).into()),
        },
        hopeless => Err(hopeless.into()),
    }
}
