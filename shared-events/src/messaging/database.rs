//! The service's database. Promise: every wait for the server has a bound; a connection with a
//! fault is not used again; a password in a file is read again before a connection is opened. The
//! settings of a session: `session`.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres,
    migrate::MigrateError,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    database_fault::silent,
    schema::Schema,
    session::{self, PING_TIMEOUT},
};
use crate::{address::Address, secret::Secret};

/// One for each consumer, a few for queries.
const CONNECTIONS_MAX: u32 = 12;
/// The bound for a connection from the pool; later the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was used within this time counts as alive, unless another one failed since.
const CHECKED_AFTER: Duration = Duration::from_secs(1);
/// The bound for statements on the delivery tables' few rows.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// The check at the start finds shared sessions behind up to so many poolers: of one more
/// connection than poolers, two go through the same one.
const POOLERS_MAX: u32 = 3;
/// The bound for all migrations together: large tables are rewritten.
const MIGRATIONS_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// A service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    /// The role's password.
    password: Option<Secret>,
    faults: FaultClock,
    /// Whether a commit waits for the disk.
    is_flushed: bool,
}

/// The time of the last fault of a connection: older connections are checked before their next use.
#[derive(Clone, Debug, Default)]
struct FaultClock(Arc<Mutex<Option<Instant>>>);

impl FaultClock {
    fn record(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a fault came after a connection of this age was opened.
    fn is_since(&self, age: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() <= age)
    }
}

/// The permitted parameters of a database's URL. Parameters that would name another server or user
/// are not permitted.
const PARAMETERS: [&str; 11] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "application_name",
];

/// A pool on the database at `address` (`postgres://user@host/name`). Connects when first used.
///
/// # Errors
/// When the address has parameters that cannot be used.
pub fn connect_database(address: &Address) -> sqlx::Result<Database> {
    let address = address.clone().only_with(&PARAMETERS);
    let address = address.map_err(|error| sqlx::Error::Configuration(error.into()))?;
    // Host and password are set apart from the URL: the driver would keep the brackets of an IPv6
    // address and the escapes of a password.
    let mut options: PgConnectOptions = address.url.as_str().parse()?;
    if !address.host.starts_with('/') {
        options = options.host(&address.host);
    }
    // A pooler refuses unknown parameters at the start; `session` makes the settings.
    let options = options.extra_float_digits(None);
    let database = Database::open(CONNECTIONS_MAX, options, address.password.clone(), true);
    database.renew_login()?;
    Ok(database)
}

impl Database {
    fn open(
        connections_max: u32,
        options: PgConnectOptions,
        password: Option<Secret>,
        is_flushed: bool,
    ) -> Self {
        let faults = FaultClock::default();
        let known_faults = faults.clone();
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(begin(connection, is_flushed)))
            .before_acquire(move |connection, used| {
                let is_checked = used.idle_for > CHECKED_AFTER || known_faults.is_since(used.age);
                Box::pin(async move {
                    if is_checked {
                        session::check(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, password, faults, is_flushed }
    }

    /// Gives the pool the password as it is now. The pool itself has no means to ask for one.
    fn renew_login(&self) -> sqlx::Result<()> {
        if let Some(password) = &self.password {
            let password = password.read().map_err(|error| sqlx::Error::Io(error.into()))?;
            let options = PgConnectOptions::clone(&self.pool.connect_options());
            self.pool.set_connect_options(options.password(password.expose_secret()));
        }
        Ok(())
    }

    /// The same database over one connection whose commits do not wait for the disk. For work that
    /// is repeated after a loss.
    pub(crate) fn unflushed(&self) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self::open(1, options, self.password.clone(), false)
    }

    /// A connection out of the pool.
    pub(crate) fn lease(&self) -> BoxFuture<'_, sqlx::Result<Lease>> {
        Box::pin(async {
            // The pool opens a connection where none is idle. Where the idle ones turn out to be
            // dead, the caller's next attempt comes here.
            if self.pool.num_idle() == 0 {
                self.renew_login()?;
            }
            let connection = self.pool.acquire().await?;
            Ok(Lease { connection: Some(connection), faults: self.faults.clone() })
        })
    }

    /// A connection out of the pool, with an open transaction.
    pub(crate) fn begin(&self) -> BoxFuture<'_, sqlx::Result<Lease>> {
        Box::pin(async {
            let mut lease = self.lease().await?;
            lease.begin().await?;
            Ok(lease)
        })
    }

    /// A connection outside of the pool.
    pub(crate) async fn connect_apart(&self) -> sqlx::Result<PgConnection> {
        self.renew_login()?;
        let options = self.pool.connect_options();
        let connecting = async {
            let mut connection = options.connect().await?;
            begin(&mut connection, self.is_flushed).await?;
            Ok(connection)
        };
        in_time(connecting).await
    }

    /// Refuses a pooler that lends sessions. A pooler that lends the last used session lends the
    /// first connection's session to another; one that takes turns lends another's to the first.
    async fn sessions_are_ours(&self, first: &mut PgConnection) -> sqlx::Result<()> {
        for _ in 0..POOLERS_MAX {
            session::check(first).await?;
            let other = self.connect_apart().await?;
            in_time(other.close()).await?;
        }
        session::check(first).await
    }

    /// Brings the schema up to date as the role that owns it, and grants `role` its rights. Single
    /// statements have no time limit.
    pub(crate) async fn migrate(
        &self,
        schema: &'static Schema,
        role: &str,
    ) -> Result<(), MigrateError> {
        let mut connection = self.own_session().await?;
        in_time(sqlx::query("SET statement_timeout = 0").execute(&mut connection)).await?;
        let migrating = schema.migrate(&mut connection, role);
        let migrated = tokio::time::timeout(MIGRATIONS_TIMEOUT, migrating).await;
        migrated.unwrap_or_else(|_| Err(silent(MIGRATIONS_TIMEOUT).into()))
    }

    /// Returns the first migration that the database lacks.
    pub(crate) async fn missing_migration(
        &self,
        schema: &'static Schema,
    ) -> Result<Option<i64>, MigrateError> {
        let mut connection = self.own_session().await?;
        let missing = tokio::time::timeout(STATEMENT_TIMEOUT, schema.missing(&mut connection));
        missing.await.unwrap_or_else(|_| Err(silent(STATEMENT_TIMEOUT).into()))
    }

    /// A connection whose session belongs to this process.
    async fn own_session(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.connect_apart().await?;
        self.sessions_are_ours(&mut connection).await?;
        Ok(connection)
    }
}

async fn begin(connection: &mut PgConnection, is_flushed: bool) -> sqlx::Result<()> {
    session::begin(connection).await?;
    if is_flushed { Ok(()) } else { session::unflush(connection).await }
}

/// Bounds a statement on the delivery tables. After the bound the server counts as away, and the
/// connection must not be used again.
pub(crate) async fn in_time<T>(
    statement: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let answer = tokio::time::timeout(STATEMENT_TIMEOUT, statement).await;
    answer.unwrap_or_else(|_| Err(silent(STATEMENT_TIMEOUT)))
}

/// A connection from the pool. Only [`Lease::give_back`] returns the connection: a dropped lease,
/// after an error or in the middle of a statement, closes it, and the server rolls back.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    faults: FaultClock,
}

impl Lease {
    /// Opens a transaction.
    pub(crate) async fn begin(&mut self) -> sqlx::Result<()> {
        self.begin_with("BEGIN").await
    }

    /// Opens a transaction by this statement.
    pub(crate) fn begin_with(
        &mut self,
        statement: &'static str,
    ) -> BoxFuture<'_, sqlx::Result<()>> {
        Box::pin(async move {
            let begun = tokio::time::timeout(PING_TIMEOUT, self.execute(statement)).await;
            begun.unwrap_or_else(|_| Err(silent(PING_TIMEOUT)))?;
            Ok(())
        })
    }

    /// Commits the open transaction. Waits for the answer as long as the caller does.
    pub(crate) fn commit(&mut self) -> BoxFuture<'_, sqlx::Result<()>> {
        Box::pin(async {
            self.execute("COMMIT").await?;
            Ok(())
        })
    }

    /// Returns the connection to the pool, after a use without a fault.
    pub(crate) fn give_back(mut self) {
        if let Some(mut connection) = self.connection.take() {
            // The pool pings the connection, and has no bound of its own for the answer.
            let returning = connection.return_to_pool();
            tokio::spawn(tokio::time::timeout(PING_TIMEOUT, returning));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.faults.record();
            drop(connection.detach());
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a lease has its connection until its end")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a lease has its connection until its end")
    }
}

/// An open transaction, lent to a handler, which can read and write. Only the delivery code commits
/// and rolls back.
#[derive(Debug)]
pub struct Tx<'t>(&'t mut PgConnection);

impl<'t> Tx<'t> {
    pub(crate) const fn lend(connection: &'t mut PgConnection) -> Self {
        Self(connection)
    }

    /// The connection for `sqlx`. A savepoint needs its own statement: `sqlx` does not know that a
    /// transaction is open.
    pub const fn connection(&mut self) -> &mut PgConnection {
        self.0
    }
}
