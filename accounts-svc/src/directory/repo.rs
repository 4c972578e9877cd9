//! Reads accounts without locking them.

use shared_events::{AccountId, Iban, messaging::Tx};

use super::AccountListing;
use crate::accounts::{
    Account, AccountStatus,
    repo::{AccountRow, read_all},
};

/// The account with this id.
pub(crate) async fn account_by_id_in_tx(
    tx: &mut Tx<'_>,
    id: AccountId,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                branch, version
         FROM accounts WHERE id = $1",
        id.uuid(),
    );
    row.fetch_optional(tx.connection()).await?.map(AccountRow::read).transpose()
}

/// The account with this IBAN.
pub(crate) async fn account_by_iban_in_tx(
    tx: &mut Tx<'_>,
    iban: &Iban,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                branch, version
         FROM accounts WHERE iban = $1",
        iban.as_str(),
    );
    row.fetch_optional(tx.connection()).await?.map(AccountRow::read).transpose()
}

/// The account with this external reference.
pub(crate) async fn account_by_external_reference_in_tx(
    tx: &mut Tx<'_>,
    reference: &str,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                branch, version
         FROM accounts WHERE external_reference = $1",
        reference,
    );
    row.fetch_optional(tx.connection()).await?.map(AccountRow::read).transpose()
}

/// At most `rows_max` accounts of these branches that pass the filters, in the order of ids.
pub(crate) async fn accounts_after_in_tx(
    tx: &mut Tx<'_>,
    listing: &AccountListing,
    branches: Option<&[&str]>,
    rows_max: u32,
) -> sqlx::Result<Vec<Account>> {
    let rows = sqlx::query_as!(
        AccountRow,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                branch, version
         FROM accounts
         WHERE ($1::uuid IS NULL OR id > $1)
           AND ($2::text IS NULL OR status = $2)
           AND ($3::text IS NULL OR starts_with(external_reference, $3))
           AND ($5::text[] IS NULL OR branch = ANY($5))
         ORDER BY id LIMIT $4",
        listing.after.map(AccountId::uuid),
        listing.status.map(AccountStatus::as_str),
        listing.external_reference_prefix.as_deref(),
        i64::from(rows_max),
        branches as _,
    );
    read_all(rows.fetch_all(tx.connection()).await?)
}
