//! Sets the terms of an account. Promise: terms are added, never changed; the next capitalisation
//! corrects what they mean for months that are over already.

use shared_events::messaging::Tx;

use super::{repo, terms::InterestTerms, terms::check_terms};
use crate::{
    accounts::Account,
    bank_calendar::Now,
    refusals::{ArrangementError, ArrangementReason, Refusal},
};

/// The most terms of one account.
pub(crate) const TERMS_MAX: usize = 1_000;

/// Sets the terms of an account that this transaction has locked.
pub(crate) async fn set_terms_in_tx(
    tx: &mut Tx<'_>,
    account: &Account,
    terms: &InterestTerms,
    now: Now,
) -> Result<(), ArrangementError> {
    check_terms(terms, account.currency, now.today)?;
    if repo::terms_set(tx, account.id).await? >= TERMS_MAX {
        let message = format!("an account has had at most {TERMS_MAX} terms");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    repo::add_terms_in_tx(tx, account.id, terms, now.instant).await?;
    repo::put_due_in_tx(tx, account.id, terms.valid_from).await?;
    Ok(())
}
