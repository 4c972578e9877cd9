//! The terms of interest and fees. Promise: terms are added, never changed; what they mean for
//! months that are over already, the next capitalisation makes good.

use shared_events::{
    ledger::{ArrangementReason, SetTerms, TERMS_MAX, TermsChanged},
    messaging::{Outcome, Tx},
};

use crate::legacy::handle::arrange::{Arranged, Refusal};
use crate::{
    legacy::domain::{Account, Now, check_terms},
    legacy::store::interest,
};

pub(crate) async fn set_in_tx(
    tx: &mut Tx<'_>,
    asked: &SetTerms,
    account: &Account,
    now: Now,
) -> Result<Outcome, Arranged> {
    let SetTerms { account_id, terms } = asked;
    if let Err(broken) = check_terms(terms, account.currency, now.today) {
        return Err(Refusal::invalid(broken.field, broken.rule).into());
    }
    if interest::terms_set(tx, *account_id).await? >= TERMS_MAX {
        let message = format!("an account has had at most {TERMS_MAX} terms");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    interest::add_terms_in_tx(tx, *account_id, terms, now.instant).await?;
    interest::put_due_in_tx(tx, *account_id, terms.valid_from).await?;
    let (account_id, terms) = (*account_id, terms.clone());
    Ok(Outcome::announce(&TermsChanged { account_id, terms }))
}
