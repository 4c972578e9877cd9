//! What the benchmark asks the bank's databases. Promise: it changes nothing that the bank did.

use chrono::{DateTime, Utc};
use sqlx::{
    Connection, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// When a notification's row was there. The commit's time where the database keeps it
/// (`track_commit_timestamp`), else when the service was about to commit.
const COMMITTED_AT: &str = "CASE WHEN current_setting('track_commit_timestamp') = 'on'
    THEN pg_xact_commit_timestamp(xmin) ELSE created_at END";

/// A few connections to a database.
pub(super) async fn open(url: &str) -> sqlx::Result<PgPool> {
    PgPoolOptions::new().max_connections(4).connect(url).await
}

/// How many notifications of these accounts are there that are not older than `since`.
pub(super) async fn notified(
    notifications: &PgPool,
    accounts: &[Uuid],
    since: Uuid,
) -> sqlx::Result<i64> {
    let count = "SELECT count(*) FROM notifications WHERE account_id = ANY($1) AND id >= $2";
    sqlx::query_scalar(count).bind(accounts).bind(since).fetch_one(notifications).await
}

/// Notifications that are not older than `since`: how many in all, how many of rejections, and how
/// many whose rows came within a time.
pub(super) struct Notified {
    pub(super) all: i64,
    pub(super) rejected: i64,
    pub(super) within: i64,
}

pub(super) async fn all_notified(
    notifications: &PgPool,
    since: Uuid,
    begin: DateTime<Utc>,
    end: DateTime<Utc>,
) -> sqlx::Result<Notified> {
    let count = format!(
        "SELECT count(*), count(*) FILTER (WHERE topic = 'transfer_rejected'),
                count(*) FILTER (WHERE {COMMITTED_AT} >= $2 AND {COMMITTED_AT} < $3)
         FROM notifications WHERE id >= $1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(count)).bind(since).bind(begin).bind(end);
    let row = row.fetch_one(notifications).await?;
    Ok(Notified { all: row.get(0), rejected: row.get(1), within: row.get(2) })
}

/// The size of a database, and how much was ever written to its log, in bytes.
pub(super) async fn sizes(database: &PgPool) -> sqlx::Result<(i64, i64)> {
    let sizes = "SELECT pg_database_size(current_database()),
        (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";
    sqlx::query_as(sizes).fetch_one(database).await
}

/// How many rows wait in the outbox, and how many the inbox keeps.
pub(super) async fn boxes(database: &PgPool) -> sqlx::Result<(i64, i64)> {
    let boxes = "SELECT (SELECT count(*) FROM bus.outbox), (SELECT count(*) FROM bus.inbox)";
    sqlx::query_as(boxes).fetch_one(database).await
}

/// Makes a database on the same server, with a table of texts in it.
pub(super) async fn make_scratch(database: &PgPool) -> sqlx::Result<PgConnection> {
    drop_scratch(database).await?;
    sqlx::query("CREATE DATABASE bench_scratch").execute(database).await?;
    let options = PgConnectOptions::clone(&database.connect_options()).database("bench_scratch");
    let mut scratch = PgConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE commits (body text NOT NULL)").execute(&mut scratch).await?;
    Ok(scratch)
}

pub(super) async fn drop_scratch(database: &PgPool) -> sqlx::Result<()> {
    let drop = "DROP DATABASE IF EXISTS bench_scratch WITH (FORCE)";
    sqlx::query(drop).execute(database).await.map(|_| ())
}

/// One row, one commit.
pub(super) async fn commit(database: &mut PgConnection, body: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO commits VALUES ($1)").bind(body).execute(database).await?;
    Ok(())
}

/// How many accounts the ledger has, and how many holders notifications knows, of those with ids
/// from `first` to `last`.
pub(super) async fn known_accounts(
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

/// Opens accounts at the ledger, with nothing on them and an overdraft that nobody uses up. Those
/// that are there stay as they are.
pub(super) async fn open_accounts(
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
pub(super) async fn know_holders(notifications: &PgPool, ids: &[Uuid]) -> sqlx::Result<()> {
    let know = "INSERT INTO recipients (account_id, name, language, version)
         SELECT id, 'Somebody', 'en', 1 FROM unnest($1::uuid[]) AS new(id)
         ON CONFLICT (account_id) DO NOTHING";
    sqlx::query(know).bind(ids).execute(notifications).await?;
    Ok(())
}
