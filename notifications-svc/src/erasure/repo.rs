//! The recipient of an erased holder, and the notifications that are deleted.

use shared_events::{AccountId, messaging::Tx};

use super::entity::ErasedHolder;

/// What stands in place of an erased name.
const ERASED_NAME: &str = "erased";

/// Leaves a recipient without name, addresses and keys. The row stays with the version of the
/// erasure, also where the account was not known: of two descriptions the newer one wins.
pub(super) async fn erase_recipient_in_tx(
    tx: &mut Tx<'_>,
    erased: ErasedHolder,
) -> sqlx::Result<()> {
    let stored = sqlx::query!(
        "INSERT INTO recipients AS known (account_id, name, language, version)
         VALUES ($1, $2, 'en', $3)
         ON CONFLICT (account_id) DO UPDATE SET
             name = EXCLUDED.name, language = EXCLUDED.language, version = EXCLUDED.version,
             email = NULL, webhook = NULL, webhook_gone = NULL, webhook_key = NULL,
             webhook_key_before = NULL, webhook_key_before_until = NULL
         WHERE EXCLUDED.version > known.version",
        erased.account_id.uuid(),
        ERASED_NAME,
        erased.version,
    );
    stored.execute(tx.connection()).await?;
    Ok(())
}

/// Deletes all notifications of an account, with deliveries and attempts. Waits for deliveries that
/// are being settled at the moment.
pub(super) async fn delete_notifications_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
) -> sqlx::Result<u64> {
    let account = account_id.uuid();
    let attempts = sqlx::query!(
        "DELETE FROM attempts WHERE delivery_id IN (
             SELECT d.id FROM deliveries d JOIN notifications n ON n.id = d.notification_id
             WHERE n.account_id = $1 ORDER BY d.id FOR UPDATE OF d)",
        account,
    );
    attempts.execute(tx.connection()).await?;
    let deliveries = sqlx::query!(
        "DELETE FROM deliveries WHERE notification_id IN (
             SELECT id FROM notifications WHERE account_id = $1)",
        account,
    );
    deliveries.execute(tx.connection()).await?;
    let deleted = sqlx::query!("DELETE FROM notifications WHERE account_id = $1", account);
    Ok(deleted.execute(tx.connection()).await?.rows_affected())
}
