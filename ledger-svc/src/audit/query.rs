//! Pages of the journal, and of the state that follows from it.

use shared_events::{messaging::Tx, refusal::MessageRefused};
use uuid::Uuid;

use super::{
    entity::{ChainedRecord, JournalPage, Snapshot, SnapshotPart, SnapshotRows},
    repo_journal, repo_snapshot,
};
use crate::{
    journal::{self, CHAINS},
    refusals::QueryError,
    statements::query::page_limit,
};

/// The most records of a page.
pub(crate) const JOURNAL_PAGE_MAX: u32 = 500;
/// The most rows of a page of the state.
pub(crate) const SNAPSHOT_PAGE_MAX: u32 = 1_000;

/// A page of one chain after a sequence. `size` is a record's size in the contract's message.
pub(crate) async fn journal(
    tx: &mut Tx<'_>,
    chain: u8,
    (after, limit): (Option<i64>, Option<u32>),
    size: fn(&ChainedRecord) -> usize,
) -> Result<JournalPage, QueryError> {
    let limit = page_limit(limit, JOURNAL_PAGE_MAX)?;
    if chain >= CHAINS {
        let rule = format!("0 to {}", CHAINS - 1);
        return Err(MessageRefused::invalid("chain", rule).into());
    }
    Ok(repo_journal::page(tx, chain, (after.unwrap_or(0), limit), size).await?)
}

/// A page of a part of the state, from an id on.
pub(crate) async fn snapshot(
    tx: &mut Tx<'_>,
    part: SnapshotPart,
    (from, limit): (Option<Uuid>, Option<u32>),
) -> Result<Snapshot, QueryError> {
    let limit = page_limit(limit, SNAPSHOT_PAGE_MAX)?;
    let from = from.unwrap_or(Uuid::nil());
    // One more: the first of the next page.
    let most = i64::from(limit) + 1;
    let (rows, next) = match part {
        SnapshotPart::Accounts => {
            let (rows, next) = cut(repo_snapshot::accounts(tx, from, most).await?, limit);
            (SnapshotRows::Accounts(rows), next.map(|row| row.account_id.0))
        }
        SnapshotPart::Holds => {
            let (rows, next) = cut(repo_snapshot::holds(tx, from, most).await?, limit);
            (SnapshotRows::Holds(rows), next.map(|row| row.hold_id.0))
        }
        SnapshotPart::Reversals => {
            let (rows, next) = cut(repo_snapshot::reversals(tx, from, most).await?, limit);
            (SnapshotRows::Reversals(rows), next.map(|row| row.original_id.0))
        }
        SnapshotPart::Entries => {
            let (rows, next) = cut(repo_snapshot::entries(tx, from, most).await?, limit);
            (SnapshotRows::Entries(rows), next.map(|row| row.account_id.0))
        }
    };
    let ends = journal::repo::ends_in_tx(tx).await?;
    let orphaned = repo_snapshot::orphaned(tx).await?;
    Ok(Snapshot { ends, orphaned, rows, next })
}

/// The rows of a page, and the first row after it.
fn cut<T>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, Option<T>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.drain(limit.min(rows.len())..).next();
    (rows, next)
}
