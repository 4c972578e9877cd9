//! The database server of a run: PostgreSQL in a container, in memory. Promise: each service has a
//! role to run as and a role that owns its tables, and each test has databases of its own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use shared_events::topology::SERVICES;
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt,
    core::{IntoContainerPort, Mount},
    runners::AsyncRunner,
};

use crate::{
    docker::{image, ip},
    proxy::Target,
    wait::wait_for,
};

const START_DEADLINE: Duration = Duration::from_secs(60);
const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "jit=off",
    "max_connections=500",
    "max_wal_size=1GB",
];

/// A running PostgreSQL server.
pub struct DatabaseServer {
    container: ContainerAsync<GenericImage>,
    target: Target,
    admin: PgPool,
    databases: AtomicU32,
}

impl DatabaseServer {
    pub(crate) async fn start() -> Result<Self> {
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let container = image("POSTGRES_IMAGE", "bankwire/postgres:dev")
            .await?
            .with_exposed_port(PORT.tcp())
            .with_startup_timeout(START_DEADLINE)
            .with_env_var("POSTGRES_USER", SUPERUSER)
            .with_env_var("POSTGRES_PASSWORD", password(SUPERUSER))
            .with_env_var("PGDATA", "/var/lib/postgresql/data")
            .with_mount(Mount::tmpfs_mount("/var/lib/postgresql/data"))
            .with_cmd(["postgres"].into_iter().chain(settings))
            .start()
            .await
            .context("the database server does not start")?;
        let port = container.get_host_port_ipv4(PORT.tcp()).await?;
        let target = Target::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let admin = pool(&target, SUPERUSER, "postgres");
        let server = Self { container, target, admin, databases: AtomicU32::new(0) };
        wait_for("the database server is up", START_DEADLINE, async || {
            sqlx::query("SELECT 1").execute(&server.admin).await?;
            Ok(true)
        })
        .await?;
        for service in SERVICES {
            for role in [service.to_owned(), owner(service)] {
                let password = password(&role).replace('\'', "''");
                server
                    .administer(format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
                    .await?;
            }
        }
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Where other containers reach it.
    pub(crate) async fn bridge_address(&self) -> Result<(IpAddr, u16)> {
        Ok((ip(self.container.id()).await?, PORT))
    }

    /// A new, empty database for `service`.
    pub(crate) async fn make(&self, service: &str) -> Result<Database> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("{service}_{number}");
        let owner = owner(service);
        self.administer(format!("CREATE DATABASE {name} OWNER {owner}")).await?;
        Ok(Database { pool: pool(&self.target, &owner, &name), name })
    }

    /// A database as `role`.
    pub(crate) fn connect(&self, database: &Database, role: &str) -> PgPool {
        pool(&self.target, role, &database.name)
    }

    /// Drops a database with its content, and ends its open sessions.
    pub(crate) async fn drop(&self, database: &Database) -> Result<()> {
        database.pool.close().await;
        self.administer(format!("DROP DATABASE {} WITH (FORCE)", database.name)).await
    }

    async fn administer(&self, statement: String) -> Result<()> {
        let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&self.admin).await;
        done.with_context(|| statement)?;
        Ok(())
    }

    pub(crate) async fn remove(self) -> Result<()> {
        Ok(self.container.rm().await?)
    }
}

/// A service's database in one test.
#[derive(Clone, Debug)]
pub struct Database {
    /// As the role that owns the tables, past any proxy.
    pub pool: PgPool,
    /// Its name on the server.
    pub name: String,
}

/// The role that owns the tables of a service.
pub(crate) fn owner(service: &str) -> String {
    format!("{service}_owner")
}

/// The password of a role: one that a URL or SQL would take for something else.
pub(crate) fn password(role: &str) -> String {
    match role {
        SUPERUSER => format!("{role}-dev"),
        role => format!("{role} p%41ss %ff@:/?#&\"'$(x)|á"),
    }
}

fn pool(target: &Target, role: &str, database: &str) -> PgPool {
    let address = target.address();
    let options = PgConnectOptions::new_without_pgpass()
        .host(&address.ip().to_string())
        .port(address.port())
        .username(role)
        .password(&password(role))
        .database(database)
        .application_name("tests");
    PgPoolOptions::new().max_connections(3).connect_lazy_with(options)
}
