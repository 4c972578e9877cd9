//! A session of PostgreSQL and what the bus needs of it. Promise: every connection has its settings
//! and its locks for itself, or it is not used; a database that no waiting makes fit is told apart
//! from one that is away.
//!
//! PgBouncer lends a client a session for as long as the client is connected (session mode), or for
//! a transaction (transaction and statement mode): there the relay's lock and the settings would be
//! another client's. PgBouncer refuses parameters at the start of a connection that it does not
//! know, so the first statement makes the settings. The same statement marks the session: one that
//! has the mark before, or lacks it later, is shared. In session mode PgBouncer's
//! server_reset_query takes the mark away before the next client comes.

use std::time::Duration;

use sqlx::{Executor as _, PgConnection, Row as _};

use super::database::silent;

/// What costs the server nothing (`BEGIN`, a ping) is answered by then, or the connection is dead.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// PostgreSQL refuses the login: there is no such role, or its password is another.
const INVALID_AUTHORIZATION: &str = "28";
/// How PgBouncer says the same, under the code of a broken protocol.
const POOLER_REFUSES: &str = "SASL authentication failed";
/// How the driver's complaint about a password begins. Its end shows a character.
const UNFIT_PASSWORD: &str = "Failed to saslprep password";
/// What a session is marked with.
const MARK: &str = "ours";
/// Whether the server takes writes, and the session's mark.
const STATE: &str = "SELECT current_setting('transaction_read_only'),
    coalesce(current_setting('bankwire.session', true), '')";
/// The same, then the settings: columns are worked out from left to right. A service that lost
/// power must not keep its locks: the server finds out and lets go. The last one ends statements
/// that nobody waits for any more.
const STATE_AND_SETTINGS: &str = "SELECT current_setting('transaction_read_only'),
    coalesce(current_setting('bankwire.session', true), ''),
    set_config('bankwire.session', 'ours', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('idle_in_transaction_session_timeout', '60000', false),
    set_config('statement_timeout', '60000', false),
    set_config('client_connection_check_interval', '1000', false)";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a database cannot be used until somebody changes something.
#[derive(Debug, thiserror::Error)]
pub enum UnfitDatabase {
    /// A pooler gives our session to others, or theirs to us.
    #[error(
        "BANKWIRE_DATABASE__URL names a connection pooler that lends one session to several \
         clients: in PgBouncer set pool_mode = session and keep server_reset_query, or name \
         PostgreSQL itself"
    )]
    SharedSessions,
    /// A password that the driver cannot log in with.
    #[error(
        "BANKWIRE_DATABASE__PASSWORD has a character that cannot be used to log in (SCRAM: RFC \
         4013, Unicode 3.2), such as an emoji: give the role another password"
    )]
    Password,
    /// The server does not know us.
    #[error(
        "the database refuses the role or the password of BANKWIRE_DATABASE__URL and \
         BANKWIRE_DATABASE__PASSWORD"
    )]
    Login(#[source] Cause),
    /// The driver cannot follow the address.
    #[error("BANKWIRE_DATABASE__URL cannot be followed")]
    Address(#[source] Cause),
}

impl UnfitDatabase {
    /// What this fault says of the database; the fault itself where waiting may end it.
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

/// Makes the settings of a connection that was just opened, in one round trip.
pub(super) async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mark = look(connection, STATE_AND_SETTINGS).await?;
    if mark.is_empty() { Ok(()) } else { Err(UnfitDatabase::SharedSessions.into()) }
}

/// Commits of this connection are not waited for until they are on the disk.
pub(super) async fn unflush(connection: &mut PgConnection) -> sqlx::Result<()> {
    let set = connection.execute("SET synchronous_commit = off");
    let set = tokio::time::timeout(PING_TIMEOUT, set).await;
    set.unwrap_or_else(|_| Err(silent(PING_TIMEOUT))).map(|_| ())
}

/// Whether a connection answers, lets us write, and has the session that it began.
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
        _ => Err(sqlx::Error::Protocol("the server takes no writes: it is a standby".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a fault, or that it is waited for.
    fn said(fault: sqlx::Error) -> String {
        UnfitDatabase::of(fault).map_or("waits".to_owned(), |unfit| unfit.to_string())
    }

    #[test]
    fn a_session_is_marked_after_its_mark_was_read() {
        assert!(STATE_AND_SETTINGS.starts_with(STATE), "the first columns are the same");
        let marking = format!("set_config('bankwire.session', '{MARK}', false)");
        assert!(STATE_AND_SETTINGS[STATE.len()..].contains(&marking));
    }

    #[test]
    fn what_no_waiting_ends_is_told_apart() {
        let configuration = |why: &str| sqlx::Error::Configuration(why.into());
        let emoji = "Failed to saslprep password: Error(ProhibitedCharacter('😀'))";
        for (fault, then) in [
            (UnfitDatabase::SharedSessions.into(), "in PgBouncer set pool_mode = session"),
            (configuration(emoji), "BANKWIRE_DATABASE__PASSWORD has a character"),
            (configuration("no keys found pem file"), "BANKWIRE_DATABASE__URL cannot be followed"),
            (silent(PING_TIMEOUT), "waits"),
            (sqlx::Error::PoolTimedOut, "waits"),
        ] {
            let found = said(fault);
            assert!(found.contains(then) && !found.contains('😀'), "{found}");
        }
    }
}
