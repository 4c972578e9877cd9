//! The benchmark's statements in the bank's databases. Promise: no row of the bank's own work is
//! changed.

use chrono::{DateTime, Utc};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolCopyExt, PgPoolOptions},
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// When a notification's row was there. The commit's time where the database keeps it
/// (`track_commit_timestamp`), else when the service was about to commit.
const COMMITTED_AT: &str = "CASE WHEN current_setting('track_commit_timestamp') = 'on'
    THEN pg_xact_commit_timestamp(xmin) ELSE created_at END";

/// A few connections to a database.
pub(crate) async fn open(url: &str) -> sqlx::Result<PgPool> {
    PgPoolOptions::new().max_connections(4).connect(url).await
}

/// How many notifications of these accounts are there that are not older than `from`, and older
/// than `until`. Account by account, or the server may look through all that is new instead, many
/// times a second.
pub(crate) async fn notified(
    notifications: &PgPool,
    accounts: &[Uuid],
    from: Uuid,
    until: Uuid,
) -> sqlx::Result<i64> {
    let count = "SELECT coalesce(sum(here), 0)::bigint FROM unnest($1::uuid[]) AS watched,
         LATERAL (SELECT count(*) AS here FROM notifications
                  WHERE account_id = watched AND id >= $2 AND id < $3) AS of_account";
    let count = sqlx::query_scalar(count).bind(accounts).bind(from).bind(until);
    count.fetch_one(notifications).await
}

/// How many notifications are not older than `since`, and how many of them are of rejections.
pub(crate) async fn all_notified(notifications: &PgPool, since: Uuid) -> sqlx::Result<(i64, i64)> {
    let count = "SELECT count(*), count(*) FILTER (WHERE topic = 'transfer_rejected')
         FROM notifications WHERE id >= $1";
    sqlx::query_as(count).bind(since).fetch_one(notifications).await
}

/// How many of them came within a time.
pub(crate) async fn came_within(
    notifications: &PgPool,
    since: Uuid,
    (begin, end): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<i64> {
    let count = format!(
        "SELECT count(*)
         FROM (SELECT {COMMITTED_AT} AS at FROM notifications WHERE id >= $1) AS seen
         WHERE at >= $2 AND at < $3"
    );
    let count = sqlx::query_scalar(AssertSqlSafe(count)).bind(since).bind(begin).bind(end);
    count.fetch_one(notifications).await
}

/// When the notifications of each command were there, of commands since `since`: of several the
/// last.
pub(crate) async fn committed(
    notifications: &PgPool,
    since: Uuid,
) -> sqlx::Result<Vec<(Uuid, DateTime<Utc>)>> {
    let committed = format!(
        "SELECT correlation_id, max({COMMITTED_AT}) FROM notifications WHERE id >= $1
         GROUP BY correlation_id"
    );
    sqlx::query_as(AssertSqlSafe(committed)).bind(since).fetch_all(notifications).await
}

/// Whether [`committed`] tells the time of the commit.
pub(crate) async fn tracks_commits(notifications: &PgPool) -> sqlx::Result<bool> {
    let setting = "SELECT current_setting('track_commit_timestamp') = 'on'";
    sqlx::query_scalar(setting).fetch_one(notifications).await
}

/// The size of a database, and how much was ever written to its log, in bytes.
pub(crate) async fn sizes(database: &PgPool) -> sqlx::Result<(i64, i64)> {
    let sizes = "SELECT pg_database_size(current_database()),
        (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";
    sqlx::query_as(sizes).fetch_one(database).await
}

/// How many rows wait in the outbox, and how many the inbox keeps.
pub(crate) async fn boxes(database: &PgPool) -> sqlx::Result<(i64, i64)> {
    let boxes = "SELECT (SELECT count(*) FROM bus.outbox), (SELECT count(*) FROM bus.inbox)";
    sqlx::query_as(boxes).fetch_one(database).await
}

/// Makes a database on the same server, with a table of texts in it.
pub(crate) async fn make_scratch(database: &PgPool) -> sqlx::Result<PgConnection> {
    drop_scratch(database).await?;
    sqlx::query("CREATE DATABASE bench_scratch").execute(database).await?;
    let options = PgConnectOptions::clone(&database.connect_options()).database("bench_scratch");
    let mut scratch = PgConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE commits (body text NOT NULL)").execute(&mut scratch).await?;
    Ok(scratch)
}

pub(crate) async fn drop_scratch(database: &PgPool) -> sqlx::Result<()> {
    let drop = "DROP DATABASE IF EXISTS bench_scratch WITH (FORCE)";
    sqlx::query(drop).execute(database).await.map(|_| ())
}

/// One row, one commit.
pub(crate) async fn commit(database: &mut PgConnection, body: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO commits VALUES ($1)").bind(body).execute(database).await?;
    Ok(())
}

/// The number of accounts in the ledger, and of holders in notifications, with ids from `first` to
/// `last`.
pub(crate) async fn known_accounts(
    ledger: &PgPool,
    notifications: &PgPool,
    (first, last): (Uuid, Uuid),
) -> sqlx::Result<(i64, i64)> {
    let accounts = "SELECT count(*) FROM accounts WHERE id BETWEEN $1 AND $2";
    let holders = "SELECT count(*) FROM recipients WHERE account_id BETWEEN $1 AND $2";
    let accounts = sqlx::query_scalar(accounts).bind(first).bind(last).fetch_one(ledger).await?;
    let holders = sqlx::query_scalar(holders).bind(first).bind(last);
    Ok((accounts, holders.fetch_one(notifications).await?))
}

/// Opens accounts at the ledger, with a balance of zero and an overdraft that nobody exhausts.
/// Existing accounts stay as they are.
pub(crate) async fn open_accounts(
    ledger: &PgPool,
    ids: &[Uuid],
    currency: &str,
) -> sqlx::Result<()> {
    let open = "INSERT INTO accounts (id, currency, status, overdraft_limit, posted_debits,
             posted_credits, pending_debits, pending_credits, version, followed_status,
             followed_limit)
         SELECT id, $2, 'active', 1000000000, 0, 0, 0, 0, 1, 1, 1 FROM unnest($1::uuid[]) AS new(id)
         ON CONFLICT (id) DO NOTHING";
    sqlx::query(open).bind(ids).bind(currency).execute(ledger).await?;
    Ok(())
}

/// Makes the holders of these accounts known to notifications, without any address.
pub(crate) async fn know_holders(notifications: &PgPool, ids: &[Uuid]) -> sqlx::Result<()> {
    let know = "INSERT INTO recipients (account_id, name, language, version)
         SELECT id, 'Somebody', 'en', 1 FROM unnest($1::uuid[]) AS new(id)
         ON CONFLICT (account_id) DO NOTHING";
    sqlx::query(know).bind(ids).execute(notifications).await?;
    Ok(())
}

/// Runs a `COPY ... FROM STDIN`, in the text format, of the rows that come.
pub(crate) async fn copy(
    database: &PgPool,
    statement: &str,
    mut rows: mpsc::Receiver<String>,
) -> sqlx::Result<u64> {
    let mut copy = database.copy_in_raw(statement).await?;
    while let Some(rows) = rows.recv().await {
        copy.send(rows.as_bytes()).await?;
    }
    copy.finish().await
}

/// Says where the journal's chains end.
pub(crate) async fn end_chains(ledger: &PgPool, ends: &[(i64, Vec<u8>)]) -> sqlx::Result<()> {
    let end = "UPDATE chains SET place = $2, hash = $3 WHERE chain = $1";
    for (chain, (place, hash)) in (0_i16..).zip(ends) {
        sqlx::query(end).bind(chain).bind(place).bind(hash).execute(ledger).await?;
    }
    Ok(())
}

/// Does now what the database would do later, beside the measurement.
pub(crate) async fn tidy_up(database: &PgPool) -> sqlx::Result<()> {
    sqlx::query("VACUUM ANALYZE").execute(database).await?;
    sqlx::query("CHECKPOINT").execute(database).await.map(|_| ())
}

/// The database in which others are renamed.
pub(crate) async fn maintenance(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    PgConnection::connect_with(&options.database("postgres")).await
}

pub(crate) async fn exists(server: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(exists).bind(name).fetch_one(server).await
}

pub(crate) async fn rename(server: &mut PgConnection, from: &str, to: &str) -> sqlx::Result<()> {
    let rename = format!(r#"ALTER DATABASE "{from}" RENAME TO "{to}""#);
    sqlx::query(AssertSqlSafe(rename)).execute(server).await.map(|_| ())
}

/// A new database of `owner`, as empty as `template` is.
pub(crate) async fn create(
    server: &mut PgConnection,
    name: &str,
    owner: &str,
    template: &str,
) -> sqlx::Result<()> {
    let create = format!(r#"CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE "{template}""#);
    sqlx::query(AssertSqlSafe(create)).execute(server).await.map(|_| ())
}

pub(crate) async fn remove(server: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let drop = format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#);
    sqlx::query(AssertSqlSafe(drop)).execute(server).await.map(|_| ())
}
