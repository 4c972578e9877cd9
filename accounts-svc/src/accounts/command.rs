//! Carries out a batch of requests: lock, decide in memory, save. Promise: changes that were
//! decided on an outdated state are not saved; the bus decides the batch again.

use shared_events::{
    AccountId, Iban,
    access::Rights,
    messaging::{HandleError, Tx},
};

use super::{
    LedgerAnswer, LedgerReaction, WorkingSet, change::Decision, entity::Account, opening,
    opening::CheckedOpening, refusal::Refusal, repo, request::AccountRequest,
};
use crate::account_numbers::{self, Bank};

/// Another instance opened an account with the same id or external reference while this batch was
/// decided. When the batch is decided again, that account is visible.
#[derive(Debug, thiserror::Error)]
#[error("another instance of the service opened the same account; the batch is decided again")]
struct LostRace;

/// A client's command, and what the client may do.
pub(crate) type AuthorisedRequest = (AccountRequest, Rights);

/// Decides clients' commands, in order, and saves the changes.
pub(crate) async fn execute_in_tx(
    tx: &mut Tx<'_>,
    bank: &Bank,
    requests: &[AuthorisedRequest],
) -> Result<Vec<Decision>, HandleError> {
    let ids: Vec<AccountId> = requests.iter().map(|(request, _)| request.account_id()).collect();
    let accounts = repo::lock_accounts_in_tx(tx, &ids).await?;
    let openings = prepare_openings_in_tx(tx, bank, requests, &accounts).await?;
    let mut working_set = WorkingSet::new(accounts, openings);
    let decisions =
        requests.iter().map(|(request, rights)| working_set.decide(request, rights)).collect();
    save_in_tx(tx, &working_set).await?;
    Ok(decisions)
}

/// Follows the ledger's answers, in order, and saves the changes.
pub(crate) async fn follow_ledger_in_tx(
    tx: &mut Tx<'_>,
    answers: &[LedgerAnswer],
) -> Result<Vec<LedgerReaction>, HandleError> {
    let ids: Vec<AccountId> = answers.iter().map(|answer| answer.account_id).collect();
    let accounts = repo::lock_accounts_in_tx(tx, &ids).await?;
    let mut working_set = WorkingSet::new(accounts, vec![]);
    let reactions = answers.iter().map(|answer| working_set.follow(answer)).collect();
    save_in_tx(tx, &working_set).await?;
    Ok(reactions)
}

/// Admits or refuses each opening of the batch, and gives an IBAN to each admitted one.
async fn prepare_openings_in_tx(
    tx: &mut Tx<'_>,
    bank: &Bank,
    requests: &[AuthorisedRequest],
    accounts: &[Account],
) -> sqlx::Result<Vec<Result<Iban, Refusal>>> {
    let openings =
        requests.iter().filter_map(|(request, rights)| Some((request.opening()?, rights)));
    let openings: Vec<(&CheckedOpening, &Rights)> = openings.collect();
    let right = openings.iter().filter_map(|(opening, _)| opening.as_ref().ok());
    let references: Vec<&str> =
        right.filter_map(|opening| opening.external_reference.as_deref()).collect();
    let taken = match references.as_slice() {
        [] => vec![],
        references => repo::taken_references_in_tx(tx, references).await?,
    };
    let admitted = opening::admit(&openings, accounts, taken);
    let count = admitted.iter().filter(|opening| opening.is_ok()).count();
    let serials = match count {
        0 => vec![],
        count => account_numbers::repo::next_serials_in_tx(tx, count).await?,
    };
    let mut serials = serials.into_iter();
    let mut next_iban = || {
        let serial = serials.next().expect("one number was drawn for each admitted opening");
        bank.iban(serial)
    };
    Ok(admitted.into_iter().map(|opening| opening.map(|()| next_iban())).collect())
}

async fn save_in_tx(tx: &mut Tx<'_>, working_set: &WorkingSet) -> Result<(), HandleError> {
    let new = working_set.new_accounts();
    if !new.is_empty() {
        let inserted = repo::insert_accounts_in_tx(tx, &new).await?;
        if usize::try_from(inserted) != Ok(new.len()) {
            return Err(HandleError::Transient(LostRace.into()));
        }
    }
    let changed = working_set.changed_accounts();
    if !changed.is_empty() {
        repo::update_accounts_in_tx(tx, &changed).await?;
    }
    Ok(())
}
