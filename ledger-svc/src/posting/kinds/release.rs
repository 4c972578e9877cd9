//! A release: the rest of a hold is released. The status of the accounts does not matter, since
//! nothing leaves the debtor.

use rust_decimal::Decimal;
use shared_events::{Money, TransferId};

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        debit::NamedDebit,
        legs::check_release,
        lock_set::LockSet,
        outcome::ReleaseCause,
        plan::Plan,
        reason::{Checked, RejectReason},
        view::PostingView,
    },
};

/// Releases the rest of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The hold: the id of the instruction that placed it.
    pub hold_id: TransferId,
}

impl KindRules for Release {
    fn refers(&self, set: &mut LockSet) {
        set.hold(self.hold_id);
    }

    /// Of nothing: who may not debit the account may not end its holds either.
    fn debits(&self, state: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let Some(hold) = state.hold(self.hold_id) else { return };
        each(NamedDebit::new(hold.debtor, Money::new(Decimal::ZERO, hold.currency)));
    }

    fn validates(&self, _: &dyn PostingView, _: Now) -> Checked {
        Ok(())
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let hold = state.hold(self.hold_id).ok_or(RejectReason::UnknownHold)?;
        hold.check_open(now.instant)?;
        check_release(state, hold)?;
        Ok(Plan::Release { hold_id: hold.id, cause: ReleaseCause::Released })
    }

    fn describes(&self) -> Description<'_> {
        let debtor = Debtor::OfHold(self.hold_id);
        Description { debtor, about: Some(self.hold_id), ..Description::default() }
    }
}
