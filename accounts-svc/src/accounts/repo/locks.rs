//! The rows that a batch decides on, locked.

use shared_events::{AccountId, messaging::Tx};
use uuid::Uuid;

use super::row::{AccountRow, read_all};
use crate::accounts::entity::Account;

/// Loads the accounts with these ids that exist, and locks their rows until the transaction ends,
/// in the order of ids, so that two batches cannot deadlock.
pub(crate) async fn lock_accounts_in_tx(
    tx: &mut Tx<'_>,
    ids: &[AccountId],
) -> sqlx::Result<Vec<Account>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        AccountRow,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                branch, version
         FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        &ids,
    );
    read_all(rows.fetch_all(tx.connection()).await?)
}

/// Those of these accounts that have not changed for so many days.
pub(crate) async fn unchanged_for_in_tx(
    tx: &mut Tx<'_>,
    ids: &[AccountId],
    days: u16,
) -> sqlx::Result<Vec<AccountId>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let unchanged = sqlx::query_scalar!(
        "SELECT id FROM accounts
         WHERE id = ANY($1) AND changed_at <= now() - make_interval(days => $2)",
        &ids,
        i32::from(days),
    );
    let unchanged = unchanged.fetch_all(tx.connection()).await?;
    Ok(unchanged.into_iter().map(AccountId).collect())
}

/// Finds the external references that are taken.
pub(crate) async fn taken_references_in_tx(
    tx: &mut Tx<'_>,
    references: &[&str],
) -> sqlx::Result<Vec<String>> {
    let taken = sqlx::query_scalar!(
        r#"SELECT external_reference AS "external_reference!" FROM accounts
           WHERE external_reference = ANY($1)"#,
        references as _,
    );
    taken.fetch_all(tx.connection()).await
}
