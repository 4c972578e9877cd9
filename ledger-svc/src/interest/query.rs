//! The interest of a period, day by day. Promise: nothing is stored that could differ from entries
//! and terms; each answer is computed anew.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use shared_events::{AccountId, Currency, messaging::Tx, refusal::MessageRefused};

use super::{
    accrual::{AccruedDay, Bearing},
    repo::{self, CapitalisedMonth, TermsSet},
};
use crate::{
    accounts,
    bank_calendar::{self, BOOKING_YEARS, BankTime},
    refusals::QueryError,
};

/// The most days of one query.
pub(crate) const INTEREST_DAYS_MAX: i64 = 366;

/// The interest of a period.
#[derive(Clone, Debug)]
pub(crate) struct PeriodInterest {
    pub(crate) account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) days: Vec<AccruedDay>,
    pub(crate) capitalised: Vec<CapitalisedMonth>,
    pub(crate) terms: Vec<TermsSet>,
}

/// The interest of an account from a day to a day, by the entries and terms up to `known_at`.
pub(crate) async fn interest(
    tx: &mut Tx<'_>,
    account: AccountId,
    (from, to): (NaiveDate, NaiveDate),
    known_at: Option<DateTime<Utc>>,
    time: BankTime,
) -> Result<PeriodInterest, QueryError> {
    let today = time.now(bank_calendar::repo::clock(tx).await?).today;
    check_period(from, to, known_at, today)?;
    let found = accounts::repo::find(tx, account).await?;
    let found = found.ok_or_else(|| MessageRefused::not_found(format!("account {account}")))?;
    let balances = repo::balances(tx, account, (to, known_at)).await?;
    let terms = repo::terms(tx, &[account.uuid()], known_at).await?.remove(&account);
    let terms = terms.transpose()?.unwrap_or_default();
    let bearing = Bearing { terms: terms.iter().map(|set| set.terms.clone()).collect(), balances };
    let days = bearing.accrued(from, to).collect::<Result<_, _>>();
    let days = days.map_err(|error| MessageRefused::invalid("from", error.to_string()))?;
    let capitalised = repo::months(tx, account, (from, to), known_at).await?;
    Ok(PeriodInterest { account, currency: found.currency, days, capitalised, terms })
}

fn check_period(
    from: NaiveDate,
    to: NaiveDate,
    known_at: Option<DateTime<Utc>>,
    today: NaiveDate,
) -> Result<(), MessageRefused> {
    const YEARS_RULE: &str = "in the years 1900 to 2199";
    if to > today {
        return Err(MessageRefused::invalid("to", "not after today"));
    }
    if !(0..INTEREST_DAYS_MAX).contains(&to.signed_duration_since(from).num_days()) {
        let rule = format!("from the first to the last, at most {INTEREST_DAYS_MAX} days");
        return Err(MessageRefused::invalid("from", rule));
    }
    if !BOOKING_YEARS.contains(&from.year()) {
        return Err(MessageRefused::invalid("from", YEARS_RULE));
    }
    match known_at.is_some_and(|instant| !BOOKING_YEARS.contains(&instant.year())) {
        true => Err(MessageRefused::invalid("known_at", YEARS_RULE)),
        false => Ok(()),
    }
}
