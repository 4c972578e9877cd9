//! A reversal: money of a posted transfer moves back. A transfer with several debtors or creditors
//! can be reversed as a whole only. The money must be available, and no limit stops the reversal.

use shared_events::{Amount, Money, TransferId, ledger::Direction, money::exact::exact_sub};

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        amounts::{check_money, check_positive},
        debit::NamedDebit,
        legs::{PlannedLeg, check_accounts, check_debits, check_postings},
        lock_set::LockSet,
        plan::Plan,
        reason::{Checked, RejectReason},
        view::PostingView,
    },
};

/// Moves money of a posted transfer back, with the sides exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The posted transfer.
    pub original_id: TransferId,
    /// The part of the transfer, in its currency; the whole rest if absent.
    pub amount: Option<Amount>,
}

impl KindRules for Reversal {
    fn refers(&self, set: &mut LockSet) {
        set.original(self.original_id);
    }

    fn debits(&self, state: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let Some(original) = state.posted(self.original_id) else { return };
        for leg in original.legs.iter().filter(|leg| leg.direction == Direction::Credit) {
            let amount = self.amount.unwrap_or(leg.money.amount);
            let money = Money { amount, ..leg.money };
            each(NamedDebit { account: leg.account.account_id, money, is_reversal: true });
        }
    }

    fn validates(&self, state: &dyn PostingView, _: Now) -> Checked {
        check_positive(self.amount)?;
        let original = state.posted(self.original_id).map(|posted| posted.legs.as_slice());
        match (self.amount, original) {
            (Some(amount), Some([first, _])) => {
                check_money(Money { amount, currency: first.money.currency })
            }
            (None, _) | (_, Some(_) | None) => Ok(()),
        }
    }

    fn plans(&self, state: &dyn PostingView, _: Now) -> Result<Plan, RejectReason> {
        let original = state.posted(self.original_id).ok_or(RejectReason::UnknownTransfer)?;
        let first = original.legs.first().ok_or(RejectReason::NotReversible)?;
        let in_part = original.legs.len() == 2;
        if original.reverses.is_some() || (!in_part && self.amount.is_some()) {
            return Err(RejectReason::NotReversible);
        }
        let whole = first.money.amount.decimal();
        let left = exact_sub(whole, state.reversed(self.original_id));
        let left = left.ok_or(RejectReason::ExceedsOriginal)?;
        let amount = self.amount.map_or(left, Amount::decimal);
        let exceeds = if in_part { amount > left || amount.is_zero() } else { left != whole };
        if exceeds {
            return Err(RejectReason::ExceedsOriginal);
        }
        let back = original.legs.iter().rev().map(|leg| {
            let part = if in_part { amount } else { leg.money.amount.decimal() };
            let amount = if leg.direction == Direction::Credit { -part } else { part };
            PlannedLeg { account: leg.account.account_id, amount, currency: leg.money.currency }
        });
        let legs: Vec<PlannedLeg> = back.collect();
        check_accounts(state, &legs)?;
        check_debits(state, &legs, None)?;
        check_postings(state, &legs)?;
        Ok(Plan::Post { legs, spends: false, reverses: Some((self.original_id, amount)) })
    }

    fn describes(&self) -> Description<'_> {
        let debtor = Debtor::OfReversal(self.original_id);
        Description { debtor, about: Some(self.original_id), ..Description::default() }
    }
}
