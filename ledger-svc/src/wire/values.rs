//! The parts that messages of both directions share: one function for each direction.

use shared_events::{
    accounts::{self as accounts_contract},
    ledger as contract,
};

use crate::{
    accounts::{Blocks, Status},
    balance_monitors::MonitorCondition,
    bank_calendar::HolidayRule,
    holds::HoldStatus,
    interest::{AtClosing, DayCount, InterestTerms},
    posting::{Party, ReleaseCause, Rounding},
    standing_orders::{ExecutionStatus, OrderTerms, Repeat, Schedule},
};

pub(super) fn party(party: &contract::Party) -> Party {
    match party {
        contract::Party::AccountId(id) => Party::AccountId(*id),
        contract::Party::Code(code) => Party::Code(code.clone()),
    }
}

pub(super) fn outbound_party(party: &Party) -> contract::Party {
    match party {
        Party::AccountId(id) => contract::Party::AccountId(*id),
        Party::Code(code) => contract::Party::Code(code.clone()),
    }
}

pub(super) const fn rounding(rounding: contract::Rounding) -> Rounding {
    match rounding {
        contract::Rounding::HalfEven => Rounding::HalfEven,
        contract::Rounding::HalfUp => Rounding::HalfUp,
        contract::Rounding::Down => Rounding::Down,
    }
}

pub(super) const fn outbound_rounding(rounding: Rounding) -> contract::Rounding {
    match rounding {
        Rounding::HalfEven => contract::Rounding::HalfEven,
        Rounding::HalfUp => contract::Rounding::HalfUp,
        Rounding::Down => contract::Rounding::Down,
    }
}

/// The directions that a freeze refuses.
#[must_use]
pub const fn blocks(blocks: accounts_contract::Blocks) -> Blocks {
    match blocks {
        accounts_contract::Blocks::Debits => Blocks::Debits,
        accounts_contract::Blocks::Credits => Blocks::Credits,
        accounts_contract::Blocks::Both => Blocks::Both,
    }
}

pub(super) const fn outbound_blocks(blocks: Blocks) -> accounts_contract::Blocks {
    match blocks {
        Blocks::Debits => accounts_contract::Blocks::Debits,
        Blocks::Credits => accounts_contract::Blocks::Credits,
        Blocks::Both => accounts_contract::Blocks::Both,
    }
}

pub(super) const fn outbound_status(status: Status) -> contract::LedgerStatus {
    match status {
        Status::Active => contract::LedgerStatus::Active,
        Status::Frozen => contract::LedgerStatus::Frozen,
        Status::Locked => contract::LedgerStatus::Locked,
        Status::Closed => contract::LedgerStatus::Closed,
    }
}

pub(super) const fn outbound_hold_status(status: HoldStatus) -> contract::HoldStatus {
    match status {
        HoldStatus::Open => contract::HoldStatus::Open,
        HoldStatus::Captured => contract::HoldStatus::Captured,
        HoldStatus::Released => contract::HoldStatus::Released,
        HoldStatus::Expired => contract::HoldStatus::Expired,
    }
}

pub(super) const fn outbound_release_cause(cause: ReleaseCause) -> contract::ReleaseCause {
    match cause {
        ReleaseCause::Released => contract::ReleaseCause::Released,
        ReleaseCause::Expired => contract::ReleaseCause::Expired,
        ReleaseCause::Captured => contract::ReleaseCause::Captured,
    }
}

pub(super) const fn outbound_execution_status(
    status: ExecutionStatus,
) -> contract::ExecutionStatus {
    match status {
        ExecutionStatus::Waiting => contract::ExecutionStatus::Waiting,
        ExecutionStatus::Executed => contract::ExecutionStatus::Executed,
        ExecutionStatus::Missed => contract::ExecutionStatus::Missed,
    }
}

pub(super) const fn condition(condition: contract::MonitorCondition) -> MonitorCondition {
    match condition {
        contract::MonitorCondition::Below(mark) => MonitorCondition::Below(mark),
        contract::MonitorCondition::Above(mark) => MonitorCondition::Above(mark),
        contract::MonitorCondition::ChangeBy(amount) => MonitorCondition::ChangeBy(amount),
    }
}

pub(super) const fn outbound_condition(condition: MonitorCondition) -> contract::MonitorCondition {
    match condition {
        MonitorCondition::Below(mark) => contract::MonitorCondition::Below(mark),
        MonitorCondition::Above(mark) => contract::MonitorCondition::Above(mark),
        MonitorCondition::ChangeBy(amount) => contract::MonitorCondition::ChangeBy(amount),
    }
}

pub(super) fn interest_terms(terms: &contract::InterestTerms) -> InterestTerms {
    InterestTerms {
        valid_from: terms.valid_from,
        credit_rate: terms.credit_rate,
        debit_rate: terms.debit_rate,
        day_count: match terms.day_count {
            contract::DayCount::Act365 => DayCount::Act365,
            contract::DayCount::Act360 => DayCount::Act360,
            contract::DayCount::ThirtyE360 => DayCount::ThirtyE360,
        },
        rounding: rounding(terms.rounding),
        statement_fee: terms.statement_fee,
        at_closing: match terms.at_closing {
            contract::AtClosing::Forfeit => AtClosing::Forfeit,
            contract::AtClosing::Pay => AtClosing::Pay,
        },
    }
}

pub(super) fn outbound_interest_terms(terms: &InterestTerms) -> contract::InterestTerms {
    contract::InterestTerms {
        valid_from: terms.valid_from,
        credit_rate: terms.credit_rate,
        debit_rate: terms.debit_rate,
        day_count: match terms.day_count {
            DayCount::Act365 => contract::DayCount::Act365,
            DayCount::Act360 => contract::DayCount::Act360,
            DayCount::ThirtyE360 => contract::DayCount::ThirtyE360,
        },
        rounding: outbound_rounding(terms.rounding),
        statement_fee: terms.statement_fee,
        at_closing: match terms.at_closing {
            AtClosing::Forfeit => contract::AtClosing::Forfeit,
            AtClosing::Pay => contract::AtClosing::Pay,
        },
    }
}

pub(super) fn order_terms(terms: &contract::OrderTerms) -> OrderTerms {
    OrderTerms {
        creditor: party(&terms.creditor),
        money: terms.money,
        allow_partial: terms.up_to,
        reference: terms.reference.clone(),
        end_to_end_id: terms.end_to_end_id.clone(),
        schedule: Schedule {
            first: terms.schedule.first,
            repeat: terms.schedule.repeat.map(repeat),
            last: terms.schedule.last,
            times: terms.schedule.times,
        },
        on_holiday: match terms.on_holiday {
            contract::HolidayRule::After => HolidayRule::After,
            contract::HolidayRule::Before => HolidayRule::Before,
            contract::HolidayRule::Skip => HolidayRule::Skip,
            contract::HolidayRule::Same => HolidayRule::Same,
        },
        retry_days: terms.retry_days,
    }
}

pub(super) fn outbound_order_terms(terms: OrderTerms) -> contract::OrderTerms {
    contract::OrderTerms {
        creditor: outbound_party(&terms.creditor),
        money: terms.money,
        up_to: terms.allow_partial,
        reference: terms.reference,
        end_to_end_id: terms.end_to_end_id,
        schedule: contract::Schedule {
            first: terms.schedule.first,
            repeat: terms.schedule.repeat.map(outbound_repeat),
            last: terms.schedule.last,
            times: terms.schedule.times,
        },
        on_holiday: match terms.on_holiday {
            HolidayRule::After => contract::HolidayRule::After,
            HolidayRule::Before => contract::HolidayRule::Before,
            HolidayRule::Skip => contract::HolidayRule::Skip,
            HolidayRule::Same => contract::HolidayRule::Same,
        },
        retry_days: terms.retry_days,
    }
}

fn repeat(repeat: contract::Repeat) -> Repeat {
    match repeat {
        contract::Repeat::Days { every } => Repeat::Days { every },
        contract::Repeat::Weeks { every, on } => Repeat::Weeks { every, on: on.into() },
        contract::Repeat::Months { every, day } => Repeat::Months { every, day },
    }
}

fn outbound_repeat(repeat: Repeat) -> contract::Repeat {
    match repeat {
        Repeat::Days { every } => contract::Repeat::Days { every },
        Repeat::Weeks { every, on } => contract::Repeat::Weeks { every, on: on.into() },
        Repeat::Months { every, day } => contract::Repeat::Months { every, day },
    }
}
