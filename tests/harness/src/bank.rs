//! One test's bank. Promise: nothing in it is shared with another test, and nothing of it is left
//! when the test is over.

mod users;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::Value;
use shared_events::topology::{SERVICES, SUBSCRIPTIONS, Subscription, parked_queue, retry_queue};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::{process::Command, sync::Mutex as AsyncMutex};

use crate::{
    Instance, Message, Parked, Proxy, Recorder, bank_day,
    broker::{Broker, TESTER},
    connection::BrokerConnection,
    database::Database,
    instance::Setup,
    pooler::Pooler,
    run::{OwnBroker, Run},
    wait::{PATIENCE, wait_for, wait_value},
};

mod access;
mod clients;
mod environment;
pub mod evidence;

use access::BankPrincipals;
use environment::Addresses;

pub use crate::binaries::program;
pub use environment::{Encrypted, RETIRED_EVENTS, replace};

/// A virtual host, databases, and the services started in it. Cheap to clone.
#[derive(Clone)]
pub struct Bank(Arc<Inner>);

struct Inner {
    run: Arc<Run>,
    broker: Arc<Broker>,
    vhost: String,
    folder: PathBuf,
    connection: BrokerConnection,
    recorder: Recorder,
    databases: AsyncMutex<HashMap<String, Database>>,
    encrypted: AsyncMutex<HashMap<String, Encrypted>>,
    poolers: AsyncMutex<Vec<Pooler>>,
    instances: Mutex<Vec<Instance>>,
    settings: Mutex<Vec<(String, String, String)>>,
    started: AtomicU32,
    clients: Mutex<BTreeSet<String>>,
    principals: Mutex<BankPrincipals>,
    _own_broker: Option<OwnBroker>,
}

impl Bank {
    /// A new bank: everything stands on the broker, nothing runs. `test` names its folder of logs.
    pub(crate) async fn open(run: Arc<Run>, test: &str, own: Option<OwnBroker>) -> Result<Self> {
        let broker = own.as_ref().map_or_else(|| &run.broker, |own| &own.broker);
        let broker = Arc::clone(broker);
        let vhost = broker.make_vhost().await?;
        let folder = run.folder.join(test.replace("::", "/"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let connection = BrokerConnection::new(broker.amqp(), &vhost, TESTER);
        let recorder = Recorder::events_of(broker.amqp(), &vhost).await?;
        Ok(Self(Arc::new(Inner {
            run,
            broker,
            vhost,
            folder,
            connection,
            recorder,
            databases: AsyncMutex::default(),
            encrypted: AsyncMutex::default(),
            poolers: AsyncMutex::default(),
            instances: Mutex::default(),
            settings: Mutex::new(vec![bank_day::setting()]),
            started: AtomicU32::new(0),
            clients: Mutex::default(),
            principals: Mutex::new(BankPrincipals::development()),
            _own_broker: own,
        })))
    }

    /// Every event of this bank.
    #[must_use]
    pub fn events(&self) -> &Recorder {
        &self.0.recorder
    }

    /// The broker. Restart it only in a fact that has one of its own.
    #[must_use]
    pub fn broker(&self) -> &Broker {
        &self.0.broker
    }

    /// The virtual host.
    #[must_use]
    pub fn vhost(&self) -> &str {
        &self.0.vhost
    }

    /// Sets an environment variable for the instances of a service started from now on.
    pub fn set(&self, service: &str, variable: &str, value: impl Into<String>) {
        let setting = (service.to_owned(), variable.to_owned(), value.into());
        self.0.settings.lock().unwrap_or_else(PoisonError::into_inner).push(setting);
    }

    /// Names one more receiver of webhooks (`127.0.0.1:40123`), which may then have a private
    /// address.
    pub fn name_receiver(&self, receiver: &str) {
        const ALLOW: &str = "BANKWIRE_WEBHOOK__ALLOW";
        let settings = self.0.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = settings.iter().rfind(|(_, name, _)| name == ALLOW);
        let named = before.map_or(String::new(), |(_, _, named)| format!("{named},"));
        drop(settings);
        self.set("notifications", ALLOW, format!("{named}{receiver}"));
    }

    /// Starts an instance of a service (`ledger`), and waits until it is ready.
    pub async fn start(&self, service: &str) -> Result<Instance> {
        let instance = self.prepare(service).await?;
        instance.start().await?;
        Ok(instance)
    }

    /// Starts one instance of each of these services side by side.
    pub async fn start_all(&self, services: &[&str]) -> Result<Vec<Instance>> {
        let mut instances = Vec::with_capacity(services.len());
        for service in services {
            let instance = self.prepare(service).await?;
            instance.launch().await?;
            instances.push(instance);
        }
        for instance in &instances {
            instance.wait_ready().await?;
        }
        Ok(instances)
    }

    /// An instance of a service that does not run yet: its proxies can be told what to do first.
    pub async fn prepare(&self, service: &str) -> Result<Instance> {
        ensure!(SERVICES.contains(&service), "there is no service {service}");
        let inner = &self.0;
        let database = self.database(service).await?;
        let encrypted = self.encrypted(service).await;
        let broker = match encrypted {
            Some(_) => inner.broker.amqps(),
            None => inner.broker.amqp(),
        };
        let broker_proxy = Proxy::to(broker.clone()).await?;
        let database_proxy = Proxy::to(inner.run.databases.target().clone()).await?;
        let at = Addresses { broker: broker_proxy.address(), database: database_proxy.address() };
        let name = &database.name;
        let mut environment = environment::of(service, &inner.vhost, name, &at, encrypted.as_ref());
        environment.push(("HTTP__LISTEN", "127.0.0.1:0".to_owned()));
        environment.push(("PRINCIPALS", self.principals_file()?.display().to_string()));
        environment.extend(environment::own(service));
        let named = |(name, value)| (format!("BANKWIRE_{name}"), value);
        let mut environment: Vec<_> = environment.into_iter().map(named).collect();
        let settings = inner.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let own = settings.into_iter().filter(|(of, ..)| of == service);
        environment.extend(own.map(|(_, name, value)| (name, value)));
        let number = inner.started.fetch_add(1, Ordering::Relaxed) + 1;
        let label = format!("{service}-{number}");
        let instance = Instance::new(Setup {
            log: inner.folder.join(format!("{label}.log")),
            label,
            program: program(&format!("{service}-svc"))?,
            environment,
            broker: broker_proxy,
            database: database_proxy,
            processes: inner.run.processes.clone(),
        })?;
        inner.instances.lock().unwrap_or_else(PoisonError::into_inner).push(instance.clone());
        Ok(instance)
    }

    /// A service's database, as the owner of its tables and past any proxy.
    pub async fn database(&self, service: &str) -> Result<Database> {
        let mut databases = self.0.databases.lock().await;
        if let Some(database) = databases.get(service) {
            return Ok(database.clone());
        }
        let database = self.0.run.databases.make(service).await?;
        self.run_migrations(service, &database).await?;
        databases.insert(service.to_owned(), database.clone());
        Ok(database)
    }

    /// Brings the database of a service up to date, as its owner.
    pub async fn migrate(&self, service: &str) -> Result<()> {
        self.run_migrations(service, &self.database(service).await?).await
    }

    async fn run_migrations(&self, service: &str, database: &Database) -> Result<()> {
        let migrated = Command::new(program(&format!("{service}-svc"))?)
            .args(["migrate", "--role", &database.role])
            .env("BANKWIRE_DATABASE__URL", &database.owner_url)
            .output()
            .await?;
        let (said, failed) = (&migrated.stdout, &migrated.stderr);
        let output = [said.as_slice(), failed].concat();
        ensure!(migrated.status.success(), "{service}: {}", String::from_utf8_lossy(&output));
        self.seed_access(database).await
    }

    /// Puts PgBouncer with these settings between the databases and the services prepared from now
    /// on. Returns the address from which the database server is asked.
    pub async fn pool_databases(&self, settings: &[&str]) -> Result<IpAddr> {
        let pooler = Pooler::start(&self.0.run.databases, settings).await?;
        let (address, ip) = (pooler.address, pooler.ip);
        self.0.poolers.lock().await.push(pooler);
        for service in SERVICES {
            let name = self.database(service).await?.name;
            let url = format!("postgres://{service}@{address}/{name}?sslmode=disable");
            self.set(service, "BANKWIRE_DATABASE__URL", url);
        }
        Ok(ip)
    }

    /// The connection pool of [`Bank::database`].
    pub async fn pool(&self, service: &str) -> Result<PgPool> {
        Ok(self.database(service).await?.pool)
    }

    /// The database of `service` as another role (`ledger`: the role that the ledger runs as).
    pub async fn pool_of(&self, service: &str, role: &str) -> Result<PgPool> {
        Ok(self.0.run.databases.connect(&self.database(service).await?, role))
    }

    /// The one number that a query gives: `SELECT count(*) ...`.
    pub async fn number(&self, service: &str, query: &str) -> Result<i64> {
        let pool = self.pool(service).await?;
        let number = sqlx::query_scalar::<_, i64>(AssertSqlSafe(query.to_owned()));
        number.fetch_one(&pool).await.with_context(|| format!("{service}: {query}"))
    }

    /// Runs statements on a service's database.
    pub async fn execute(&self, service: &str, statements: &str) -> Result<()> {
        let pool = self.pool(service).await?;
        let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&pool).await;
        done.with_context(|| format!("{service}: {statements}"))?;
        Ok(())
    }

    /// How many committed events of a service the broker has not confirmed.
    pub async fn outbox(&self, service: &str) -> Result<i64> {
        let events = "SELECT coalesce(sum(events), 0)::bigint FROM bus.outbox";
        self.number(service, events).await
    }

    /// Publishes a message, and returns when the broker has it.
    pub async fn publish(&self, message: &Message) -> Result<()> {
        self.0.connection.publish(std::slice::from_ref(message)).await
    }

    /// Publishes messages in order, and returns when the broker has all.
    pub async fn publish_all(&self, messages: &[Message]) -> Result<()> {
        self.0.connection.publish(messages).await
    }

    /// Publishes a message as often as it takes until the broker has it.
    pub async fn publish_through(&self, message: &Message) -> Result<()> {
        wait_for("the broker takes a message", PATIENCE, async || {
            self.publish(message).await.map(|()| true)
        })
        .await
    }

    /// The number of messages ready in a queue, without deliveries that a consumer holds.
    pub async fn depth(&self, queue: &str) -> Result<u32> {
        self.0.connection.depth(queue).await
    }

    /// The retry queues of a service that hold messages, with the number of messages in each.
    pub async fn waiting(&self, service: &str) -> Result<Vec<(String, u32)>> {
        let mut waiting = Vec::new();
        for queue in queues(service).into_iter().filter(|queue| !queue.ends_with(".queries")) {
            let tiers = (1..).map_while(|attempt| retry_queue(&queue, attempt));
            for tier in tiers {
                match self.depth(&tier).await? {
                    0 => {}
                    depth => waiting.push((tier, depth)),
                }
            }
        }
        Ok(waiting)
    }

    /// How many messages are ready in all queues that a service reads.
    pub async fn ready(&self, service: &str) -> Result<u32> {
        let mut ready = 0;
        for queue in queues(service) {
            ready += self.depth(&queue).await?;
        }
        Ok(ready)
    }

    /// Waits until a queue of a service has messages ready, and returns the queue.
    pub async fn queue_with_messages(&self, service: &str) -> Result<String> {
        wait_value(&format!("messages for {service}"), PATIENCE, async || {
            for queue in queues(service) {
                if self.depth(&queue).await? > 0 {
                    return Ok(Some(queue));
                }
            }
            Ok(None)
        })
        .await
    }

    /// A figure of `message_stats` (`deliver`, `redeliver`, `ack`, ...) over the queues that a
    /// service reads. As the management API sees it: up to a second old.
    pub async fn statistic(&self, service: &str, figure: &str) -> Result<u64> {
        let path = format!("queues/{}", self.0.vhost);
        let Value::Array(found) = self.0.broker.api(Method::GET, &path, None).await? else {
            bail!("/api/{path} gave no list");
        };
        let names = queues(service);
        let is_read = |queue: &&Value| names.iter().any(|name| queue["name"] == name.as_str());
        let figure = |queue: &Value| queue["message_stats"][figure].as_u64().unwrap_or(0);
        Ok(found.iter().filter(is_read).map(figure).sum())
    }

    /// The parked messages of a service, oldest first. They stay parked.
    pub async fn parked(&self, service: &str) -> Result<Vec<Parked>> {
        self.look(&parked_queue(service)).await
    }

    /// Waits until a service has parked `count` messages, and returns them.
    pub async fn wait_parked(&self, service: &str, count: usize) -> Result<Vec<Parked>> {
        wait_value(&format!("{count} messages parked by {service}"), PATIENCE, async || {
            let parked = self.parked(service).await?;
            Ok((parked.len() >= count).then_some(parked))
        })
        .await
    }

    /// The messages ready in a queue. They stay there.
    pub async fn look(&self, queue: &str) -> Result<Vec<Parked>> {
        let (channel, taken) = self.0.connection.take(queue).await?;
        let found = taken.iter().map(|message| Parked::of(&message.delivery)).collect();
        channel.close(200, "looked".into()).await?;
        Ok(found)
    }

    /// All instances that were prepared so far.
    pub(crate) fn instances(&self) -> Vec<Instance> {
        self.0.instances.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends everything.
    pub(crate) async fn close(&self) -> Result<()> {
        let inner = &self.0;
        let instances =
            std::mem::take(&mut *inner.instances.lock().unwrap_or_else(PoisonError::into_inner));
        for instance in instances {
            instance.kill().await?;
        }
        for pooler in inner.poolers.lock().await.drain(..) {
            pooler.remove().await?;
        }
        inner.recorder.close().await;
        inner.connection.close().await;
        self.drop_clients().await?;
        inner.broker.drop_vhost(&inner.vhost).await?;
        for (_, database) in inner.databases.lock().await.drain() {
            inner.run.databases.drop(&database).await?;
        }
        Ok(())
    }
}

/// The queues that a service reads.
fn queues(service: &str) -> Vec<String> {
    let own = SUBSCRIPTIONS.iter().filter(|subscription| subscription.service == service);
    own.flat_map(Subscription::queues).collect()
}
