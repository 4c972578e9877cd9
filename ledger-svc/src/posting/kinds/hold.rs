//! A hold: money of a debtor is reserved for a creditor. The amount counts as spent until it is
//! captured, released or expired.

use chrono::{DateTime, TimeDelta, Utc};
use shared_events::Money;

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        amounts::check_money,
        currencies::{may_move, supported},
        debit::NamedDebit,
        legs::{between, check_accounts, check_debits, check_holds},
        lock_set::LockSet,
        party::Party,
        plan::Plan,
        reason::{Checked, RejectReason},
        view::PostingView,
    },
};

/// The longest duration of a hold, in days.
pub(crate) const HOLD_DAYS_MAX: i64 = 400;

/// Reserves money of a debtor for a creditor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount.
    pub money: Money,
    /// Whether less is reserved if less is available, but not nothing.
    pub allow_partial: bool,
    /// The instant at which the hold expires.
    pub expires_at: DateTime<Utc>,
}

impl KindRules for PlaceHold {
    fn refers(&self, set: &mut LockSet) {
        set.party(&self.debtor, self.money.currency);
        set.party(&self.creditor, self.money.currency);
    }

    fn debits(&self, _: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let debtor = self.debtor.account_id(self.money.currency);
        debtor.into_iter().for_each(|debtor| each(NamedDebit::new(debtor, self.money)));
    }

    fn validates(&self, _: &dyn PostingView, now: Now) -> Checked {
        check_money(self.money)?;
        supported(may_move(self.money.currency, &self.debtor, &self.creditor))?;
        let latest = now.instant + TimeDelta::days(HOLD_DAYS_MAX);
        match self.expires_at > now.instant && self.expires_at <= latest {
            true => Ok(()),
            false => Err(RejectReason::InvalidExpiry),
        }
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let Self { debtor, creditor, money, allow_partial, expires_at } = self;
        let legs = between(state, debtor, creditor, *money, *allow_partial)?;
        check_accounts(state, &legs)?;
        check_debits(state, &legs, Some(now.today))?;
        check_holds(state, &legs)?;
        Ok(Plan::Hold { legs, expires_at: *expires_at })
    }

    fn describes(&self) -> Description<'_> {
        Description {
            debtor: Debtor::of_party(&self.debtor, self.money.currency),
            between: Some((&self.debtor, &self.creditor, self.money)),
            ..Description::default()
        }
    }
}
