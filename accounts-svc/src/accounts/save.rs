//! Saves what a batch changed. Promise: what was decided on a state that is not true any more is
//! not saved, and harms nobody: the batch is decided again.

use shared_events::messaging::{HandleError, Tx};

use super::{Book, repo};

/// Another instance opened an account with the same id or external reference while this batch was
/// decided. When it is decided again, that account is there to be seen.
#[derive(Debug, thiserror::Error)]
#[error("another instance of the service opened the same account; the batch is decided again")]
struct LostRace;

pub(crate) async fn save_in_tx(tx: &mut Tx<'_>, book: &Book) -> Result<(), HandleError> {
    let new = book.new_accounts();
    if !new.is_empty() {
        let inserted = repo::insert_accounts_in_tx(tx, &new).await?;
        if usize::try_from(inserted) != Ok(new.len()) {
            return Err(HandleError::Transient(LostRace.into()));
        }
    }
    let changed = book.changed_accounts();
    if !changed.is_empty() {
        repo::update_accounts_in_tx(tx, &changed).await?;
    }
    Ok(())
}
