//! The records of operators' commands: principal, request, time, answer, and the messages that left
//! the parked queue by each.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

/// A command that was carried out.
#[derive(Debug)]
pub(super) struct Record<'r> {
    pub(super) command: Uuid,
    /// BLAKE3 of the content.
    pub(super) digest: Vec<u8>,
    pub(super) kind: &'r str,
    pub(super) principal: &'r str,
    pub(super) answer_kind: &'r str,
    pub(super) answer: &'r str,
}

/// The answer to a command that was carried out.
#[derive(Debug)]
pub(super) struct StoredAnswer {
    pub(super) digest: Vec<u8>,
    pub(super) kind: String,
    pub(super) data: String,
}

/// The answer that a command got, if it was carried out.
pub(super) async fn answer_in_tx(
    connection: &mut PgConnection,
    command: Uuid,
) -> sqlx::Result<Option<StoredAnswer>> {
    sqlx::query_as!(
        StoredAnswer,
        "SELECT digest, answer_kind AS kind, answer AS data FROM bus.parked_commands
         WHERE command_id = $1",
        command,
    )
    .fetch_optional(connection)
    .await
}

/// Records a command, and the messages that leave the parked queue by it.
pub(super) async fn record_in_tx(
    connection: &mut PgConnection,
    record: &Record<'_>,
    fingerprints: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO bus.parked_commands
             (command_id, digest, kind, principal, answer_kind, answer)
         VALUES ($1, $2, $3, $4, $5, $6)",
        record.command,
        record.digest,
        record.kind,
        record.principal,
        record.answer_kind,
        record.answer,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO bus.parked_moves (fingerprint, command_id)
         SELECT fingerprint, $1 FROM unnest($2::text[]) AS moved(fingerprint)
         ON CONFLICT (fingerprint) DO NOTHING",
        record.command,
        fingerprints,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The fingerprints of messages that left the parked queue, as far as no whole scan has shown that
/// the broker has their acknowledgements. Few: those of the last commands.
pub(super) async fn moved_in_tx(connection: &mut PgConnection) -> sqlx::Result<HashSet<String>> {
    let moved =
        sqlx::query_scalar!("SELECT fingerprint FROM bus.parked_moves WHERE NOT acknowledged");
    Ok(moved.fetch_all(connection).await?.into_iter().collect())
}

/// Notes that a whole scan met none of these messages. The messages of the last minute are left
/// out: the broker may still hold them for a process that died.
pub(super) async fn gone_in_tx(
    connection: &mut PgConnection,
    fingerprints: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bus.parked_moves SET acknowledged = true FROM bus.parked_commands AS command
         WHERE parked_moves.command_id = command.command_id AND fingerprint = ANY($1)
           AND command.handled_at < now() - interval '1 minute'",
        fingerprints,
    )
    .execute(connection)
    .await?;
    Ok(())
}
