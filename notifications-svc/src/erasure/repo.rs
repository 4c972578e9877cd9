//! Erased recipients, and what they were told. Promise: rows are locked in the order of their ids.

use std::collections::HashMap;

use shared_events::{AccountId, messaging::Tx};
use uuid::Uuid;

use super::entity::ErasedHolder;

/// What stands in place of an erased name. The contract has the name, too.
const ERASED_NAME: &str = "erased";

/// Waits for all transactions that have read a recipient, among them those that make notifications.
/// Others wait until this one ends, so it gives up after two seconds and is attempted again.
pub(super) async fn exclude_notifications_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    let lock = "SET LOCAL lock_timeout = '2s'; LOCK TABLE recipients IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(tx.connection()).await?;
    Ok(())
}

/// Locks all deliveries of these accounts. Returns their number.
pub(super) async fn lock_deliveries_in_tx(tx: &mut Tx<'_>, accounts: &[Uuid]) -> sqlx::Result<i64> {
    let locked = sqlx::query_scalar!(
        r#"WITH locked AS MATERIALIZED (
               SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id
               WHERE n.account_id = ANY($1) ORDER BY d.id FOR UPDATE OF d
           )
           SELECT count(*) AS "count!" FROM locked"#,
        accounts,
    );
    locked.fetch_one(tx.connection()).await
}

/// Leaves recipients without name, IBAN, addresses, keys and preferences; the branch stays. An
/// account that is not known here yet gets such a recipient, too. The holders are in the order of
/// account ids, each once.
pub(super) async fn erase_recipients_in_tx(
    tx: &mut Tx<'_>,
    erased: &[ErasedHolder],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = erased.iter().map(|holder| holder.account_id.uuid()).collect();
    let versions: Vec<i64> = erased.iter().map(|holder| holder.version).collect();
    sqlx::query!(
        "INSERT INTO recipients AS known (account_id, name, language, version, erased)
         SELECT account_id, $3, 'en', version, true
         FROM unnest($1::uuid[], $2::bigint[]) AS new(account_id, version)
         ON CONFLICT (account_id) DO UPDATE SET
             name = EXCLUDED.name, language = EXCLUDED.language, erased = true,
             version = greatest(known.version, EXCLUDED.version),
             iban = NULL, email = NULL, webhook = NULL, webhook_gone = NULL,
             webhook_key = NULL, webhook_key_before = NULL, webhook_key_before_until = NULL,
             wants_email = EXCLUDED.wants_email, wants_webhook = EXCLUDED.wants_webhook,
             topics = EXCLUDED.topics, preferences_at = NULL",
        &ids,
        &versions,
        ERASED_NAME,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Deletes the attempts of all deliveries of these accounts.
pub(super) async fn delete_attempts_in_tx(tx: &mut Tx<'_>, accounts: &[Uuid]) -> sqlx::Result<()> {
    let deleted = sqlx::query!(
        "DELETE FROM attempts WHERE delivery_id IN (
             SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id
             WHERE n.account_id = ANY($1))",
        accounts,
    );
    deleted.execute(tx.connection()).await?;
    Ok(())
}

/// Deletes all deliveries of these accounts.
pub(super) async fn delete_deliveries_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[Uuid],
) -> sqlx::Result<()> {
    let deleted = sqlx::query!(
        "DELETE FROM deliveries WHERE notification_id IN (
             SELECT id FROM notifications WHERE account_id = ANY($1))",
        accounts,
    );
    deleted.execute(tx.connection()).await?;
    Ok(())
}

/// Deletes all notifications of these accounts. Returns how many of each account.
pub(super) async fn delete_notifications_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[Uuid],
) -> sqlx::Result<HashMap<AccountId, u64>> {
    let rows = sqlx::query!(
        r#"WITH found AS MATERIALIZED (
               SELECT id FROM notifications WHERE account_id = ANY($1) ORDER BY id FOR UPDATE
           ), deleted AS (
               DELETE FROM notifications n USING found WHERE n.id = found.id RETURNING n.account_id
           )
           SELECT account_id, count(*) AS "count!" FROM deleted GROUP BY account_id"#,
        accounts,
    )
    .fetch_all(tx.connection())
    .await?;
    let count_of = |count: i64| u64::try_from(count).unwrap_or_default();
    Ok(rows.into_iter().map(|row| (AccountId(row.account_id), count_of(row.count))).collect())
}
