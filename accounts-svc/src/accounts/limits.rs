//! The limits of an account. Promise: a limit is zero or more, has the digits of the account's
//! currency, and a change leaves the limits that it does not name.

use shared_events::{Amount, Currency, Money};

use super::{
    change::{ChangeKind, Decision, advance},
    entity::{Account, SpendingLimit, SpendingLimits},
    lifecycle::Step,
};
use crate::fields::{FieldCheck, InvalidField, must};

/// New limits: the overdraft, and all spending limits where given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewLimits {
    pub(crate) overdraft_limit: Amount,
    pub(crate) spending: Option<SpendingLimits>,
}

/// A change of some limits: set where given, removed where lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitChange {
    pub(crate) overdraft_limit: Option<Amount>,
    pub(crate) given: SpendingLimits,
    pub(crate) lifted: Vec<SpendingLimit>,
}

/// The fields' paths in each of the two commands, in the order of [`SpendingLimit::ALL`].
const FIELDS_OF_NEW: [&str; 4] =
    ["spending.transfer", "spending.daily", "spending.monthly", "spending.minimum_balance"];
const FIELDS_OF_CHANGE: [&str; 4] = ["transfer", "daily", "monthly", "minimum_balance"];

impl NewLimits {
    /// The account with these limits. The rules need the account's currency.
    pub(super) fn set(&self, account: &Account) -> Decision {
        check_overdraft(self.overdraft_limit, account.currency)?;
        let spending = self.spending.unwrap_or(account.spending_limits);
        check_spending(&spending, account.currency, FIELDS_OF_NEW)?;
        with_limits(account, self.overdraft_limit, spending)
    }
}

impl LimitChange {
    /// Checks that no limit is both given and lifted, and that the change is not empty.
    pub(crate) fn checked(self) -> Result<Self, InvalidField> {
        let is_both = self.lifted.iter().any(|kind| self.given.get(*kind).is_some());
        must(!is_both, "lift", || "no limit that is given, too".to_owned())?;
        let is_any = !self.lifted.is_empty()
            || self.overdraft_limit.is_some()
            || self.given != SpendingLimits::default();
        must(is_any, "lift", || "at least one limit to set or to lift".to_owned())?;
        Ok(self)
    }

    /// The account with the changed limits.
    pub(super) fn apply(&self, account: &Account) -> Decision {
        let overdraft = self.overdraft_limit.unwrap_or(account.overdraft_limit);
        check_overdraft(overdraft, account.currency)?;
        check_spending(&self.given, account.currency, FIELDS_OF_CHANGE)?;
        let after = |kind| match self.lifted.contains(&kind) {
            true => None,
            false => self.given.get(kind).or(account.spending_limits.get(kind)),
        };
        let spending = SpendingLimits {
            transfer: after(SpendingLimit::Transfer),
            daily: after(SpendingLimit::Daily),
            monthly: after(SpendingLimit::Monthly),
            minimum_balance: after(SpendingLimit::MinimumBalance),
        };
        with_limits(account, overdraft, spending)
    }
}

fn with_limits(account: &Account, overdraft: Amount, spending: SpendingLimits) -> Decision {
    let mut change = advance(account, Step::SetLimits, ChangeKind::LimitsChanged)?;
    change.account.overdraft_limit = overdraft;
    change.account.spending_limits = spending;
    Ok(change)
}

/// Checks how far below zero an account in `currency` may go.
pub(super) fn check_overdraft(limit: Amount, currency: Currency) -> FieldCheck {
    check_limit("overdraft_limit", limit, currency)
}

fn check_spending(
    limits: &SpendingLimits,
    currency: Currency,
    fields: [&'static str; 4],
) -> FieldCheck {
    for (field, kind) in fields.into_iter().zip(SpendingLimit::ALL) {
        limits.get(kind).map_or(Ok(()), |limit| check_limit(field, limit, currency))?;
    }
    Ok(())
}

fn check_limit(field: &'static str, limit: Amount, currency: Currency) -> FieldCheck {
    let most = currency.amount_max();
    must((Amount::ZERO..=Amount(most)).contains(&limit), field, || format!("0 to {most}"))?;
    must(Money { amount: limit, currency }.fits_currency(), field, || {
        format!("at most {} digits after the point, as {currency} has", currency.digits())
    })
}

#[cfg(test)]
mod tests;
