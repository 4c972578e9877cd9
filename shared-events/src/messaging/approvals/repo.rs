//! The table `bus.approvals`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tracing::warn;
use uuid::Uuid;

use super::{
    batch::{ApprovalUpdates, WaitingCommands},
    record::{ApprovalRecord, SetAsideContent},
};
use crate::{
    approvals::ApprovalState,
    ids::{CorrelationId, MessageId},
};

/// The commands that a round of the job ends, and those that it gives back.
const EXPIRED_MAX: i64 = 100;
const RETURNED_MAX: i64 = 16;

struct Row {
    command_id: Uuid,
    digest: Vec<u8>,
    kind: String,
    principal: String,
    actor: Option<String>,
    edited_by: Option<String>,
    correlation_id: Uuid,
    needs: String,
    requested_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
    state: String,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    queue: String,
    content_type: String,
    body: Option<Vec<u8>>,
}

impl Row {
    fn record(self) -> sqlx::Result<ApprovalRecord> {
        let unreadable = |what: &str| sqlx::Error::Decode(format!("{what} of an approval").into());
        let (queue, content_type, body) = (self.queue, self.content_type, self.body);
        Ok(ApprovalRecord {
            command: MessageId(self.command_id),
            digest: self.digest,
            kind: self.kind,
            principal: self.principal,
            actor: self.actor,
            edited_by: self.edited_by,
            correlation: CorrelationId(self.correlation_id),
            needs: serde_json::from_str(&self.needs).map_err(|_| unreadable("needs"))?,
            requested_at: self.requested_at,
            deadline: self.deadline,
            state: ApprovalState::from_code(&self.state).ok_or_else(|| unreadable("state"))?,
            decided_by: self.decided_by,
            decided_at: self.decided_at,
            reason: self.reason,
            content: SetAsideContent { queue, content_type, body },
        })
    }
}

/// The records of these rows. A row that cannot be read stops no other: a later version has written
/// it, and will handle it.
fn readable(rows: Vec<Row>) -> Vec<ApprovalRecord> {
    let read = |row: Row| {
        let command = row.command_id;
        let unreadable = |error: &sqlx::Error| {
            warn!(command.id = %command, %error, "the record of an approval cannot be read");
        };
        row.record().inspect_err(unreadable).ok()
    };
    rows.into_iter().filter_map(read).collect()
}

async fn known(connection: &mut PgConnection, commands: &[Uuid]) -> sqlx::Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
                requested_at, deadline, state, decided_by, decided_at, reason, queue, content_type,
                NULL::bytea AS "body?"
         FROM bus.approvals WHERE command_id = ANY($1)"#,
        commands,
    );
    rows.fetch_all(connection).await
}

/// What became of these commands, as far as they were set aside; without their bodies.
pub(crate) async fn known_in_tx(
    connection: &mut PgConnection,
    commands: &[Uuid],
) -> sqlx::Result<Vec<ApprovalRecord>> {
    known(connection, commands).await?.into_iter().map(Row::record).collect()
}

/// The number and the bytes of the waiting commands of these principals.
pub(crate) async fn waiting_in_tx(
    connection: &mut PgConnection,
    principals: &[String],
) -> sqlx::Result<HashMap<String, WaitingCommands>> {
    let rows = sqlx::query!(
        r#"SELECT principal, count(*) AS "commands!",
                coalesce(sum(octet_length(body)), 0)::bigint AS "bytes!"
         FROM bus.approvals WHERE principal = ANY($1) AND state = 'waiting' GROUP BY principal"#,
        principals,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows
        .map(|row| (row.principal, WaitingCommands { commands: row.commands, bytes: row.bytes }))
        .collect())
}

/// Stores what a batch has set aside, and what it has handled. A command that another transaction
/// has set aside meanwhile is a transient fault.
pub(crate) async fn store_in_tx(
    connection: &mut PgConnection,
    updates: &ApprovalUpdates,
) -> sqlx::Result<()> {
    let new = &updates.set_aside;
    if !new.is_empty() {
        let needs = |record: &ApprovalRecord| {
            serde_json::to_string(&record.needs).expect("needs write plain JSON")
        };
        let bodies: Vec<Option<&[u8]>> =
            new.iter().map(|record| record.content.body.as_deref()).collect();
        sqlx::query!(
            "INSERT INTO bus.approvals
                 (command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
                  requested_at, deadline, state, queue, content_type, body)
             SELECT command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
                 requested_at, deadline, 'waiting', queue, content_type, body
             FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::uuid[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[],
                      $12::text[], $13::bytea[])
                  AS new(command_id, digest, kind, principal, actor, edited_by, correlation_id,
                      needs, requested_at, deadline, queue, content_type, body)
             ORDER BY command_id",
            &Vec::from_iter(new.iter().map(|record| record.command.uuid())),
            &Vec::from_iter(new.iter().map(|record| record.digest.as_slice())) as _,
            &Vec::from_iter(new.iter().map(|record| record.kind.as_str())) as _,
            &Vec::from_iter(new.iter().map(|record| record.principal.as_str())) as _,
            &Vec::from_iter(new.iter().map(|record| record.actor.as_deref())) as _,
            &Vec::from_iter(new.iter().map(|record| record.edited_by.as_deref())) as _,
            &Vec::from_iter(new.iter().map(|record| record.correlation.0)),
            &Vec::from_iter(new.iter().map(needs)),
            &Vec::from_iter(new.iter().map(|record| record.requested_at)),
            &Vec::from_iter(new.iter().map(|record| record.deadline)),
            &Vec::from_iter(new.iter().map(|record| record.content.queue.as_str())) as _,
            &Vec::from_iter(new.iter().map(|record| record.content.content_type.as_str())) as _,
            &bodies as _,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !updates.handled.is_empty() {
        sqlx::query!(
            "UPDATE bus.approvals SET state = 'handled', body = NULL
             WHERE command_id = ANY($1) AND state = 'approved'",
            &updates.handled,
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// A command with its content, locked until the end of the transaction.
pub(super) async fn find_in_tx(
    connection: &mut PgConnection,
    command: Uuid,
) -> sqlx::Result<Option<ApprovalRecord>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
                requested_at, deadline, state, decided_by, decided_at, reason, queue, content_type,
                body
         FROM bus.approvals WHERE command_id = $1 FOR UPDATE",
        command,
    );
    row.fetch_optional(connection).await?.map(Row::record).transpose()
}

/// Stores the decision about a waiting command.
pub(super) async fn decide_in_tx(
    connection: &mut PgConnection,
    record: &ApprovalRecord,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bus.approvals SET state = $2, decided_by = $3, decided_at = $4, reason = $5,
             body = CASE WHEN $2 = 'approved' THEN body END
         WHERE command_id = $1 AND state = 'waiting'",
        record.command.uuid(),
        record.state.as_str(),
        record.decided_by,
        record.decided_at,
        record.reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends commands that nobody has approved before their deadline.
pub(super) async fn expire_in_tx(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ApprovalRecord>> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE bus.approvals SET state = 'expired', decided_at = $1, body = NULL
         WHERE command_id = ANY(ARRAY(
             SELECT command_id FROM bus.approvals WHERE state = 'waiting' AND deadline < $1
             ORDER BY deadline LIMIT $2 FOR UPDATE SKIP LOCKED))
         RETURNING command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
             requested_at, deadline, state, decided_by, decided_at, reason, queue, content_type,
             body",
        now,
        EXPIRED_MAX,
    );
    Ok(readable(rows.fetch_all(connection).await?))
}

/// Approved commands that were not given back to their queues, the oldest first.
pub(super) async fn to_return_in_tx(
    connection: &mut PgConnection,
) -> sqlx::Result<Vec<ApprovalRecord>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT command_id, digest, kind, principal, actor, edited_by, correlation_id, needs,
                requested_at, deadline, state, decided_by, decided_at, reason, queue, content_type,
                body
         FROM bus.approvals WHERE state = 'approved' AND returned_at IS NULL
         ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED",
        RETURNED_MAX,
    );
    Ok(readable(rows.fetch_all(connection).await?))
}

/// Notes that the broker has these commands in their queues.
pub(super) async fn returned_in_tx(
    connection: &mut PgConnection,
    commands: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bus.approvals SET returned_at = $2, body = NULL WHERE command_id = ANY($1)",
        commands,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The place of a command in the order in which commands were set aside.
pub(super) async fn number_in_tx(
    connection: &mut PgConnection,
    command: Uuid,
) -> sqlx::Result<Option<i64>> {
    let number =
        sqlx::query_scalar!("SELECT number FROM bus.approvals WHERE command_id = $1", command);
    number.fetch_optional(connection).await
}

/// The places after this one, in the order in which commands were set aside, with their records;
/// without bodies, and `None` where a record cannot be read.
pub(super) async fn after_in_tx(
    connection: &mut PgConnection,
    number: i64,
    state: Option<ApprovalState>,
    limit: i64,
) -> sqlx::Result<Vec<(i64, Option<ApprovalRecord>)>> {
    let places = sqlx::query!(
        "SELECT number, command_id FROM bus.approvals
         WHERE number > $1 AND ($2::text IS NULL OR state = $2) ORDER BY number LIMIT $3",
        number,
        state.map(ApprovalState::as_str),
        limit,
    );
    let places = places.fetch_all(&mut *connection).await?;
    let ids: Vec<Uuid> = places.iter().map(|place| place.command_id).collect();
    let records = readable(known(connection, &ids).await?).into_iter();
    let mut records: HashMap<Uuid, ApprovalRecord> =
        records.map(|record| (record.command.uuid(), record)).collect();
    let found = places.into_iter().map(|place| (place.number, records.remove(&place.command_id)));
    Ok(found.collect())
}
