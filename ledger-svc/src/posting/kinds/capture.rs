//! A capture: reserved money is posted, the whole amount or a part.

use rust_decimal::Decimal;
use shared_events::{Amount, Money, TransferId, money::exact::exact_sub};

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        amounts::{check_money, check_positive},
        debit::NamedDebit,
        legs::{check_accounts, check_postings, of_hold},
        lock_set::LockSet,
        plan::Plan,
        reason::{Checked, RejectReason},
        view::PostingView,
    },
};

/// Posts reserved money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The hold: the id of the instruction that placed it.
    pub hold_id: TransferId,
    /// The part of the hold, in its currency; the whole rest if absent.
    pub amount: Option<Amount>,
    /// Whether the rest stays reserved for another capture, instead of being released.
    pub keep_rest: bool,
}

impl KindRules for Capture {
    fn refers(&self, set: &mut LockSet) {
        set.hold(self.hold_id);
    }

    fn debits(&self, state: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let Some(hold) = state.hold(self.hold_id) else { return };
        let amount = self.amount.map_or(hold.remaining, Amount::decimal);
        each(NamedDebit::new(hold.debtor, Money::new(amount, hold.currency)));
    }

    fn validates(&self, state: &dyn PostingView, _: Now) -> Checked {
        check_positive(self.amount)?;
        match (self.amount, state.hold(self.hold_id)) {
            (Some(amount), Some(hold)) => check_money(Money { amount, currency: hold.currency }),
            (None, _) | (_, None) => Ok(()),
        }
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let hold = state.hold(self.hold_id).ok_or(RejectReason::UnknownHold)?;
        hold.check_open(now.instant)?;
        let captured = self.amount.map_or(hold.remaining, Amount::decimal);
        if captured > hold.remaining {
            return Err(RejectReason::ExceedsHold);
        }
        let legs = of_hold(hold, captured);
        check_accounts(state, &legs)?;
        check_postings(state, &legs)?;
        let rest = exact_sub(hold.remaining, captured).ok_or(RejectReason::ExceedsHold)?;
        let released = if self.keep_rest { Decimal::ZERO } else { rest };
        Ok(Plan::Capture { hold_id: hold.id, captured, released })
    }

    fn describes(&self) -> Description<'_> {
        let debtor = Debtor::OfHold(self.hold_id);
        Description { debtor, about: Some(self.hold_id), ..Description::default() }
    }
}
