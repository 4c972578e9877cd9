//! A service on the bus. Promise: it starts in any order with its broker and database, waits for
//! them and says what it waits for; it stops by finishing what it has in hand.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use metrics::gauge;
use sqlx::migrate::{MigrateError, Migrator};
use tokio::{sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    background_job::{BackgroundJob, JobContext},
    batch::BatchProcessor,
    consumer::{self, Consumer},
    database::{Database, MIGRATOR, is_transient},
    disposition::Settlement,
    handler::Handler,
    inbox,
    outbox::{self, RelayQueue},
    outbox_partition::CurrentPartition,
    query_consumer::{self, QueryConsumer, QueryHandler},
    redelivery::Suspects,
    relay::{self, Relay},
    session::UnfitDatabase,
    supervise::Supervisor,
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
    topology::{EVENTS, PARKED, REPLIES, RETRY, Subscription, parked_queue},
};

/// How long a stopping service may take to finish its batch and to empty its relay.
const SHUTDOWN_MAX: Duration = Duration::from_secs(25);
/// How often old inbox rows are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// How often the outbox is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// Events that have waited so long are held up: the broker or the relay does not work.
const OUTBOX_SECONDS_MAX: f64 = 10.0;
/// The outbox, as its service's health names it.
const OUTBOX_PART: &str = "outbox";

/// A service is ready when every part of it works, not when the first does.
const NOT_STARTED: &str = "not started yet";

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type MakeTask = Box<dyn FnOnce(&ServiceParts) -> Task + Send>;

/// What cannot be mended by waiting.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database is not one that this service can work with.
    #[error(transparent)]
    Unfit(#[from] UnfitDatabase),
    /// The database's schema cannot be brought up to date.
    #[error("the database cannot be migrated")]
    Migrate(#[from] MigrateError),
    /// A part of the service ended by itself. What it had in hand comes again after a restart.
    #[error("a part of the service died")]
    PartDied,
}

/// What the tasks of a service share.
struct ServiceParts {
    source: String,
    database: Database,
    consuming: Arc<Link>,
    disposal: Arc<Settlement>,
    lane: CurrentPartition,
    relay_queue: RelayQueue,
    suspects: Suspects,
    health: Health,
    shutdown: CancellationToken,
}

/// A service: a name, a broker, a database, and what it does with messages.
pub struct Service {
    name: &'static str,
    amqp: ConnectionParameters,
    database: Database,
    migrations: &'static Migrator,
    health: Health,
    subscriptions: Vec<Subscription>,
    tasks: Vec<MakeTask>,
}

impl Service {
    /// A service that does nothing yet. `name` is as in the topology: `ledger`.
    #[must_use]
    pub fn new(
        name: &'static str,
        amqp: ConnectionParameters,
        database: Database,
        migrations: &'static Migrator,
        health: Health,
    ) -> Self {
        Self { name, amqp, database, migrations, health, subscriptions: vec![], tasks: vec![] }
    }

    /// Handles the messages of a subscription.
    #[must_use]
    pub fn consume<H: Handler>(mut self, subscription: Subscription, handler: H) -> Self {
        self.subscriptions.push(subscription);
        self.health.bad(&consumer::part(&subscription), NOT_STARTED);
        self.tasks.push(Box::new(move |parts| {
            let batches = BatchProcessor {
                handler,
                subscription: subscription.name,
                source: parts.source.clone(),
                database: parts.database.clone(),
                kept: Mutex::default(),
                time_limit: AdaptiveTimeout::new(),
                suspects: parts.suspects.clone(),
                lane: parts.lane.clone(),
                relay_queue: parts.relay_queue.clone(),
                disposal: Arc::clone(&parts.disposal),
                health: parts.health.clone(),
            };
            let consumer = Consumer {
                subscription,
                batches,
                link: Arc::clone(&parts.consuming),
                lane: parts.lane.clone(),
                health: parts.health.clone(),
                shutdown: parts.shutdown.clone(),
            };
            Box::pin(consumer.run())
        }));
        self
    }

    /// Answers the queries of a subscription.
    #[must_use]
    pub fn answer<A: QueryHandler>(mut self, subscription: Subscription, answerer: A) -> Self {
        self.subscriptions.push(subscription);
        self.health.bad(&query_consumer::part(&subscription), NOT_STARTED);
        self.tasks.push(Box::new(move |parts| {
            let desk = QueryConsumer {
                subscription,
                answerer,
                source: parts.source.clone(),
                database: parts.database.clone(),
                time_limit: AdaptiveTimeout::new(),
                link: Arc::clone(&parts.consuming),
                disposal: Arc::clone(&parts.disposal),
                health: parts.health.clone(),
                shutdown: parts.shutdown.clone(),
            };
            Box::pin(desk.run())
        }));
        self
    }

    /// Does what no message starts.
    #[must_use]
    pub fn work<W: BackgroundJob>(mut self, worker: W) -> Self {
        self.tasks.push(Box::new(move |parts| {
            let context = JobContext {
                source: parts.source.clone(),
                database: parts.database.clone(),
                time_limit: Arc::new(AdaptiveTimeout::new()),
                lane: parts.lane.clone(),
                relay_queue: parts.relay_queue.clone(),
            };
            Box::pin(employ(worker, context, parts.health.clone(), parts.shutdown.clone()))
        }));
        self
    }

    /// Runs until `shutdown`, then finishes: stops consuming, ends the batch in hand, empties the
    /// relay.
    ///
    /// # Errors
    /// When the database or its schema is not one that this version can work with, or a part of
    /// the service died.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        self.health.bad(relay::PART, NOT_STARTED);
        let who = format!("{}-svc", self.name);
        let link = |role| Link::new(self.amqp.clone(), &who, role, self.health.clone());
        let lane = CurrentPartition::default();
        let (relay_queue, handed_over) = RelayQueue::new();
        let parts = ServiceParts {
            source: format!("/{}", self.name),
            database: self.database.clone(),
            consuming: Arc::new(link("consume")),
            disposal: Arc::new(Settlement::new(self.name, link("reply"))),
            lane: lane.clone(),
            relay_queue,
            suspects: Suspects::new(self.database.clone()),
            health: self.health.clone(),
            shutdown: shutdown.clone(),
        };
        let prepared = tokio::select! {
            prepared = self.prepare(&parts) => prepared,
            () = shutdown.cancelled() => return Ok(()),
        };
        prepared?;
        let (ready, relay_ready) = oneshot::channel();
        let health = self.health.clone();
        let database = self.database.clone();
        let relay = Relay::start(link("relay"), database, &lane, health, handed_over);
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
        let (database, health) = (&self.database, &self.health);
        tasks.spawn(housekeeping(database.clone(), health.clone(), shutdown.clone()));
        tasks.spawn(measuring(database.clone(), health.clone(), shutdown.clone()));
        info!(service = self.name, "up");
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = tasks.join_next() => if !shutdown.is_cancelled() {
                return Err(ServiceError::PartDied);
            },
            _ = &mut relay => return Err(ServiceError::PartDied),
        }
        info!(service = self.name, "stopping: finishing what is in hand");
        let finish = async {
            while tasks.join_next().await.is_some() {}
            parts.disposal.close().await;
            parts.consuming.close().await;
            // The last sender: the relay ends when it has published and deleted everything.
            drop(parts);
            let _ = relay.await;
        };
        match tokio::time::timeout(SHUTDOWN_MAX, finish).await {
            Ok(()) => info!(service = self.name, "stopped; nothing is left in hand"),
            Err(_) => {
                warn!(service = self.name, "stopped late; the rest is done at the next start");
            }
        }
        Ok(())
    }

    /// Waits for the database and the broker, and checks that both are as they must be.
    async fn prepare(&self, parts: &ServiceParts) -> Result<(), ServiceError> {
        let mut backoff = Backoff::new();
        while let Err(error) = self.database.migrate(&[&MIGRATOR, self.migrations]).await {
            let error = match error {
                MigrateError::Execute(fault) if is_transient(&fault) => fault,
                hopeless => return Err(hopeless.into()),
            };
            let error = match UnfitDatabase::of(error) {
                Ok(unfit) => return Err(unfit.into()),
                Err(fault) => fault,
            };
            warn!(error = %chain(&error), "waiting for the database");
            self.health.bad("database", chain(&error).to_string());
            backoff.pause().await;
        }
        self.health.good("database");
        // The day's table must be there before the day's messages.
        if let Err(error) = inbox::prune(&self.database).await {
            warn!(error = %chain(&error), "the inbox was not pruned");
        }
        let exchanges = [EVENTS, RETRY, PARKED, REPLIES];
        let mut queues: Vec<String> =
            self.subscriptions.iter().flat_map(Subscription::queues).collect();
        queues.push(parked_queue(self.name));
        let mut backoff = Backoff::new();
        while let Err(error) = verify(&parts.consuming, &exchanges, &queues).await {
            warn!(error = %chain(&error), "waiting for the broker");
            self.health.bad("broker", chain(&error).to_string());
            backoff.pause().await;
        }
        self.health.good("broker");
        Ok(())
    }
}

/// Lets somebody work for as long as the service runs.
async fn employ<W: BackgroundJob>(
    mut worker: W,
    context: JobContext,
    health: Health,
    shutdown: CancellationToken,
) {
    let mut alive = Supervisor::new(worker.name(), health, shutdown.clone());
    while alive.goes_on_after(worker.run(context.clone(), shutdown.clone())).await {}
}

/// The first two numbers on an operator's dashboard: how many events wait, and since when.
async fn measuring(database: Database, health: Health, shutdown: CancellationToken) {
    let mut alive = Supervisor::new(OUTBOX_PART.to_owned(), health.clone(), shutdown.clone());
    while alive.goes_on_after(measure_outbox(&database, &health, &shutdown)).await {}
}

async fn measure_outbox(database: &Database, health: &Health, shutdown: &CancellationToken) {
    while tokio::time::timeout(MEASURE_EVERY, shutdown.cancelled()).await.is_err() {
        match outbox::waiting(database).await {
            Ok((rows, seconds)) => {
                gauge!("bus_outbox_rows").set(rows);
                gauge!("bus_outbox_age_seconds").set(seconds);
                if seconds < OUTBOX_SECONDS_MAX {
                    health.good(OUTBOX_PART);
                } else {
                    let why = format!("a committed event has waited for {seconds:.0} s");
                    health.bad(OUTBOX_PART, why);
                }
            }
            Err(error) => {
                warn!(error = %chain(&error), "the outbox was not measured");
                health.bad(OUTBOX_PART, format!("cannot be read: {}", chain(&error)));
            }
        }
    }
}

/// Old inbox rows go, and new days get their tables.
async fn housekeeping(database: Database, health: Health, shutdown: CancellationToken) {
    let mut alive = Supervisor::new("inbox".to_owned(), health, shutdown.clone());
    while alive.goes_on_after(prune_inbox(&database, &shutdown)).await {}
}

async fn prune_inbox(database: &Database, shutdown: &CancellationToken) {
    while tokio::time::timeout(PRUNE_EVERY, shutdown.cancelled()).await.is_err() {
        match inbox::prune(database).await {
            Ok(rows) => info!(rows, "pruned the inbox"),
            Err(error) => warn!(error = %chain(&error), "the inbox was not pruned"),
        }
    }
}
