//! The table of changes: the last change of a principal holds.

use serde_json::value::RawValue;
use shared_events::{MessageId, access::Grant, messaging::Tx};
use tracing::warn;

use super::entity::{ChangedBy, CurrentGrants, GrantChanged};

/// The advisory lock under which changes are numbered.
const CHANGING: i64 = 0x6163_6365_7373;

/// Waits until no other transaction changes grants.
pub(super) async fn lock_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", CHANGING).execute(tx.connection()).await?;
    Ok(())
}

/// The last change of each principal.
pub(super) async fn current_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<CurrentGrants> {
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (principal) principal, version, grants
         FROM access_changes ORDER BY principal, version DESC",
    );
    let mut current = CurrentGrants::default();
    for row in rows.fetch_all(tx.connection()).await? {
        // Grants that a newer version wrote: their principal may do nothing here, and the others
        // keep theirs.
        let grants: Vec<Grant> = serde_json::from_str(&row.grants).unwrap_or_else(|error| {
            warn!(principal = row.principal, %error, "grants that cannot be read permit nothing");
            vec![]
        });
        current.version = current.version.max(row.version);
        current.of.insert(row.principal, grants);
    }
    Ok(current)
}

/// Adds a change.
pub(super) async fn insert_in_tx(
    tx: &mut Tx<'_>,
    changed: &GrantChanged,
    grants: &RawValue,
    by: ChangedBy<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO access_changes (version, principal, grants, changed_by, command_id)
         VALUES ($1, $2, $3, $4, $5)",
        changed.version,
        changed.principal,
        grants.get(),
        by.map(|cause| cause.author.principal.as_str()),
        by.and_then(|cause| cause.command_id).map(MessageId::uuid),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
