//! A date of a standing order becomes a transfer. Promise: one transfer for each date, under an id
//! that follows from account, order and date; the transfer is decided like any other, and no
//! decision is made while the date can be tried again.

use chrono::NaiveDate;
use shared_events::{AccountId, MessageId, OrderId, TransferId, access::Rights};

use super::entity::{Attempt, Order};
use crate::{
    bank_calendar::{Calendar, Now},
    posting::{
        Author, Instruction, InstructionOutcome, Kind, Party, PostingState, RejectReason,
        Submitted, Transfer, own_id, plan,
    },
};

/// An attempt at a date, and the transfer that was decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The result.
    pub attempt: Attempt,
    /// The transfer, if one was decided.
    pub transfer: Option<TransferId>,
    /// Whether the transfer was decided now.
    pub is_new: bool,
}

/// The id of the transfer of a date: one of the ledger's own.
#[must_use]
pub fn execution_id(account: AccountId, order: OrderId, date: NaiveDate) -> TransferId {
    TransferId(own_id(account.uuid(), &format!("order:{order}:{date}")))
}

/// Whether another attempt on a later day may succeed.
const fn may_pass(reason: RejectReason) -> bool {
    matches!(
        reason,
        RejectReason::InsufficientFunds
            | RejectReason::MinimumBalance
            | RejectReason::DailyLimit
            | RejectReason::MonthlyLimit
            | RejectReason::AccountFrozen
    )
}

impl Order {
    /// The cause of the order's transfers, which they name as their command.
    #[must_use]
    pub const fn cause(&self) -> MessageId {
        MessageId(self.id.uuid())
    }

    /// The id of the next date's transfer.
    #[must_use]
    pub fn transfer_id(&self) -> TransferId {
        execution_id(self.account, self.id, self.next.date)
    }

    fn instruction(&self) -> Instruction {
        let terms = &self.terms;
        let kind = Kind::Transfer(Transfer {
            debtor: Party::AccountId(self.account),
            creditor: terms.creditor.clone(),
            money: terms.money,
            allow_partial: terms.allow_partial,
        });
        Instruction {
            end_to_end_id: terms.end_to_end_id.clone(),
            ..Instruction::internal(self.transfer_id(), kind, terms.reference.clone())
        }
    }
}

/// Tries the next date of an order.
pub fn execute(
    state: &mut PostingState,
    order: &Order,
    now: Now,
    calendar: &Calendar,
) -> Execution {
    let instruction = order.instruction();
    let id = instruction.transfer_id;
    if state.known(id).is_none()
        && let Err(reason) = plan(state, &instruction, &Rights::everything(), now)
        && may_pass(reason)
        && now.today < order.last_try(calendar)
    {
        let attempt = Attempt::Waiting(reason);
        return Execution { attempt, transfer: None, is_new: false };
    }
    let submitted = state.submit(&Author::ledger(order.cause()), instruction, now);
    let taken = Attempt::Missed(RejectReason::IdempotencyConflict);
    let outcome = state.known(id).map(|known| &known.record.outcome);
    let attempt = match (&submitted, outcome) {
        (Submitted::Refused(_, reason), _) => Attempt::Missed(*reason),
        (_, None) => taken,
        (_, Some(InstructionOutcome::Held(_) | InstructionOutcome::Released(_))) => taken,
        (_, Some(InstructionOutcome::Rejected(rejected))) => Attempt::Missed(rejected.reason),
        (_, Some(InstructionOutcome::Posted(posted))) => {
            posted.legs.first().map_or(taken, |leg| Attempt::Executed(leg.money))
        }
    };
    let is_new = matches!(submitted, Submitted::New(_));
    Execution { attempt, transfer: Some(id), is_new }
}
