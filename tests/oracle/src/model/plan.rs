//! The plan of a valid instruction, and the broken rules of an invalid one.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, Money, TransferId, ledger::RejectReason};

/// An account and an amount: a credit if the amount is positive, a debit if it is negative.
pub(super) type Line = (AccountId, Money);

/// The plan of an instruction.
pub(super) enum Plan {
    Post { lines: Vec<Line>, spends: bool, reverses: Option<(TransferId, Decimal)> },
    Hold { lines: Vec<Line>, expires_at: DateTime<Utc> },
    Capture { hold: TransferId, captured: Decimal, released: Decimal },
    Release { hold: TransferId },
}

/// The broken rules.
pub(super) type Broken = BTreeSet<RejectReason>;
