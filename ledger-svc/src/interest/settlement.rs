//! The settlement of accounts that are to be closed. Promise: at every closing, interest and fees of
//! all months that were over are posted before the account is locked, and the interest of the current
//! month is paid or forfeited as the terms say.
//!
//! Months that are over are settled even if the account is not closed after all: they were due
//! anyway. The interest of the current month is posted only together with the locking.

use std::collections::{BTreeMap, HashMap};

use chrono::Datelike;
use shared_events::{AccountId, CommandId, ledger::Direction, money::exact::exact_add};

use super::{
    accrual::{TooMuchInterest, next_month},
    capitalisation::{Capitalised, DueMonth, capitalise},
    terms::AtClosing,
};
use crate::{bank_calendar::Now, posting::PostingState};

/// The next month of an account that is to be closed, by the stored entries and by the decisions
/// since.
#[derive(Clone, Debug)]
struct ClosingMonth {
    due: DueMonth,
    /// The number of the batch's decisions that the balances include.
    counted: usize,
}

impl ClosingMonth {
    /// Counts a month as capitalised. `None`: the sum has more digits than an amount.
    fn advance(&mut self, month: &Capitalised) -> Option<()> {
        self.due.credited = exact_add(self.due.credited, month.credit_interest)?;
        self.due.debited = exact_add(self.due.debited, month.debit_interest)?;
        self.due.month = next_month(month.month);
        Some(())
    }

    /// Adds the postings that the batch has made on the account since to the balances.
    fn count_decisions(&mut self, state: &PostingState) -> Result<(), TooMuchInterest> {
        let decided = state.decided().skip(self.counted);
        self.counted = state.decided().count();
        for record in decided.map(|decided| &decided.record) {
            for leg in record.posted_legs() {
                if leg.account.account_id == self.due.account {
                    let amount = leg.money.amount.decimal();
                    let is_debit = leg.direction == Direction::Debit;
                    let signed = if is_debit { -amount } else { amount };
                    self.due.bearing.add(record.value_date, signed)?;
                }
            }
        }
        Ok(())
    }
}

/// Interest or fees of months that are over cannot be posted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSettled;

/// The interest of the accounts that a batch closes, and the months that were capitalised for it.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// The next month of each account; `None`: terms or entries cannot be read.
    months: HashMap<AccountId, Option<ClosingMonth>>,
    /// The capitalised months, by the message that closes the account.
    capitalised: HashMap<CommandId, Vec<Capitalised>>,
}

impl Settlement {
    /// The settlement of accounts with these due months; `None`: terms or entries of the account
    /// cannot be read.
    #[must_use]
    pub fn new(due: BTreeMap<AccountId, Option<DueMonth>>) -> Self {
        let month = |due| ClosingMonth { due, counted: 0 };
        let months = due.into_iter().map(|(id, due)| (id, due.map(month))).collect();
        Self { months, capitalised: HashMap::new() }
    }

    /// The months that were capitalised because this message closes an account.
    #[must_use]
    pub fn capitalised_by(&self, cause: CommandId) -> &[Capitalised] {
        self.capitalised.get(&cause).map_or(&[], Vec::as_slice)
    }

    /// Posts interest and fees of all months that are over.
    ///
    /// # Errors
    /// If anything of them cannot be computed or posted now.
    pub(crate) fn settle_months(
        &mut self,
        state: &mut PostingState,
        cause: CommandId,
        id: AccountId,
        now: Now,
    ) -> Result<(), NotSettled> {
        let Some(month) = self.months.get(&id) else { return Ok(()) };
        let mut month = month.clone().ok_or(NotSettled)?;
        loop {
            month.count_decisions(state).map_err(|TooMuchInterest| NotSettled)?;
            if now.today < next_month(month.due.month) {
                break;
            }
            let computed = month.due.computed();
            if computed.accrued.is_none() {
                return Err(NotSettled);
            }
            let done = capitalise(state, &computed, now).ok_or(NotSettled)?;
            let currency = state.account(id).expect("the account was capitalised").currency;
            let is_whole = done.to_holder() == computed.due(currency).to_holder();
            let advanced = month.advance(&done);
            self.capitalised.entry(cause).or_default().push(done);
            self.months.insert(id, Some(month.clone()));
            if !is_whole || advanced.is_none() {
                return Err(NotSettled);
            }
        }
        self.months.insert(id, Some(month));
        Ok(())
    }

    /// The postings that are due on the day of closing: for the current month, if the terms say so,
    /// and late corrections of earlier months. `None`: none.
    pub(crate) fn last_interest(
        &self,
        state: &PostingState,
        id: AccountId,
        now: Now,
    ) -> Option<Capitalised> {
        let due = &self.months.get(&id)?.as_ref()?.due;
        let begun = now.today.with_day(1)?;
        let terms = due.bearing.terms_on(now.today);
        let last_day = match terms.map_or(AtClosing::default(), |terms| terms.at_closing) {
            AtClosing::Pay => now.today.pred_opt()?,
            AtClosing::Forfeit => begun.pred_opt()?,
        };
        let month = DueMonth { month: begun, ..due.clone() }.computed_until(last_day);
        let last = month.due(state.account(id)?.currency);
        let is_nothing = last.credit_interest.is_zero() && last.debit_interest.is_zero();
        (!is_nothing).then_some(last)
    }

    /// Posts the interest of the day of closing.
    pub(crate) fn post_last(
        &mut self,
        state: &mut PostingState,
        cause: CommandId,
        last: Capitalised,
        now: Now,
    ) {
        let expected = last.to_holder();
        let posted = last.post(state, now.today, now);
        assert_eq!(posted.to_holder(), expected, "the last interest is posted as a whole");
        self.capitalised.entry(cause).or_default().push(posted);
    }

    /// Ends the settlement of an account that is locked.
    pub(crate) fn end(&mut self, id: AccountId) {
        self.months.remove(&id);
    }

    /// The capitalised months of all closings.
    pub(crate) fn all_capitalised(&self) -> impl Iterator<Item = &Capitalised> {
        self.capitalised.values().flatten()
    }
}
