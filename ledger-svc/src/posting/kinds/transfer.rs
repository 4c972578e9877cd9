//! A transfer: from one debtor to one creditor.

use shared_events::Money;

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        currencies::{may_move, supported},
        instruction::Party,
        legs::{between, spend},
        lock_set::LockSet,
        plan::Plan,
        reason::RejectReason,
        state::PostingState,
        validate::{Checked, check_money},
    },
};

/// A transfer from a debtor to a creditor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount.
    pub money: Money,
    /// Whether less moves if less is available, but not nothing.
    pub allow_partial: bool,
}

impl KindRules for Transfer {
    fn refers(&self, set: &mut LockSet) {
        set.party(&self.debtor, self.money.currency);
        set.party(&self.creditor, self.money.currency);
    }

    fn validates(&self, _: &PostingState, _: Now) -> Checked {
        check_money(self.money)?;
        supported(may_move(self.money.currency, &self.debtor, &self.creditor))
    }

    fn plans(&self, state: &PostingState, now: Now) -> Result<Plan, RejectReason> {
        let Self { debtor, creditor, money, allow_partial } = self;
        spend(state, between(state, debtor, creditor, *money, *allow_partial)?.into(), now)
    }

    fn describes(&self) -> Description<'_> {
        Description {
            debtor: Debtor::of_party(&self.debtor, self.money.currency),
            between: Some((&self.debtor, &self.creditor, self.money)),
            ..Description::default()
        }
    }
}
