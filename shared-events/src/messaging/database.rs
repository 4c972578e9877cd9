//! The service's database as the bus uses it. Promise: a fault that passes by itself is never taken
//! for the fault of a message; no answer of the server is waited for without a bound; a connection
//! on which anything went wrong is not used again. What a session must have: `session`.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::session::{self, PING_TIMEOUT};
use crate::address::Address;

/// The delivery tables, `bus.inbox` and `bus.outbox`. Run before the service's own migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// One for each consumer, a few for queries.
const CONNECTIONS_MAX: u32 = 12;
/// A database that gives no connection by then is treated as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was used so recently is taken for alive, unless another one failed since.
const ASKED_AFTER: Duration = Duration::from_secs(1);
/// The bus's own statements on few rows are answered by then.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// The constraint by which a day of the inbox is made (migration 5).
const DAY_TO_COME: &str = "inbox_day_to_come";
/// So many poolers side by side cannot hide from the start that they share sessions: of one more
/// connection than there are poolers two go through the same.
const POOLERS_MAX: u32 = 3;
/// The longest that migrations may take together: large tables are rewritten.
const MIGRATIONS_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// A service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    doubts: FaultClock,
    /// Whether commits are waited for until they are on the disk.
    is_flushed: bool,
}

/// When a connection last failed: those that are older have to answer before they are used.
#[derive(Clone, Debug, Default)]
struct FaultClock(Arc<Mutex<Option<Instant>>>);

impl FaultClock {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether there was a fault since a connection of this age was opened.
    fn about(&self, age: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|raised| raised.elapsed() <= age)
    }
}

/// The parameters of a database's URL that the driver follows. Those that would name another server
/// or user than what stands before them are left out.
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
    // What the driver reads from a URL, and past it what it would read otherwise: IPv6 addresses in
    // their brackets, passwords with their escapes.
    let mut options: PgConnectOptions = address.url.as_str().parse()?;
    if !address.host.starts_with('/') {
        options = options.host(&address.host);
    }
    if let Some(password) = &address.password {
        options = options.password(password.expose_secret());
    }
    // A pooler takes no parameter that it does not know; `session` sets what is needed.
    let options = options.extra_float_digits(None);
    Ok(Database::open(CONNECTIONS_MAX, options, true))
}

impl Database {
    fn open(connections_max: u32, options: PgConnectOptions, is_flushed: bool) -> Self {
        let doubts = FaultClock::default();
        let doubted = doubts.clone();
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(begin(connection, is_flushed)))
            .before_acquire(move |connection, used| {
                let ask = used.idle_for > ASKED_AFTER || doubted.about(used.age);
                Box::pin(async move {
                    if ask {
                        session::check(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, doubts, is_flushed }
    }

    /// The same database over a connection of its own whose commits are not waited for until they
    /// are on the disk. For what is done again if it is lost.
    pub(crate) fn unflushed(&self) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self::open(1, options, false)
    }

    /// A connection out of the pool.
    pub(crate) async fn lease(&self) -> sqlx::Result<Lease> {
        let connection = self.pool.acquire().await?;
        Ok(Lease { connection: Some(connection), doubts: self.doubts.clone() })
    }

    /// A connection out of the pool, with an open transaction.
    pub(crate) async fn begin(&self) -> sqlx::Result<Lease> {
        let mut lease = self.lease().await?;
        lease.begin().await?;
        Ok(lease)
    }

    /// A connection that is not the pool's, for as long as the process lives.
    pub(crate) async fn connect_apart(&self) -> sqlx::Result<PgConnection> {
        let options = self.pool.connect_options();
        let connecting = async {
            let mut connection = options.connect().await?;
            begin(&mut connection, self.is_flushed).await?;
            Ok(connection)
        };
        in_time(connecting).await
    }

    /// Refuses a pooler that lends sessions. One that gives out the session that was used last
    /// gives the first connection's to another; one that takes turns gives the first another's.
    async fn sessions_are_ours(&self, first: &mut PgConnection) -> sqlx::Result<()> {
        for _ in 0..POOLERS_MAX {
            session::check(first).await?;
            let other = self.connect_apart().await?;
            in_time(other.close()).await?;
        }
        session::check(first).await
    }

    /// Brings the schema up to date. Its statements may take as long as large tables need.
    pub(crate) async fn migrate(&self, migrations: &[&Migrator]) -> Result<(), MigrateError> {
        let mut connection = self.connect_apart().await?;
        self.sessions_are_ours(&mut connection).await?;
        in_time(sqlx::query("SET statement_timeout = 0").execute(&mut connection)).await?;
        let migrating = async {
            for migrator in migrations {
                migrator.run(&mut connection).await?;
            }
            Ok(())
        };
        let migrated = tokio::time::timeout(MIGRATIONS_TIMEOUT, migrating).await;
        migrated.unwrap_or_else(|_| Err(silent(MIGRATIONS_TIMEOUT).into()))
    }
}

async fn begin(connection: &mut PgConnection, is_flushed: bool) -> sqlx::Result<()> {
    session::begin(connection).await?;
    if is_flushed { Ok(()) } else { session::unflush(connection).await }
}

/// A few rows of the bus's own: an answer by the bound, or the server is treated as away. The
/// connection must not be used again then.
pub(crate) async fn in_time<T>(asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let answer = tokio::time::timeout(STATEMENT_TIMEOUT, asked).await;
    answer.unwrap_or_else(|_| Err(silent(STATEMENT_TIMEOUT)))
}

pub(crate) fn silent(bound: Duration) -> sqlx::Error {
    let why = format!("the database did not answer within {} s", bound.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why))
}

/// A connection out of the pool. Only [`Lease::give_back`] returns it there: one that is dropped,
/// after an error or in the middle of a statement, is closed at once, and the server rolls back.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    doubts: FaultClock,
}

impl Lease {
    /// Opens a transaction.
    pub(crate) async fn begin(&mut self) -> sqlx::Result<()> {
        self.begin_with("BEGIN").await
    }

    /// Opens a transaction by this statement.
    pub(crate) async fn begin_with(&mut self, statement: &'static str) -> sqlx::Result<()> {
        let begun = tokio::time::timeout(PING_TIMEOUT, self.execute(statement)).await;
        begun.unwrap_or_else(|_| Err(silent(PING_TIMEOUT)))?;
        Ok(())
    }

    /// Commits the open transaction. Waits for the answer as long as the caller does.
    pub(crate) async fn commit(&mut self) -> sqlx::Result<()> {
        self.execute("COMMIT").await?;
        Ok(())
    }

    /// Returns the connection to the pool: everything on it ended well.
    pub(crate) fn give_back(mut self) {
        if let Some(mut connection) = self.connection.take() {
            // The pool asks a connection whether it is alive, and would wait for ever.
            let returning = connection.return_to_pool();
            tokio::spawn(tokio::time::timeout(PING_TIMEOUT, returning));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.doubts.raise();
            drop(connection.detach());
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("it is taken when the lease ends")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it is taken when the lease ends")
    }
}

/// An open transaction, lent to a handler. It can read and write, and can neither commit nor roll
/// back: that is the bus's.
#[derive(Debug)]
pub struct Tx<'t>(&'t mut PgConnection);

impl<'t> Tx<'t> {
    pub(crate) const fn lend(connection: &'t mut PgConnection) -> Self {
        Self(connection)
    }

    /// What `sqlx` executes statements on. A savepoint is made by its statement: `sqlx` does not
    /// know that a transaction is open.
    pub const fn connection(&mut self) -> &mut PgConnection {
        self.0
    }
}

/// Whether the same may well succeed later. Nearly everything may: the server is away, stops, is
/// out of something, refuses us, lacks a table until it is restored. Only what comes of the data
/// itself is a message's own fault: SQLSTATE classes 21 (cardinality), 22 (data), 23 (integrity),
/// P0 (raised by the database's own rules), and values that cannot be written or read. A day of the
/// inbox that is being made is there in a moment.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) if error.constraint() == Some(DAY_TO_COME) => true,
        sqlx::Error::Database(error) => error.code().is_none_or(|code| {
            !matches!(code.get(..2).unwrap_or_default(), "21" | "22" | "23" | "P0")
        }),
        sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::RowNotFound => false,
        _ => true,
    }
}
