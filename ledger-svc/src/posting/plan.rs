//! The plan of an instruction: the change of the accounts, after all rules have been checked.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::TransferId;

use super::{
    legs::{PlannedLeg, check_accounts, check_debits, check_postings},
    outcome::ReleaseCause,
    reason::RejectReason,
    view::PostingView,
};
use crate::bank_calendar::Now;

/// The change that an instruction makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Post these legs. `spends`: the debits count as spent, and keep to the debtors' available
    /// amounts. `reverses`: the original transfer, and the amount of it.
    Post { legs: Vec<PlannedLeg>, spends: bool, reverses: Option<(TransferId, Decimal)> },
    /// Reserve money until an instant.
    Hold { legs: [PlannedLeg; 2], expires_at: DateTime<Utc> },
    /// Post a part of a hold, and release another part.
    Capture { hold_id: TransferId, captured: Decimal, released: Decimal },
    /// Release the rest of a hold.
    Release { hold_id: TransferId, cause: ReleaseCause },
}

impl Plan {
    /// A posting whose debits count as spent, or the first rule of its accounts against it.
    pub(super) fn spending(
        state: &dyn PostingView,
        legs: Vec<PlannedLeg>,
        now: Now,
    ) -> Result<Self, RejectReason> {
        check_accounts(state, &legs)?;
        check_debits(state, &legs, Some(now.today))?;
        check_postings(state, &legs)?;
        Ok(Self::Post { legs, spends: true, reverses: None })
    }

    /// A posting of the ledger's own, which no limit stops.
    pub(crate) const fn internal(legs: Vec<PlannedLeg>) -> Self {
        Self::Post { legs, spends: false, reverses: None }
    }
}
