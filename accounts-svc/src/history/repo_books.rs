//! Accounts and grants as they are stored. Promise: figures and names are read as text, so that an
//! auditor sees impossible values, too.

use shared_events::{AccountId, messaging::Tx};
use uuid::Uuid;

use super::pages::{AccountText, GrantsText};
use crate::holders::Holder;

/// Accounts from an id on, at most `rows_max`, in the order of ids.
pub(super) async fn accounts_in_tx(
    tx: &mut Tx<'_>,
    from: Option<AccountId>,
    rows_max: i64,
) -> sqlx::Result<Vec<AccountText>> {
    let rows = sqlx::query!(
        r#"SELECT id, version, holder_name, holder_email, holder_webhook, holder_language, iban,
                  product, currency, trim_scale(overdraft_limit)::text AS "overdraft_limit!",
                  trim_scale(transfer_limit)::text AS transfer_limit,
                  trim_scale(daily_limit)::text AS daily_limit,
                  trim_scale(monthly_limit)::text AS monthly_limit,
                  trim_scale(minimum_balance)::text AS minimum_balance,
                  blocks, external_reference, branch, status, closing_version
           FROM accounts WHERE id >= $1 ORDER BY id LIMIT $2"#,
        from.map_or(Uuid::nil(), AccountId::uuid),
        rows_max,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| AccountText {
        account_id: AccountId(row.id),
        version: row.version,
        holder: Holder {
            name: row.holder_name,
            email: row.holder_email,
            webhook: row.holder_webhook,
            language: row.holder_language,
        },
        iban: row.iban,
        product: row.product,
        currency: row.currency,
        overdraft_limit: row.overdraft_limit,
        transfer_limit: row.transfer_limit,
        daily_limit: row.daily_limit,
        monthly_limit: row.monthly_limit,
        minimum_balance: row.minimum_balance,
        blocks: row.blocks,
        external_reference: row.external_reference,
        branch: row.branch,
        status: row.status,
        closing_version: row.closing_version,
    });
    Ok(rows.collect())
}

/// The last change of each principal's grants from a name on, at most `rows_max`, in the order of
/// names.
pub(super) async fn grants_in_tx(
    tx: &mut Tx<'_>,
    from: Option<&str>,
    rows_max: i64,
) -> sqlx::Result<Vec<GrantsText>> {
    let rows = sqlx::query_as!(
        GrantsText,
        "SELECT DISTINCT ON (principal) principal, version AS number, grants
         FROM access_changes WHERE principal >= $1 ORDER BY principal, version DESC LIMIT $2",
        from.unwrap_or_default(),
        rows_max,
    );
    rows.fetch_all(tx.connection()).await
}
