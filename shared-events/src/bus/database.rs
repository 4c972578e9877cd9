//! The service's database as the bus uses it. Promise: a fault that passes by itself is never taken
//! for the fault of a message.

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::{
    Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::address::Address;

/// The delivery tables, `bus.inbox` and `bus.outbox`. Run before the service's own migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// One for each consumer, a few for queries.
const CONNECTIONS_MAX: u32 = 12;
/// A database that gives no connection by then is treated as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was used so recently is taken for alive: asking costs each batch a round trip,
/// and a transaction that finds it dead is tried again.
const ASKED_AFTER: Duration = Duration::from_secs(1);

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
pub fn connect_database(address: &Address) -> sqlx::Result<PgPool> {
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
    // A service that lost power must not keep its locks: the server finds out and lets go.
    let options = options.options([
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("idle_in_transaction_session_timeout", "60000"),
        ("statement_timeout", "60000"),
    ]);
    Ok(pool(CONNECTIONS_MAX, options))
}

/// A connection to the same database whose commits are not waited for until they are on the disk.
/// For what is done again if it is lost.
pub(crate) fn unflushed(database: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&database.connect_options());
    pool(1, options.options([("synchronous_commit", "off")]))
}

fn pool(connections_max: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > ASKED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// An open transaction, lent to a handler. It can read and write, and can neither commit nor roll
/// back: that is the bus's.
#[derive(Debug)]
pub struct Tx<'t>(&'t mut PgConnection);

impl<'t> Tx<'t> {
    pub(crate) const fn lend(connection: &'t mut PgConnection) -> Self {
        Self(connection)
    }

    /// What `sqlx` executes statements on.
    pub const fn connection(&mut self) -> &mut PgConnection {
        self.0
    }
}

/// Whether the same may well succeed later. Nearly everything may: the server is away, stops, is
/// out of something, refuses us, lacks a table until it is restored. Only what comes of the data
/// itself is a message's own fault: SQLSTATE classes 21 (cardinality), 22 (data), 23 (integrity),
/// P0 (raised by the database's own rules), and values that cannot be written or read.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
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
