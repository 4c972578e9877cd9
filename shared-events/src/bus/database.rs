//! The service's database as the bus uses it. Promise: a fault that passes by itself is never taken
//! for the fault of a message.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use url::Url;

/// The delivery tables, `bus.inbox` and `bus.outbox`. Run before the service's own migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// One for each consumer, a few for queries, one for the relay's deletes.
const CONNECTIONS_MAX: u32 = 12;
/// A database that gives no connection by then is treated as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool on the database at `url` (`postgres://user@host/name`). Connects when first used.
///
/// # Errors
/// When the URL is not one of PostgreSQL's.
pub fn connect_database(url: &Url, password: Option<&SecretString>) -> sqlx::Result<PgPool> {
    let mut options: PgConnectOptions = url.as_str().parse()?;
    if let Some(password) = password {
        options = options.password(password.expose_secret());
    }
    // A server that fell silent without closing the connection must not hold a batch for ever.
    let options = options.options([("tcp_user_timeout", "10000"), ("statement_timeout", "60000")]);
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
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

/// Whether the same statement may well succeed later: the server is away, is stopping, is out of
/// something, or resolved a conflict between transactions at our expense.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // SQLSTATE classes: connection, rollback, resources, intervention, system.
            let class = code.get(..2).unwrap_or_default();
            matches!(class, "08" | "40" | "53" | "57" | "58") || matches!(&*code, "25006" | "55P03")
        }),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
