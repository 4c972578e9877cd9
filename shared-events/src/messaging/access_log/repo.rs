//! The table `bus.access_log`, one function for each statement.

use std::num::NonZeroU16;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entry::Entry;
use crate::{
    access_log::{AccessLogEntry, AccessOutcome},
    code::Open,
    ids::{AccessEntryId, MessageId},
    messaging::database::{Database, in_time},
};

/// How many days have their table in advance.
const DAYS_AHEAD: i32 = 7;

/// Entries between two ids, without both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) after: Uuid,
    pub(super) before: Uuid,
}

/// Stores entries. An entry that is there already, after a commit whose answer was lost, stays.
pub(super) async fn insert(connection: &mut PgConnection, entries: &[Entry]) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO bus.access_log
                 (entry_id, asked_at, query_id, query_type, principal, actor, subject, outcome)
             SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[],
                 $5::text[], $6::text[], $7::text[], $8::text[])
             ON CONFLICT (entry_id) DO NOTHING",
        &Vec::from_iter(entries.iter().map(|entry| entry.id)),
        &Vec::from_iter(entries.iter().map(|entry| entry.asked_at)),
        &Vec::from_iter(entries.iter().map(|entry| entry.query)) as _,
        &Vec::from_iter(entries.iter().map(|entry| entry.kind.as_str())) as _,
        &Vec::from_iter(entries.iter().map(|entry| entry.principal.as_str())) as _,
        &Vec::from_iter(entries.iter().map(|entry| entry.actor.as_deref())) as _,
        &Vec::from_iter(entries.iter().map(|entry| entry.subject.as_deref())) as _,
        &Vec::from_iter(entries.iter().map(|entry| entry.outcome.as_str())) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the tables of the days to come, and drops those of the days before the kept ones. Returns
/// how many were dropped.
pub(crate) async fn keep_days(database: &Database, kept: NonZeroU16) -> sqlx::Result<u64> {
    let mut all = 0;
    loop {
        let mut lease = database.lease().await?;
        let keep = sqlx::query_scalar!(
            r#"SELECT bus.keep_access_log($1, $2) AS "dropped!""#,
            DAYS_AHEAD,
            i32::from(kept.get()),
        );
        let dropped = in_time(keep.fetch_one(&mut *lease)).await?;
        lease.give_back();
        all += u64::from(dropped.unsigned_abs());
        if dropped == 0 {
            return Ok(all);
        }
    }
}

/// The size of the log with its indexes, in bytes.
pub(crate) async fn bytes(database: &Database) -> sqlx::Result<f64> {
    let mut lease = database.lease().await?;
    let bytes = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::float8 AS "bytes!"
           FROM pg_inherits WHERE inhparent = 'bus.access_log'::regclass"#,
    );
    let bytes = in_time(bytes.fetch_one(&mut *lease)).await?;
    lease.give_back();
    Ok(bytes)
}

struct Row {
    entry_id: Uuid,
    asked_at: DateTime<Utc>,
    query_id: Option<Uuid>,
    query_type: String,
    principal: String,
    actor: Option<String>,
    subject: Option<String>,
    outcome: String,
}

impl Row {
    fn entry(self) -> sqlx::Result<AccessLogEntry> {
        let outcome: Result<Open<AccessOutcome>, _> = Open::parse(&self.outcome);
        Ok(AccessLogEntry {
            entry_id: AccessEntryId(self.entry_id),
            asked_at: self.asked_at,
            principal: self.principal,
            actor: self.actor,
            query_id: self.query_id.map(MessageId),
            query_type: self.query_type,
            subject: self.subject,
            outcome: outcome.map_err(|error| sqlx::Error::Decode(error.into()))?,
        })
    }
}

fn entries(rows: Vec<Row>) -> sqlx::Result<Vec<AccessLogEntry>> {
    rows.into_iter().map(Row::entry).collect()
}

/// The queries about a subject, of one principal or of all.
pub(super) async fn about_in_tx(
    connection: &mut PgConnection,
    between: Between,
    (subject, principal): (&str, Option<&str>),
    limit: i64,
) -> sqlx::Result<Vec<AccessLogEntry>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT entry_id, asked_at, query_id, query_type, principal, actor, subject, outcome
         FROM bus.access_log
         WHERE subject = $1 AND ($2::text IS NULL OR principal = $2)
             AND entry_id > $3 AND entry_id < $4
         ORDER BY entry_id LIMIT $5",
        subject,
        principal,
        between.after,
        between.before,
        limit,
    );
    entries(rows.fetch_all(connection).await?)
}

/// The queries of a principal.
pub(super) async fn of_principal_in_tx(
    connection: &mut PgConnection,
    between: Between,
    principal: &str,
    limit: i64,
) -> sqlx::Result<Vec<AccessLogEntry>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT entry_id, asked_at, query_id, query_type, principal, actor, subject, outcome
         FROM bus.access_log
         WHERE principal = $1 AND entry_id > $2 AND entry_id < $3
         ORDER BY entry_id LIMIT $4",
        principal,
        between.after,
        between.before,
        limit,
    );
    entries(rows.fetch_all(connection).await?)
}

/// All queries.
pub(super) async fn all_in_tx(
    connection: &mut PgConnection,
    between: Between,
    limit: i64,
) -> sqlx::Result<Vec<AccessLogEntry>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT entry_id, asked_at, query_id, query_type, principal, actor, subject, outcome
         FROM bus.access_log
         WHERE entry_id > $1 AND entry_id < $2
         ORDER BY entry_id LIMIT $3",
        between.after,
        between.before,
        limit,
    );
    entries(rows.fetch_all(connection).await?)
}
