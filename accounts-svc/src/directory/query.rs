//! Reads one account, or a list of accounts.

use shared_events::{access::Rights, messaging::Tx};

use super::{AccountKey, AccountListing, repo};
use crate::accounts::Account;

/// The account with this key.
pub(crate) async fn find_in_tx(tx: &mut Tx<'_>, key: &AccountKey) -> sqlx::Result<Option<Account>> {
    match key {
        AccountKey::Id(id) => repo::account_by_id_in_tx(tx, *id).await,
        AccountKey::Iban(iban) => repo::account_by_iban_in_tx(tx, iban).await,
        AccountKey::ExternalReference(reference) => {
            repo::account_by_external_reference_in_tx(tx, reference).await
        }
    }
}

/// The accounts of a page that the asker may see, and one more where there is a next page.
pub(crate) async fn list_in_tx(
    tx: &mut Tx<'_>,
    listing: &AccountListing,
    rights: &Rights,
) -> sqlx::Result<Vec<Account>> {
    let branches = rights.branches();
    let branches: Option<Vec<&str>> = branches.map(Vec::from_iter);
    repo::accounts_after_in_tx(tx, listing, branches.as_deref(), listing.limit + 1).await
}
