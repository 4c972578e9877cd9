//! Standing orders: which date comes next, and on which day it is done. Promise: an order's dates
//! are done in their order, each by itself; a date that is over when the order is set is none of
//! them; a date that was done once is not done again, whatever the order says since.

use chrono::{Days, NaiveDate};
use shared_events::{
    AccountId, OrderId,
    ledger::{END_TO_END_ID_CHARS_MAX, ORDER_RETRY_DAYS_MAX, OrderTerms, REFERENCE_CHARS_MAX},
    money::Currency,
    text::is_visible_line,
};

use crate::legacy::domain::{
    calendar::Calendar, execute::Attempt, form::check_money, plan::account_id, rule::BrokenRule,
    schedule::check_schedule, schedule::dates_from,
};

/// A date may be done so many days after it: a bank has no longer holidays.
const HOLIDAYS_DAYS_MAX: u64 = 100;

/// A date of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The date in the schedule.
    pub date: NaiveDate,
    /// The day on which it is executed.
    pub day: NaiveDate,
}

/// A standing order that has a date left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who pays.
    pub account: AccountId,
    /// Its id.
    pub id: OrderId,
    /// What is ordered.
    pub terms: OrderTerms,
    /// The next date, and the day on which it is executed or tried again.
    pub next: Due,
    /// How often that date was tried.
    pub attempts: u32,
}

/// Whether an account of this currency can have this order. Whether the creditor can be paid is
/// asked where the accounts are known.
pub fn check_order(
    (account, currency): (AccountId, Currency),
    terms: &OrderTerms,
    today: NaiveDate,
) -> Result<(), BrokenRule> {
    if terms.money.currency != currency {
        let rule = format!("the currency of the account, {currency}");
        return Err(BrokenRule::new("terms.money.currency", rule));
    }
    if let Err(reason) = currency.holdable() {
        return Err(BrokenRule::new("terms.money.currency", reason.to_string()));
    }
    if check_money(terms.money).is_err() {
        let digits = currency.digits();
        let most = currency.amount_max();
        let rule = format!("more than zero, at most {most}, with at most {digits} digits");
        return Err(BrokenRule::new("terms.money.amount", rule));
    }
    match account_id(&terms.creditor, currency) {
        None => {
            let rule = "not a code of the bank's own accounts";
            return Err(BrokenRule::new("terms.creditor", rule));
        }
        Some(creditor) if creditor == account => {
            return Err(BrokenRule::new("terms.creditor", "another account than the debtor's"));
        }
        Some(_) => {}
    }
    check_text("terms.reference", terms.reference.as_ref(), REFERENCE_CHARS_MAX)?;
    check_text("terms.end_to_end_id", terms.end_to_end_id.as_ref(), END_TO_END_ID_CHARS_MAX)?;
    if terms.retry_days > ORDER_RETRY_DAYS_MAX {
        return Err(BrokenRule::new("terms.retry_days", format!("0 to {ORDER_RETRY_DAYS_MAX}")));
    }
    check_schedule(&terms.schedule, today)
}

fn check_text(
    field: &'static str,
    text: Option<&String>,
    chars_max: usize,
) -> Result<(), BrokenRule> {
    let text = text.map_or("", String::as_str);
    match text.chars().count() > chars_max || !is_visible_line(text) {
        true => {
            let rule = format!("at most {chars_max} characters, all of them visible");
            Err(BrokenRule::new(field, rule))
        }
        false => Ok(()),
    }
}

/// The dates of an order on or after a day, without those that are left out.
pub(crate) fn dues_from<'a>(
    terms: &'a OrderTerms,
    from: NaiveDate,
    calendar: &'a Calendar,
) -> impl Iterator<Item = Due> + use<'a> {
    dates_from(&terms.schedule, from)
        .filter_map(|date| calendar.day_of(date, terms.on_holiday).map(|day| Due { date, day }))
}

impl Order {
    /// An order as it is set: it begins with the first date after `done` of which the date or its
    /// day is not over. `None`: there is none.
    #[must_use]
    pub fn set(
        (account, id): (AccountId, OrderId),
        terms: OrderTerms,
        done: Option<NaiveDate>,
        today: NaiveDate,
        calendar: &Calendar,
    ) -> Option<Self> {
        let not_over = today.checked_sub_days(Days::new(HOLIDAYS_DAYS_MAX))?;
        let from = done.and_then(|it| it.succ_opt()).map_or(not_over, |it| it.max(not_over));
        let is_ahead = |due: &Due| due.date.max(due.day) >= today;
        let next = dues_from(&terms, from, calendar).find(is_ahead)?;
        Some(Self { account, id, terms, next, attempts: 0 })
    }

    /// The last day on which its next date is tried.
    pub(crate) fn last_try(&self, calendar: &Calendar) -> NaiveDate {
        let rule = self.terms.on_holiday;
        let day = calendar.day_of(self.next.date, rule).unwrap_or(self.next.day);
        let tries = std::iter::successors(Some(day), |day| calendar.next_day(*day, rule));
        let retries = usize::try_from(self.terms.retry_days).unwrap_or(usize::MAX);
        tries.take(retries.saturating_add(1)).last().unwrap_or(day)
    }

    /// The order after an attempt at its next date. `None`: it is over.
    #[must_use]
    pub fn after(
        mut self,
        attempt: &Attempt,
        today: NaiveDate,
        calendar: &Calendar,
    ) -> Option<Self> {
        match attempt {
            Attempt::Waiting(_) => {
                self.next.day = calendar.next_day(today, self.terms.on_holiday)?;
                self.attempts += 1;
            }
            Attempt::Missed(reason) if Self::ends_by(*reason) => return None,
            Attempt::Executed(_) | Attempt::Missed(_) => {
                let from = self.next.date.succ_opt()?;
                let next = dues_from(&self.terms, from, calendar).next();
                self.next = next?;
                self.attempts = 0;
            }
        }
        Some(self)
    }
}
