//! Pages of the history, and of the tables that follow from it.

use shared_events::{AccountId, access::Rights, evidence::StatedEnd, messaging::Tx};

use super::{
    entity::ChainEnd,
    pages::{
        BooksListing, BooksPage, BooksPart, BooksRows, HistoryFinding, HistoryListing, HistoryPage,
    },
    repo, repo_books,
};

/// The number of the one chain in signed statements.
const CHAIN: i16 = 0;

/// The end of the chain, as the service states it. It locks nothing.
pub(crate) async fn stated_ends_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<Vec<StatedEnd>> {
    let ChainEnd { place, hash } = repo::end_in_tx(tx).await?;
    Ok(vec![StatedEnd { chain: CHAIN, place, hash }])
}

/// A page of the history, as far as the asker may see it.
pub(crate) async fn history_in_tx(
    tx: &mut Tx<'_>,
    listing: &HistoryListing,
    rights: &Rights,
) -> sqlx::Result<HistoryFinding> {
    let hidden = match listing.account_id {
        Some(account) => hidden_account_in_tx(tx, account, rights).await?,
        None => rights.branches().map(|_| HistoryFinding::WholeBank),
    };
    if let Some(hidden) = hidden {
        return Ok(hidden);
    }
    let records = repo::page_in_tx(tx, listing).await?;
    let end = repo::end_in_tx(tx).await?;
    Ok(HistoryFinding::Page(HistoryPage { records, end }))
}

/// Why the asker does not see the history of an account, if that is so. An account whose row is
/// gone has a history for those who see all branches.
async fn hidden_account_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    rights: &Rights,
) -> sqlx::Result<Option<HistoryFinding>> {
    let known = repo::known_account_in_tx(tx, account).await?;
    Ok(match known.branch {
        Some(branch) if rights.hold_for_branch(&branch) => None,
        Some(_) => Some(HistoryFinding::OtherBranch(account)),
        None if known.has_records && rights.branches().is_none() => None,
        None => Some(HistoryFinding::UnknownAccount(account)),
    })
}

/// A page of accounts or grants as they are stored, and the end of the history in the same
/// snapshot: a query has one for all its statements.
pub(crate) async fn books_in_tx(
    tx: &mut Tx<'_>,
    listing: &BooksListing,
) -> sqlx::Result<BooksPage> {
    // One more: the first of the next page.
    let rows_max = i64::from(listing.limit) + 1;
    let rows = match &listing.part {
        BooksPart::Accounts(from) => {
            BooksRows::Accounts(repo_books::accounts_in_tx(tx, *from, rows_max).await?)
        }
        BooksPart::Grants(from) => {
            BooksRows::Grants(repo_books::grants_in_tx(tx, from.as_deref(), rows_max).await?)
        }
    };
    Ok(BooksPage { end: repo::end_in_tx(tx).await?, rows })
}
