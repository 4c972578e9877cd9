//! A date of a standing order becomes a transfer. Promise: one transfer for each date, under an id
//! that follows from account, order and date; it is decided like any other, and no decision is made
//! while the date can be tried again.

use chrono::NaiveDate;
use shared_events::{
    AccountId, MessageId, Money, OrderId, TransferId,
    ledger::{
        Action, ExecutionStatus, Instruction, InstructionOutcome, Party, Payment, RejectReason,
    },
};

use crate::legacy::domain::{
    books::{Books, Outcome},
    calendar::Calendar,
    order::Order,
    plan::{Now, plan},
    record::own_id,
};

/// What came of an attempt at a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// So much moved.
    Executed(Money),
    /// Nothing moved for this reason, and nothing was decided.
    Waiting(RejectReason),
    /// Nothing moved for this reason, and nothing will.
    Missed(RejectReason),
}

impl Attempt {
    /// What became of the date so far.
    #[must_use]
    pub const fn status(&self) -> ExecutionStatus {
        match self {
            Self::Executed(_) => ExecutionStatus::Executed,
            Self::Waiting(_) => ExecutionStatus::Waiting,
            Self::Missed(_) => ExecutionStatus::Missed,
        }
    }
}

/// An attempt at a date, and the transfer that was decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// What came of it.
    pub attempt: Attempt,
    /// The transfer, where it came to one.
    pub transfer: Option<TransferId>,
    /// Whether that was decided now.
    pub is_new: bool,
}

/// The id of the transfer that a date of an order comes to: one of the ledger's own.
#[must_use]
pub fn execution_id(account: AccountId, order: OrderId, date: NaiveDate) -> TransferId {
    TransferId(own_id(account.uuid(), &format!("order:{order}:{date}")))
}

/// Whether what stands in the way may be gone on another day.
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
    /// What causes its transfers, and what these name as their command.
    #[must_use]
    pub const fn cause(&self) -> MessageId {
        MessageId(self.id.uuid())
    }

    /// The id of the transfer that its next date comes to.
    #[must_use]
    pub fn transfer_id(&self) -> TransferId {
        execution_id(self.account, self.id, self.next.date)
    }

    /// Whether a date that was missed for this reason was the last.
    pub(crate) const fn ends_by(reason: RejectReason) -> bool {
        matches!(reason, RejectReason::AccountClosed)
    }

    fn instruction(&self) -> Instruction {
        let terms = &self.terms;
        let payment = Payment {
            debtor: Party::AccountId(self.account),
            creditor: terms.creditor.clone(),
            money: terms.money,
            up_to: terms.up_to,
        };
        Instruction {
            transfer_id: self.transfer_id(),
            group: None,
            action: Action::Transfer(payment),
            reference: terms.reference.clone(),
            end_to_end_id: terms.end_to_end_id.clone(),
            booking_date: None,
            value_date: None,
        }
    }
}

impl Books {
    /// Tries the next date of an order.
    pub fn execute(&mut self, order: &Order, now: Now, calendar: &Calendar) -> Execution {
        let instruction = order.instruction();
        let id = instruction.transfer_id;
        if self.known(id).is_none()
            && let Err(reason) = plan(self, &instruction, now)
            && may_pass(reason)
            && now.today < order.last_try(calendar)
        {
            let attempt = Attempt::Waiting(reason);
            return Execution { attempt, transfer: None, is_new: false };
        }
        let told = self.submit(order.cause(), instruction, now);
        let taken = Attempt::Missed(RejectReason::IdempotencyConflict);
        let attempt = match (&told, self.known(id).map(|it| &it.record.outcome)) {
            (Outcome::Refused(_, reason), _) => Attempt::Missed(*reason),
            (_, None) => taken,
            (_, Some(InstructionOutcome::Held(_) | InstructionOutcome::Released(_))) => taken,
            (_, Some(InstructionOutcome::Rejected(it))) => Attempt::Missed(it.reason),
            (_, Some(InstructionOutcome::Posted(it))) => {
                it.legs.first().map_or(taken, |leg| Attempt::Executed(leg.money))
            }
        };
        let is_new = matches!(told, Outcome::New(_));
        Execution { attempt, transfer: Some(id), is_new }
    }
}
