//! The outcome of an instruction, as events and replies show it.

use std::sync::Arc;

use shared_events::ledger as contract;

use crate::{
    accounts::AccountAfter,
    posting::{
        HoldAfter, Instruction, InstructionOutcome, JournalRecord, Posted, PostedLeg, RejectReason,
        Rejected, Released,
    },
    wire::{kinds::action, values::outbound_release_cause},
};

/// A record.
#[must_use]
pub fn record(record: JournalRecord) -> contract::JournalRecord {
    let outcome = outcome(&record.outcome);
    contract::JournalRecord {
        author: record.author.map(Arc::unwrap_or_clone),
        instruction: instruction(record.instruction),
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome,
    }
}

fn instruction(instruction: Instruction) -> contract::Instruction {
    contract::Instruction {
        transfer_id: instruction.transfer_id,
        group: instruction.group,
        action: action(&instruction.kind),
        reference: instruction.reference,
        end_to_end_id: instruction.end_to_end_id,
        booking_date: instruction.booking_date,
        value_date: instruction.value_date,
    }
}

/// The outcome of an instruction.
#[must_use]
pub fn outcome(outcome: &InstructionOutcome) -> contract::InstructionOutcome {
    match outcome {
        InstructionOutcome::Posted(all) => contract::InstructionOutcome::Posted(posted(all)),
        InstructionOutcome::Held(held) => contract::InstructionOutcome::Held(contract::Held {
            debtor: account(&held.debtor),
            creditor: account(&held.creditor),
            money: held.money,
            expires_at: held.expires_at,
        }),
        InstructionOutcome::Released(release) => {
            contract::InstructionOutcome::Released(released(release))
        }
        InstructionOutcome::Rejected(rejection) => {
            contract::InstructionOutcome::Rejected(rejected(rejection))
        }
    }
}

fn posted(posted: &Posted) -> contract::Posted {
    contract::Posted {
        legs: posted.legs.iter().map(posted_leg).collect(),
        hold: posted.hold.as_ref().map(hold_after),
        reverses: posted.reverses,
    }
}

pub(super) fn posted_leg(leg: &PostedLeg) -> contract::PostedLeg {
    contract::PostedLeg {
        account: account(&leg.account),
        direction: leg.direction,
        money: leg.money,
    }
}

pub(super) const fn hold_after(hold: &HoldAfter) -> contract::HoldAfter {
    let HoldAfter { hold_id, remaining, released } = *hold;
    contract::HoldAfter { hold_id, remaining, released }
}

pub(super) fn released(released: &Released) -> contract::Released {
    contract::Released {
        hold_id: released.hold_id,
        cause: outbound_release_cause(released.cause).into(),
        debtor: account(&released.debtor),
        creditor: account(&released.creditor),
        money: released.money,
    }
}

pub(super) fn rejected(rejected: &Rejected) -> contract::Rejected {
    contract::Rejected {
        reason: reject_reason(rejected.reason).into(),
        account: rejected.account.as_ref().map(account),
    }
}

pub(super) fn account(account: &AccountAfter) -> contract::AccountAfter {
    contract::AccountAfter {
        account_id: account.account_id,
        code: account.code.clone(),
        balance: account.balance,
        available: account.available,
        version: account.version,
    }
}

/// The published reason for a rejection.
#[must_use]
pub const fn reject_reason(reason: RejectReason) -> contract::RejectReason {
    use contract::RejectReason as Published;
    match reason {
        RejectReason::ReservedId => Published::ReservedId,
        RejectReason::IdempotencyConflict => Published::IdempotencyConflict,
        RejectReason::NotPermitted => Published::NotPermitted,
        RejectReason::AmountNotPositive => Published::AmountNotPositive,
        RejectReason::TooManyDigits => Published::TooManyDigits,
        RejectReason::AmountTooLarge => Published::AmountTooLarge,
        RejectReason::UnsupportedCurrency => Published::UnsupportedCurrency,
        RejectReason::InvalidText => Published::InvalidText,
        RejectReason::InvalidBookingDate => Published::InvalidBookingDate,
        RejectReason::PeriodClosed => Published::PeriodClosed,
        RejectReason::BookingDateTooLate => Published::BookingDateTooLate,
        RejectReason::InvalidValueDate => Published::InvalidValueDate,
        RejectReason::InvalidExpiry => Published::InvalidExpiry,
        RejectReason::TooFewLegs => Published::TooFewLegs,
        RejectReason::TooManyLegs => Published::TooManyLegs,
        RejectReason::UnbalancedLegs => Published::UnbalancedLegs,
        RejectReason::InvalidRate => Published::InvalidRate,
        RejectReason::SameCurrency => Published::SameCurrency,
        RejectReason::SameAccount => Published::SameAccount,
        RejectReason::UnknownHold => Published::UnknownHold,
        RejectReason::HoldCaptured => Published::HoldCaptured,
        RejectReason::HoldReleased => Published::HoldReleased,
        RejectReason::HoldExpired => Published::HoldExpired,
        RejectReason::ExceedsHold => Published::ExceedsHold,
        RejectReason::UnknownTransfer => Published::UnknownTransfer,
        RejectReason::NotReversible => Published::NotReversible,
        RejectReason::ExceedsOriginal => Published::ExceedsOriginal,
        RejectReason::UnknownAccount => Published::UnknownAccount,
        RejectReason::AccountClosed => Published::AccountClosed,
        RejectReason::AccountFrozen => Published::AccountFrozen,
        RejectReason::AccountNotActive => Published::AccountNotActive,
        RejectReason::CurrencyMismatch => Published::CurrencyMismatch,
        RejectReason::TransferLimit => Published::TransferLimit,
        RejectReason::DailyLimit => Published::DailyLimit,
        RejectReason::MonthlyLimit => Published::MonthlyLimit,
        RejectReason::MinimumBalance => Published::MinimumBalance,
        RejectReason::InsufficientFunds => Published::InsufficientFunds,
        RejectReason::BalanceTooLarge => Published::BalanceTooLarge,
        RejectReason::GroupRejected => Published::GroupRejected,
    }
}
