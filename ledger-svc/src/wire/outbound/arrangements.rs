//! Arrangements become events: made, or refused.

use shared_events::{
    AccountId, CommandId, Message,
    ledger::{
        self as contract, ArrangementRejected, LedgerArrangement, LedgerCommandRejected,
        LedgerReason, OrderChanged, OrderMissed,
    },
    messaging::{Event, Outcome},
};

use super::outcomes::reject_reason;
use crate::{
    accounting_periods::command::PeriodRefusal,
    refusals::{ArrangementReason, Refusal},
    standing_orders::{Order, command::AbandonedDate},
    wire::values::outbound_order_terms,
};

/// An order that was set, and the date that was abandoned with it.
pub(in crate::wire) fn order_set(order: Order, abandoned: Option<AbandonedDate>) -> Outcome {
    let (account_id, order_id) = (order.account, order.id);
    let (next_date, next_day) = (order.next.date, order.next.day);
    let terms = outbound_order_terms(order.terms);
    let changed = OrderChanged { account_id, order_id, terms, next_date, next_day };
    let mut announce = vec![Event::new(&changed)];
    let missed = abandoned.map(|date| missed((account_id, order_id), &date, Some(next_date)));
    announce.extend(missed);
    Outcome::Done { announce, told: vec![] }
}

/// An order that was cancelled, and the date that was abandoned with it.
pub(in crate::wire) fn order_cancelled(
    cancel: &contract::CancelOrder,
    abandoned: Option<AbandonedDate>,
) -> Outcome {
    let contract::CancelOrder { account_id, order_id } = *cancel;
    let cancelled = contract::OrderCancelled { account_id, order_id };
    let mut announce = vec![Event::new(&cancelled)];
    announce.extend(abandoned.map(|date| missed((account_id, order_id), &date, None)));
    Outcome::Done { announce, told: vec![] }
}

fn missed(
    (account_id, order_id): (AccountId, shared_events::OrderId),
    date: &AbandonedDate,
    next_date: Option<chrono::NaiveDate>,
) -> Event {
    Event::new(&OrderMissed {
        account_id,
        order_id,
        due_date: date.due_date,
        reason: reject_reason(date.reason).into(),
        attempts: date.attempts,
        transfer_id: None,
        next_date,
    })
}

/// A period that was closed, or not.
pub(in crate::wire) fn period(
    command_id: CommandId,
    close: &contract::ClosePeriod,
    closed: Result<(), PeriodRefusal>,
) -> Outcome {
    match closed {
        Ok(()) => {
            let through = close.through;
            Outcome::announce(&contract::PeriodClosed { command_id, through })
        }
        Err(refusal) => {
            let reason = match refusal {
                PeriodRefusal::InvalidPeriod => LedgerReason::InvalidPeriod,
                PeriodRefusal::NotOver => LedgerReason::PeriodNotOver,
                PeriodRefusal::NotForward => LedgerReason::PeriodNotForward,
            };
            period_refused(command_id, reason, refusal.rule())
        }
    }
}

fn period_refused(command_id: CommandId, reason: LedgerReason, rule: &str) -> Outcome {
    let command_type = contract::ClosePeriod::TYPE.to_owned();
    let message = rule.to_owned();
    let reason = reason.into();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// An arrangement that was refused.
pub(in crate::wire) fn refused(
    command_id: CommandId,
    arrangement: &LedgerArrangement,
    refusal: Refusal,
) -> Outcome {
    let Refusal { reason, field, message } = refusal;
    let (account_id, command_type) = match arrangement {
        LedgerArrangement::SetTerms(set) => (set.account_id, contract::SetTerms::TYPE),
        LedgerArrangement::SetMonitor(set) => (set.account_id, contract::SetMonitor::TYPE),
        LedgerArrangement::RemoveMonitor(remove) => {
            (remove.account_id, contract::RemoveMonitor::TYPE)
        }
        LedgerArrangement::SetOrder(set) => (set.account_id, contract::SetOrder::TYPE),
        LedgerArrangement::CancelOrder(cancel) => (cancel.account_id, contract::CancelOrder::TYPE),
        LedgerArrangement::ClosePeriod(_) => {
            let reason = match reason {
                ArrangementReason::NotPermitted => LedgerReason::NotPermitted,
                _ => LedgerReason::IdempotencyConflict,
            };
            return period_refused(command_id, reason, &message);
        }
    };
    Outcome::announce(&ArrangementRejected {
        command_id,
        command_type: command_type.to_owned(),
        account_id,
        reason: arrangement_reason(reason).into(),
        field: field.map(str::to_owned),
        message,
    })
}

const fn arrangement_reason(reason: ArrangementReason) -> contract::ArrangementReason {
    use contract::ArrangementReason as Published;
    match reason {
        ArrangementReason::UnknownAccount => Published::UnknownAccount,
        ArrangementReason::AccountClosed => Published::AccountClosed,
        ArrangementReason::InvalidField => Published::InvalidField,
        ArrangementReason::TooMany => Published::TooMany,
        ArrangementReason::UnknownMonitor => Published::UnknownMonitor,
        ArrangementReason::UnknownOrder => Published::UnknownOrder,
        ArrangementReason::IdempotencyConflict => Published::IdempotencyConflict,
        ArrangementReason::NotPermitted => Published::NotPermitted,
    }
}
