//! A transfer: from one debtor to one creditor.

use shared_events::Money;

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        amounts::check_money,
        currencies::{may_move, supported},
        debit::NamedDebit,
        legs::between,
        lock_set::LockSet,
        party::Party,
        plan::Plan,
        reason::{Checked, RejectReason},
        view::PostingView,
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

    fn debits(&self, _: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let debtor = self.debtor.account_id(self.money.currency);
        debtor.into_iter().for_each(|debtor| each(NamedDebit::new(debtor, self.money)));
    }

    fn validates(&self, _: &dyn PostingView, _: Now) -> Checked {
        check_money(self.money)?;
        supported(may_move(self.money.currency, &self.debtor, &self.creditor))
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let Self { debtor, creditor, money, allow_partial } = self;
        Plan::spending(state, between(state, debtor, creditor, *money, *allow_partial)?.into(), now)
    }

    fn describes(&self) -> Description<'_> {
        Description {
            debtor: Debtor::of_party(&self.debtor, self.money.currency),
            between: Some((&self.debtor, &self.creditor, self.money)),
            ..Description::default()
        }
    }
}
