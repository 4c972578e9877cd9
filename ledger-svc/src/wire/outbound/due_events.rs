//! Due work becomes events, each with the message that it names as its cause.

use shared_events::{
    MessageId,
    ledger::{OrderExecuted, OrderMissed},
    messaging::Event,
};

use super::{
    events::{OutcomeEvents, month_events},
    outcomes::reject_reason,
};
use crate::{
    digit_correction::CorrectedBalances,
    hold_expiry::ExpiredHolds,
    interest::CapitalisedMonths,
    standing_orders::{Attempt, OrderAttempt, OrderAttempts},
};

/// An event, and the message that caused it.
pub(in crate::wire) type CausedEvent = (MessageId, Event);

/// The events of capitalised months.
pub(in crate::wire) fn capitalised_months(done: &CapitalisedMonths) -> Vec<CausedEvent> {
    let months = done.months.iter();
    let caused = months.flat_map(|month| {
        month_events(&done.state, month).into_iter().map(|event| (month.cause, event))
    });
    caused.collect()
}

/// The events of expired holds: no command asked for them.
pub(in crate::wire) fn expired_holds(done: &ExpiredHolds) -> Vec<CausedEvent> {
    let mut caused = Vec::new();
    for (cause, release) in &done.releases {
        let mut events = OutcomeEvents::default();
        events.add(&done.state, *release);
        caused.extend(events.into_expiries().into_iter().map(|event| (*cause, event)));
    }
    caused
}

/// The events of corrected balances.
pub(in crate::wire) fn corrected_balances(done: &CorrectedBalances) -> Vec<CausedEvent> {
    let mut caused = Vec::new();
    for transfer in &done.transfers {
        let cause = MessageId(transfer.uuid());
        let mut events = OutcomeEvents::default();
        events.add(&done.state, *transfer);
        caused.extend(events.into_events(cause).into_iter().map(|event| (cause, event)));
    }
    caused
}

/// The events of attempts at standing orders: the transfer, then the date's state.
pub(in crate::wire) fn order_attempts(done: &OrderAttempts) -> Vec<CausedEvent> {
    let mut caused = Vec::new();
    for attempt in &done.attempts {
        let cause = attempt.order.cause();
        let execution = &attempt.execution;
        let mut events = Vec::new();
        if let Some(transfer) = execution.transfer.filter(|_| execution.is_new) {
            let mut outcome = OutcomeEvents::default();
            outcome.add(&done.state, transfer);
            events = outcome.into_events(cause);
        }
        events.extend(order_event(attempt));
        caused.extend(events.into_iter().map(|event| (cause, event)));
    }
    caused
}

fn order_event(attempt: &OrderAttempt) -> Option<Event> {
    let (order, attempts) = (&attempt.order, attempt.number());
    let next_date = attempt.after.as_ref().map(|after| after.next.date);
    let (account_id, order_id, due_date) = (order.account, order.id, order.next.date);
    match (&attempt.execution.attempt, attempt.execution.transfer) {
        (Attempt::Executed(money), Some(transfer_id)) => Some(Event::new(&OrderExecuted {
            account_id,
            order_id,
            due_date,
            transfer_id,
            money: *money,
            attempts,
            next_date,
        })),
        (Attempt::Missed(reason), transfer_id) => Some(Event::new(&OrderMissed {
            account_id,
            order_id,
            due_date,
            reason: reject_reason(*reason).into(),
            attempts,
            transfer_id,
            next_date,
        })),
        (Attempt::Waiting(_), _) | (Attempt::Executed(_), None) => None,
    }
}
