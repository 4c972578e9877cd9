//! An account that is closed is settled first. Promise: whoever closes an account, at whatever
//! instant, interest and fees of all months that were over are posted before it is locked, and the
//! interest of the month that has begun is paid or forfeited as its terms say.
//!
//! Months that are over are settled even where the account is not closed after all: they were due
//! anyway. What is due for the month that has begun is posted only together with the locking.

use chrono::Datelike;
use shared_events::{
    AccountId, CommandId, Total,
    accounts::CloseRefusal,
    ledger::{AtClosing, Direction},
    money::exact::exact_add,
};

use crate::legacy::domain::{
    account::own_account_id,
    books::Books,
    capitalise::{Capitalised, Charge, DueMonth},
    interest::{TooMuchInterest, next_month},
    plan::{Now, PlannedLeg, check_legs, check_postings},
    record::posted_legs,
};

/// The next month of an account that is to be closed, by what is stored and what was decided since.
#[derive(Clone, Debug)]
pub(crate) struct Unsettled {
    due: DueMonth,
    /// How many decisions of the batch its balances know of.
    seen: usize,
}

impl Unsettled {
    pub(crate) const fn stored(due: DueMonth) -> Self {
        Self { due, seen: 0 }
    }

    /// Counts a month as capitalised. `None`: it is more in all than can be told.
    fn settled(&mut self, month: &Capitalised) -> Option<()> {
        self.due.credited = exact_add(self.due.credited, month.credit_interest)?;
        self.due.debited = exact_add(self.due.debited, month.debit_interest)?;
        self.due.month = next_month(month.month);
        Some(())
    }
}

impl Books {
    /// Posts interest and fees of all months that are over, or says why it cannot.
    pub(crate) fn settle_months(
        &mut self,
        cause: CommandId,
        id: AccountId,
        now: Now,
    ) -> Result<(), CloseRefusal> {
        let Some(unsettled) = self.unsettled.get(&id) else { return Ok(()) };
        let mut unsettled = unsettled.clone().ok_or(CloseRefusal::InterestNotSettled)?;
        loop {
            let counted = self.count_decisions(&mut unsettled);
            counted.map_err(|TooMuchInterest| CloseRefusal::InterestNotSettled)?;
            if now.today < next_month(unsettled.due.month) {
                break;
            }
            let month = unsettled.due.worked_out();
            if month.accrued.is_none() {
                return Err(CloseRefusal::InterestNotSettled);
            }
            let done = self.capitalise(&month, now).ok_or(CloseRefusal::InterestNotSettled)?;
            let currency = self.account(id).expect("it was capitalised").currency;
            let is_whole = done.to_holder() == month.due(currency).to_holder();
            let counted = unsettled.settled(&done);
            self.put_settled(cause, done);
            self.unsettled.insert(id, Some(unsettled.clone()));
            if !is_whole || counted.is_none() {
                return Err(CloseRefusal::InterestNotSettled);
            }
        }
        self.unsettled.insert(id, Some(unsettled));
        Ok(())
    }

    /// What is due besides on the day of closing: for the month that has begun, if the terms say
    /// so, and what came late for the months before it. `None`: nothing.
    pub(crate) fn last_interest(&self, id: AccountId, now: Now) -> Option<Capitalised> {
        let due = &self.unsettled.get(&id)?.as_ref()?.due;
        let begun = now.today.with_day(1)?;
        let rule = due.bearing.terms_on(now.today).map_or(AtClosing::default(), |it| it.at_closing);
        let last_day = match rule {
            AtClosing::Pay => now.today.pred_opt()?,
            AtClosing::Forfeit => begun.pred_opt()?,
        };
        let month = DueMonth { month: begun, ..due.clone() }.worked_out_until(last_day);
        let last = month.due(self.account(id)?.currency);
        let is_nothing = last.credit_interest.is_zero() && last.debit_interest.is_zero();
        (!is_nothing).then_some(last)
    }

    /// Whether the accounts allow what is due.
    pub(crate) fn can_post_charges(&self, due: &Capitalised) -> bool {
        let Some(currency) = self.account(due.account).map(|account| account.currency) else {
            return false;
        };
        let amounts = [due.credit_interest, -due.debit_interest, -due.statement_fee];
        let charges = Charge::ALL.into_iter().zip(amounts).filter(|(_, it)| !it.is_zero());
        charges.into_iter().all(|(charge, amount)| {
            let own = own_account_id(&charge.own_account(), currency);
            let leg = |account, amount| PlannedLeg { account, amount, currency };
            let legs = [leg(own, -amount), leg(due.account, amount)];
            check_legs(self, &legs).is_ok() && check_postings(self, &legs).is_ok()
        })
    }

    /// Adds what the batch has posted on the account since to the balances that bear interest.
    fn count_decisions(&self, unsettled: &mut Unsettled) -> Result<(), TooMuchInterest> {
        let DueMonth { account, bearing, .. } = &mut unsettled.due;
        let decided = self.decided().skip(unsettled.seen);
        unsettled.seen = self.decided().count();
        for record in decided.map(|decided| &decided.record) {
            for leg in posted_legs(record) {
                if leg.account.account_id == *account {
                    let amount = leg.money.amount.decimal();
                    let is_debit = leg.direction == Direction::Debit;
                    bearing.add(record.value_date, if is_debit { -amount } else { amount })?;
                }
            }
        }
        Ok(())
    }
}

/// What a closing leaves on an account.
pub(crate) fn left(balance: Total, last: Option<&Capitalised>) -> Total {
    balance.plus_at_most(last.map_or(Total::ZERO, Capitalised::to_holder))
}
