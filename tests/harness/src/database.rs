//! The database server of a run: PostgreSQL in a container, in memory. Promise: each service has a
//! role to run as and a role that owns its tables, and each test has databases of its own. A
//! database whose name begins with `tls_` has the rules of the bank's databases, and its service
//! runs as a role of the database's name.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use shared_events::topology::SERVICES;
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use testcontainers::{
    ContainerAsync, CopyTargetOptions, GenericImage, ImageExt,
    core::{IntoContainerPort, Mount},
    runners::AsyncRunner,
};

use crate::{
    broker::in_url,
    certificates::{Certificates, ClientFiles},
    docker::{image, ip},
    proxy::Target,
    wait::wait_for,
};

const START_DEADLINE: Duration = Duration::from_secs(60);
const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";
/// The rules of the bank's databases.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docker/secrets/pg_hba.conf");
/// Where the server's certificate comes in. PostgreSQL wants a key of its own user.
const INCOMING: &str = "/etc/bankwire";
const START: &str = "install -d -o postgres -m 700 /run/bankwire && \
    install -o postgres -m 400 /etc/bankwire/* /run/bankwire && \
    exec $(command -v bankwire-postgres || command -v docker-entrypoint.sh) postgres \"$@\"";
const SETTINGS: [&str; 11] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "jit=off",
    "max_connections=500",
    "max_wal_size=1GB",
    "ssl=on",
    "ssl_ca_file=/run/bankwire/authority.pem",
    "ssl_cert_file=/run/bankwire/tls.pem",
    "ssl_key_file=/run/bankwire/tls.key",
    "hba_file=/run/bankwire/pg_hba.conf",
];

/// A running PostgreSQL server.
pub struct DatabaseServer {
    container: ContainerAsync<GenericImage>,
    target: Target,
    admin: PgPool,
    databases: AtomicU32,
}

impl DatabaseServer {
    pub(crate) async fn start(certificates: &Certificates) -> Result<Self> {
        let server = certificates.server(&["127.0.0.1"])?;
        let incoming = |file| CopyTargetOptions::new(format!("{INCOMING}/{file}"));
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let container = image("POSTGRES_IMAGE", "bankwire/postgres:dev")
            .await?
            .with_entrypoint("/bin/sh")
            .with_exposed_port(PORT.tcp())
            .with_startup_timeout(START_DEADLINE)
            .with_env_var("POSTGRES_USER", SUPERUSER)
            .with_env_var("POSTGRES_PASSWORD", password(SUPERUSER))
            .with_env_var("PGDATA", "/var/lib/postgresql/data")
            .with_mount(Mount::tmpfs_mount("/var/lib/postgresql/data"))
            .with_copy_to(incoming("authority.pem"), certificates.authority())
            .with_copy_to(incoming("tls.pem"), server.certificate.into_bytes())
            .with_copy_to(incoming("tls.key"), server.key.into_bytes())
            .with_copy_to(incoming("pg_hba.conf"), rules()?.into_bytes())
            .with_cmd(["-c", START, "start"].into_iter().chain(settings))
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
                let create = format!("CREATE ROLE {role} LOGIN");
                server.set_password(&create, &password(&role)).await?;
            }
            // The facts look at the sessions of their services, and end them.
            let owner = owner(service);
            let facts = format!("GRANT pg_read_all_stats, pg_signal_backend TO {owner}");
            server.administer(facts).await?;
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
        let (name, owner) = (format!("{service}_{number}"), owner(service));
        self.administer(format!("CREATE DATABASE {name} OWNER {owner}")).await?;
        let owner_url = self.url(&owner, &name, "sslmode=disable");
        let pool = self.pool(&owner, &name);
        Ok(Database { pool, name, role: service.to_owned(), owner_url })
    }

    /// A database as `role`.
    pub(crate) fn connect(&self, database: &Database, role: &str) -> PgPool {
        self.pool(role, &database.name)
    }

    /// A new, empty database with the rules of the bank's: a role needs its certificate.
    pub(crate) async fn make_strict(
        &self,
        service: &str,
        certificates: &Certificates,
    ) -> Result<StrictDatabase> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let (name, owner) = (format!("tls_{service}_{number}"), owner(service));
        self.set_password(&format!("CREATE ROLE {name} LOGIN"), &password(service)).await?;
        self.administer(format!("CREATE DATABASE {name} OWNER {owner}")).await?;
        let own = certificates.client(&owner)?;
        let options = options(&self.target, &owner, &name)
            .ssl_mode(PgSslMode::VerifyFull)
            .ssl_root_cert(&own.authority)
            .ssl_client_cert(&own.certificate)
            .ssl_client_key(&own.key);
        let pool = PgPoolOptions::new().max_connections(3).connect_lazy_with(options);
        let owner_url = self.url(&owner, &name, &own.database_parameters());
        let files = certificates.client(&name)?;
        let database = Database { pool, role: name.clone(), name, owner_url };
        Ok(StrictDatabase { database, files })
    }

    fn pool(&self, role: &str, database: &str) -> PgPool {
        pool(&self.target, role, database)
    }

    fn url(&self, role: &str, database: &str, parameters: &str) -> String {
        let (server, password) = (self.target.address(), in_url(&password(role)));
        format!("postgres://{role}:{password}@{server}/{database}?{parameters}")
    }

    /// Gives a role another password.
    pub(crate) async fn set_password(&self, statement: &str, password: &str) -> Result<()> {
        let password = password.replace('\'', "''");
        self.administer(format!("{statement} PASSWORD '{password}'")).await
    }

    /// Ends every session in a database: its clients connect again.
    pub(crate) async fn end_sessions(&self, database: &str) -> Result<()> {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
        self.administer(format!("{end} = '{database}'")).await
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

/// A database with the rules of the bank's, and the files of the role that its service runs as.
#[derive(Clone, Debug)]
pub struct StrictDatabase {
    /// The database.
    pub database: Database,
    /// The certificate of the role that the service runs as.
    pub files: ClientFiles,
}

/// A service's database in one test.
#[derive(Clone, Debug)]
pub struct Database {
    /// As the role that owns the tables, past any proxy.
    pub pool: PgPool,
    /// Its name on the server.
    pub name: String,
    /// The role that the service runs as.
    pub(crate) role: String,
    /// The address and the login of the owner.
    pub(crate) owner_url: String,
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
    let options = options(target, role, database);
    PgPoolOptions::new().max_connections(3).connect_lazy_with(options)
}

fn options(target: &Target, role: &str, database: &str) -> PgConnectOptions {
    let address = target.address();
    PgConnectOptions::new_without_pgpass()
        .host(&address.ip().to_string())
        .port(address.port())
        .username(role)
        .password(&password(role))
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        .application_name("tests")
}

/// The bank's rules for databases named `tls_...`; all others may be reached without TLS.
fn rules() -> Result<String> {
    let mut rules = std::fs::read_to_string(RULES)?;
    for (rule, strict) in [
        ("host all postgres all", "host /^tls_ postgres all"),
        ("hostssl all all all", "hostssl /^tls_ all all"),
    ] {
        ensure!(rules.contains(rule), "{RULES} has other rules now");
        rules = rules.replace(rule, strict);
    }
    Ok(format!("{rules}host /^tls_ all all reject\nhost all all all scram-sha-256\n"))
}
