//! A session of PostgreSQL. Promise: every used connection has its settings and locks for itself; a
//! database that cannot carry the service is distinguished from one that is away.
//!
//! PgBouncer lends a client a session for as long as the client is connected (session mode), or for
//! a transaction (transaction and statement mode): there the relay's lock and the settings would be
//! another client's. PgBouncer refuses parameters at the start of a connection that it does not
//! know, so the first statement makes the settings. The same statement marks the session: one that
//! has the mark before, or lacks it later, is shared. In session mode PgBouncer's
//! server_reset_query takes the mark away before the next client comes.

use std::time::Duration;

use sqlx::{Executor as _, PgConnection, Row as _};

use super::database_fault::silent;

/// The bound for statements without cost (`BEGIN`, a ping); later the connection counts as dead.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// PostgreSQL refuses the login: there is no such role, or its password is another.
const INVALID_AUTHORIZATION: &str = "28";
/// PgBouncer's text for the same refusal, which has the code of a broken protocol.
const POOLER_REFUSES: &str = "SASL authentication failed";
/// The beginning of the driver's error about a password. Its end quotes a character.
const UNFIT_PASSWORD: &str = "Failed to saslprep password";
/// The mark of a session.
const MARK: &str = "ours";
/// Whether the server takes writes, and the session's mark.
const STATE: &str = "SELECT current_setting('transaction_read_only'),
    coalesce(current_setting('bankwire.session', true), '')";
/// The same, then the settings: PostgreSQL computes columns from left to right. With keepalives the
/// server notices a service that lost power, and frees its locks. The last setting ends statements
/// whose client has gone.
const STATE_AND_SETTINGS: &str = "SELECT current_setting('transaction_read_only'),
    coalesce(current_setting('bankwire.session', true), ''),
    set_config('bankwire.session', 'ours', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('idle_in_transaction_session_timeout', '60000', false),
    set_config('statement_timeout', '60000', false),
    set_config('client_connection_check_interval', '1000', false)";

type FaultSource = Box<dyn std::error::Error + Send + Sync>;

/// A database that cannot be used until an operator changes its configuration.
#[derive(Debug, thiserror::Error)]
pub enum UnfitDatabase {
    /// A pooler lends one session to several clients.
    #[error(
        "BANKWIRE_DATABASE__URL names a connection pooler that lends one session to several \
         clients: in PgBouncer set pool_mode = session and keep server_reset_query, or name \
         PostgreSQL itself"
    )]
    SharedSessions,
    /// The driver cannot log in with the password.
    #[error(
        "BANKWIRE_DATABASE__PASSWORD has a character that cannot be used to log in (SCRAM: RFC \
         4013, Unicode 3.2), such as an emoji: give the role another password"
    )]
    Password,
    /// The server refuses the login.
    #[error(
        "the database refuses the role or the password of BANKWIRE_DATABASE__URL and \
         BANKWIRE_DATABASE__PASSWORD"
    )]
    Login(#[source] FaultSource),
    /// The driver cannot use the address.
    #[error("BANKWIRE_DATABASE__URL cannot be followed")]
    Address(#[source] FaultSource),
}

impl UnfitDatabase {
    /// Classifies a fault. Returns the fault itself where waiting may end it.
    pub(super) fn of(fault: sqlx::Error) -> Result<Self, sqlx::Error> {
        match fault {
            sqlx::Error::Configuration(why) => match why.downcast::<Self>() {
                Ok(unfit) => Ok(*unfit),
                Err(why) if why.to_string().starts_with(UNFIT_PASSWORD) => Ok(Self::Password),
                Err(why) => Ok(Self::Address(why)),
            },
            sqlx::Error::Database(answer)
                if answer.code().is_some_and(|code| code.starts_with(INVALID_AUTHORIZATION))
                    || answer.message() == POOLER_REFUSES =>
            {
                Ok(Self::Login(answer.into_error()))
            }
            other => Err(other),
        }
    }
}

impl From<UnfitDatabase> for sqlx::Error {
    fn from(unfit: UnfitDatabase) -> Self {
        Self::Configuration(unfit.into())
    }
}

/// Sets up a connection that was just opened, in one round trip.
pub(super) async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mark = look(connection, STATE_AND_SETTINGS).await?;
    if mark.is_empty() { Ok(()) } else { Err(UnfitDatabase::SharedSessions.into()) }
}

/// Turns off the wait for the disk at this connection's commits.
pub(super) async fn unflush(connection: &mut PgConnection) -> sqlx::Result<()> {
    let set = connection.execute("SET synchronous_commit = off");
    let set = tokio::time::timeout(PING_TIMEOUT, set).await;
    set.unwrap_or_else(|_| Err(silent(PING_TIMEOUT))).map(|_| ())
}

/// Checks that a connection answers, takes writes, and still has its own session.
pub(super) async fn check(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mark = look(connection, STATE).await?;
    if mark == MARK { Ok(()) } else { Err(UnfitDatabase::SharedSessions.into()) }
}

/// The session's mark, if the server takes writes: a primary that became a standby may keep its
/// sessions. Never by a prepared statement, which is the session's.
async fn look(connection: &mut PgConnection, query: &'static str) -> sqlx::Result<String> {
    let asking = sqlx::raw_sql(query).fetch_one(connection);
    let row = tokio::time::timeout(PING_TIMEOUT, asking)
        .await
        .unwrap_or_else(|_| Err(silent(PING_TIMEOUT)))?;
    match row.try_get(0)? {
        "off" => row.try_get(1),
        _ => Err(sqlx::Error::Protocol("the server takes no writes, like a standby".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of an unfit database, or `waits` for a fault that may pass.
    fn classified(fault: sqlx::Error) -> String {
        UnfitDatabase::of(fault).map_or("waits".to_owned(), |unfit| unfit.to_string())
    }

    #[test]
    fn a_session_is_marked_after_its_mark_was_read() {
        assert!(STATE_AND_SETTINGS.starts_with(STATE), "the first columns are the same");
        let marking = format!("set_config('bankwire.session', '{MARK}', false)");
        assert!(STATE_AND_SETTINGS[STATE.len()..].contains(&marking));
    }

    #[test]
    fn faults_that_no_waiting_ends_are_classified() {
        let configuration = |why: &str| sqlx::Error::Configuration(why.into());
        let emoji = "Failed to saslprep password: Error(ProhibitedCharacter('😀'))";
        for (fault, then) in [
            (UnfitDatabase::SharedSessions.into(), "in PgBouncer set pool_mode = session"),
            (configuration(emoji), "BANKWIRE_DATABASE__PASSWORD has a character"),
            (configuration("no keys found pem file"), "BANKWIRE_DATABASE__URL cannot be followed"),
            (silent(PING_TIMEOUT), "waits"),
            (sqlx::Error::PoolTimedOut, "waits"),
        ] {
            let found = classified(fault);
            assert!(found.contains(then) && !found.contains('😀'), "{found}");
        }
    }
}
