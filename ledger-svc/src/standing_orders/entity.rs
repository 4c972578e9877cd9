//! A standing order: its next date, and the day of its execution. Promise: an order's dates are
//! executed in their order, each by itself; a date that is over when the order is set is left out; a
//! date that was executed once is not executed again, also if the order's terms have changed since.

use chrono::{DateTime, Days, NaiveDate, Utc};
use shared_events::{AccountId, Currency, Money, OrderId, TransferId};

use super::schedule::{Schedule, check_schedule, dates_from};
use crate::{
    bank_calendar::{Calendar, HolidayRule},
    posting::{
        END_TO_END_ID_CHARS_MAX, Party, REFERENCE_CHARS_MAX, RejectReason, check_money,
        is_valid_text,
    },
    refusals::BrokenRule,
};

/// The most days on which a date is tried again.
pub(crate) const ORDER_RETRY_DAYS_MAX: u32 = 30;

/// The terms of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTerms {
    /// The creditor.
    pub creditor: Party,
    /// The amount, in the account's currency.
    pub money: Money,
    /// Whether less moves if less is available, but not nothing.
    pub allow_partial: bool,
    /// The remittance information of each transfer.
    pub reference: Option<String>,
    /// The debtor's own id of each transfer.
    pub end_to_end_id: Option<String>,
    /// The dates.
    pub schedule: Schedule,
    /// The day on which a date that is no banking day is executed.
    pub on_holiday: HolidayRule,
    /// The number of later days on which a date is tried again.
    pub retry_days: u32,
}

/// The state of a date of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// The date was tried, and is tried again.
    Waiting,
    /// Money moved.
    Executed,
    /// No money moved, and none will.
    Missed,
}

/// The result of an attempt at a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// This amount moved.
    Executed(Money),
    /// No money moved for this reason, and nothing was decided.
    Waiting(RejectReason),
    /// No money moved for this reason, and none will.
    Missed(RejectReason),
}

impl Attempt {
    /// The state of the date.
    #[must_use]
    pub const fn status(&self) -> ExecutionStatus {
        match self {
            Self::Executed(_) => ExecutionStatus::Executed,
            Self::Waiting(_) => ExecutionStatus::Waiting,
            Self::Missed(_) => ExecutionStatus::Missed,
        }
    }
}

/// A date of an order that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderExecution {
    /// The date in the schedule.
    pub(crate) due_date: NaiveDate,
    pub(crate) status: ExecutionStatus,
    /// The number of attempts.
    pub(crate) attempts: u32,
    /// The reason of the last failed attempt.
    pub(crate) reason: Option<RejectReason>,
    /// The transfer that was posted or rejected.
    pub(crate) transfer_id: Option<TransferId>,
    /// The amount that moved.
    pub(crate) money: Option<Money>,
    /// The instant of the last attempt, or of the end of the attempts.
    pub(crate) at: DateTime<Utc>,
}

/// The most days between a date and its day: no bank has longer holidays.
const HOLIDAYS_DAYS_MAX: u64 = 100;

/// A date of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDate {
    /// The date in the schedule.
    pub date: NaiveDate,
    /// The day on which it is executed.
    pub day: NaiveDate,
}

/// A standing order that has a date left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The debtor's account.
    pub account: AccountId,
    /// The order's id.
    pub id: OrderId,
    /// The terms.
    pub terms: OrderTerms,
    /// The next date, and the day of its execution or next attempt.
    pub next: DueDate,
    /// The number of attempts at that date.
    pub attempts: u32,
}

/// Whether an account of this currency can have an order with these terms. The creditor's account is
/// checked by the command.
///
/// # Errors
/// The first rule that a field breaks.
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
    match terms.creditor.account_id(currency) {
        None => {
            let rule = "the code of an internal account of the bank";
            return Err(BrokenRule::new("terms.creditor", rule));
        }
        Some(creditor) if creditor == account => {
            return Err(BrokenRule::new("terms.creditor", "another account than the debtor's"));
        }
        Some(_) => {}
    }
    check_text("terms.reference", terms.reference.as_deref(), REFERENCE_CHARS_MAX)?;
    check_text("terms.end_to_end_id", terms.end_to_end_id.as_deref(), END_TO_END_ID_CHARS_MAX)?;
    if terms.retry_days > ORDER_RETRY_DAYS_MAX {
        return Err(BrokenRule::new("terms.retry_days", format!("0 to {ORDER_RETRY_DAYS_MAX}")));
    }
    check_schedule(&terms.schedule, today)
}

fn check_text(field: &'static str, text: Option<&str>, chars_max: usize) -> Result<(), BrokenRule> {
    match is_valid_text(text, chars_max) {
        true => Ok(()),
        false => {
            let rule = format!("at most {chars_max} characters, all of them visible");
            Err(BrokenRule::new(field, rule))
        }
    }
}

/// The dates of an order on or after a day, without the dates that are left out.
pub fn dues_from<'a>(
    terms: &'a OrderTerms,
    from: NaiveDate,
    calendar: &'a Calendar,
) -> impl Iterator<Item = DueDate> + use<'a> {
    dates_from(&terms.schedule, from)
        .filter_map(|date| calendar.day_of(date, terms.on_holiday).map(|day| DueDate { date, day }))
}

impl Order {
    /// An order as it is set: its first date is the first after `done` of which the date or the day
    /// is not over. `None`: no date is left.
    #[must_use]
    pub fn set(
        (account, id): (AccountId, OrderId),
        terms: OrderTerms,
        done: Option<NaiveDate>,
        today: NaiveDate,
        calendar: &Calendar,
    ) -> Option<Self> {
        let not_over = today.checked_sub_days(Days::new(HOLIDAYS_DAYS_MAX))?;
        let from =
            done.and_then(|date| date.succ_opt()).map_or(not_over, |date| date.max(not_over));
        let is_ahead = |due: &DueDate| due.date.max(due.day) >= today;
        let next = dues_from(&terms, from, calendar).find(is_ahead)?;
        Some(Self { account, id, terms, next, attempts: 0 })
    }

    /// Whether a date that was missed for this reason ends the order.
    const fn ends_by(reason: RejectReason) -> bool {
        matches!(reason, RejectReason::AccountClosed)
    }

    /// The last day on which the next date is tried.
    pub(crate) fn last_try(&self, calendar: &Calendar) -> NaiveDate {
        let rule = self.terms.on_holiday;
        let day = calendar.day_of(self.next.date, rule).unwrap_or(self.next.day);
        let tries = std::iter::successors(Some(day), |day| calendar.next_day(*day, rule));
        let retries = usize::try_from(self.terms.retry_days).unwrap_or(usize::MAX);
        tries.take(retries.saturating_add(1)).last().unwrap_or(day)
    }

    /// The order after an attempt at its next date. `None`: no date is left.
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
