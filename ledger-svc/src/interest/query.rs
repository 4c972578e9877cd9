//! Interest that accrued, for whoever asks. Promise: nothing is remembered that could differ from
//! what entries and terms say; each answer is worked out anew.

use std::ops::RangeInclusive;

use chrono::Datelike;
use shared_events::{
    ledger::{GetInterest, INTEREST_DAYS_MAX, InterestFound},
    messaging::{Answer, HandleError, Tx},
    refusal::MessageRefused,
};

use crate::legacy::handle::bank_time::BankTime;
use crate::{
    legacy::domain::Bearing,
    legacy::store::{interest, periods, queries},
};

/// The years that can be asked about.
const YEARS: RangeInclusive<i32> = 1900..=2199;

/// The interest of a period, day by day.
pub(crate) async fn accrued(
    tx: &mut Tx<'_>,
    query: &GetInterest,
    time: BankTime,
) -> Result<Result<Answer, MessageRefused>, HandleError> {
    let GetInterest { account_id, from, to, known_at } = query;
    let today = time.now(periods::clock(tx).await?).today;
    if to > &today {
        return Ok(Err(MessageRefused::invalid("to", "not after today")));
    }
    if !(0..INTEREST_DAYS_MAX).contains(&to.signed_duration_since(*from).num_days()) {
        let rule = format!("from the first to the last, at most {INTEREST_DAYS_MAX} days");
        return Ok(Err(MessageRefused::invalid("from", rule)));
    }
    if !YEARS.contains(&from.year()) {
        return Ok(Err(MessageRefused::invalid("from", "in the years 1900 to 2199")));
    }
    if known_at.is_some_and(|it| !YEARS.contains(&it.year())) {
        return Ok(Err(MessageRefused::invalid("known_at", "in the years 1900 to 2199")));
    }
    let Some(account) = queries::account(tx, *account_id).await? else {
        return Ok(Err(MessageRefused::not_found(format!("account {account_id}"))));
    };
    let balances = interest::balances(tx, *account_id, (*to, *known_at)).await?;
    let terms = interest::terms(tx, &[account_id.uuid()], *known_at).await?.remove(account_id);
    let terms = terms.transpose()?.unwrap_or_default();
    let bearing = Bearing { terms: terms.iter().map(|it| it.terms.clone()).collect(), balances };
    let days = match bearing.accrued(*from, *to).collect::<Result<_, _>>() {
        Ok(days) => days,
        Err(too_much) => return Ok(Err(MessageRefused::invalid("from", too_much.to_string()))),
    };
    let capitalised = interest::months(tx, *account_id, (*from, *to), *known_at).await?;
    let (account_id, currency) = (account.id, account.currency);
    Ok(Ok(Answer::found(&InterestFound { account_id, currency, days, capitalised, terms })))
}
