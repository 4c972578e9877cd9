//! Carries out a batch of requests: lock, decide in memory, save. Promise: changes that were
//! decided on an outdated state are not saved; the bus decides the batch again.

use shared_events::{
    AccountId, Iban,
    access::Rights,
    messaging::{HandleError, Tx},
};

use super::{
    LedgerAnswer, LedgerReaction, WorkingSet,
    change::{AccountChange, Decision},
    entity::Account,
    opening,
    opening::CheckedOpening,
    recording::recorded,
    refusal::Refusal,
    repo,
    request::AccountRequest,
};
use crate::{
    account_numbers::{self, Bank},
    erasures,
    history::{Cause, append_in_tx, erase_texts_in_tx},
};

/// Another instance opened an account with the same id or external reference while this batch was
/// decided. When the batch is decided again, that account is visible.
#[derive(Debug, thiserror::Error)]
#[error("another instance of the service opened the same account; the batch is decided again")]
struct LostRace;

/// A client's command, the client's rights, and the author of its changes.
#[derive(Clone, Debug)]
pub(crate) struct AuthorisedRequest {
    pub(crate) request: AccountRequest,
    pub(crate) rights: Rights,
    pub(crate) cause: Cause,
}

/// Decides clients' commands, in order, and saves the changes. New accounts get IBANs of the bank;
/// the data of closed accounts are kept for so many days.
pub(crate) async fn execute_in_tx(
    tx: &mut Tx<'_>,
    (bank, kept_days): (&Bank, u16),
    requests: &[AuthorisedRequest],
) -> Result<Vec<Decision>, HandleError> {
    let ids: Vec<AccountId> = requests.iter().map(|asked| asked.request.account_id()).collect();
    let accounts = repo::lock_accounts_in_tx(tx, &ids).await?;
    let openings = prepare_openings_in_tx(tx, bank, requests, &accounts).await?;
    let erased = requests.iter().filter_map(|asked| asked.request.erased()).collect::<Vec<_>>();
    let erasable = match erased.as_slice() {
        [] => vec![],
        erased => repo::unchanged_for_in_tx(tx, erased, kept_days).await?,
    };
    let mut working_set = WorkingSet::new(accounts, openings).with_erasable(erasable);
    let decisions: Vec<Decision> =
        requests.iter().map(|asked| working_set.decide(&asked.request, &asked.rights)).collect();
    let caused = requests.iter().zip(&decisions);
    let changes: Vec<_> = caused
        .filter_map(|(asked, decision)| Some((&asked.cause, decision.as_ref().ok()?)))
        .collect();
    save_in_tx(tx, &working_set, &changes).await?;
    Ok(decisions)
}

/// Follows answers of the ledger, in order, and saves the changes.
pub(crate) async fn follow_ledger_in_tx(
    tx: &mut Tx<'_>,
    answers: &[(LedgerAnswer, Cause)],
) -> Result<Vec<LedgerReaction>, HandleError> {
    let ids: Vec<AccountId> = answers.iter().map(|(answer, _)| answer.account_id).collect();
    let accounts = repo::lock_accounts_in_tx(tx, &ids).await?;
    let mut working_set = WorkingSet::new(accounts, vec![]);
    let reactions: Vec<LedgerReaction> =
        answers.iter().map(|(answer, _)| working_set.follow(answer)).collect();
    let caused = answers.iter().zip(&reactions);
    let changes: Vec<_> =
        caused.filter_map(|((_, cause), reaction)| Some((cause, reaction.change()?))).collect();
    save_in_tx(tx, &working_set, &changes).await?;
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
        requests.iter().filter_map(|asked| Some((asked.request.opening()?, &asked.rights)));
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

/// Saves the accounts as the batch leaves them, and a record of each change.
async fn save_in_tx(
    tx: &mut Tx<'_>,
    working_set: &WorkingSet,
    changes: &[(&Cause, &AccountChange)],
) -> Result<(), HandleError> {
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
    let erased: Vec<AccountId> = changes.iter().filter_map(|(_, change)| change.erased()).collect();
    erasures::begin_in_tx(tx, &erased).await?;
    erase_texts_in_tx(tx, &erased).await?;
    let recorded: Vec<_> =
        changes.iter().map(|(cause, change)| (*cause, recorded(change))).collect();
    append_in_tx(tx, &recorded).await?;
    Ok(())
}
