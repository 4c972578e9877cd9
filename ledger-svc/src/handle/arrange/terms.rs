//! The terms of interest and fees. Promise: terms are added, never changed; what they mean for
//! months that are over already, the next capitalisation makes good.

use shared_events::{
    bus::{HandleError, Outcome, Tx},
    ledger::{ArrangementReason, SetTerms, TERMS_MAX, TermsChanged},
};

use super::Refusal;
use crate::{
    domain::{Account, Now, check_terms},
    store::interest,
};

pub(super) async fn set_in_tx(
    tx: &mut Tx<'_>,
    asked: &SetTerms,
    account: &Account,
    now: Now,
) -> Result<Result<Outcome, Refusal>, HandleError> {
    let SetTerms { account_id, terms } = asked;
    if let Err(broken) = check_terms(terms, account.currency, now.today) {
        return Ok(Err(Refusal::invalid(broken.field, broken.rule)));
    }
    let before = interest::terms(tx, &[account_id.uuid()], None).await?;
    if before.get(account_id).map_or(0, Vec::len) >= TERMS_MAX {
        let message = format!("an account has had at most {TERMS_MAX} terms");
        return Ok(Err(Refusal::new(ArrangementReason::TooMany, message)));
    }
    interest::add_terms_in_tx(tx, *account_id, terms).await?;
    interest::put_due_in_tx(tx, *account_id, terms.valid_from).await?;
    let (account_id, terms) = (*account_id, terms.clone());
    Ok(Ok(Outcome::announce(&TermsChanged { account_id, terms })))
}
