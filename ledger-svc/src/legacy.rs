//! The names that modules had before they moved.

pub mod domain {
    pub use crate::account_lifecycle::closing as settle;
    pub use crate::account_lifecycle::rules as follow;
    pub use crate::account_lifecycle::rules::{AccountEvent, Followed};
    pub use crate::accounts::entity as account;
    pub use crate::accounts::entity::{Account, Limits, Spent, Status, own_account_id};
    pub use crate::balance_monitors::entity as monitor;
    pub use crate::balance_monitors::entity::Monitor;
    pub use crate::bank_calendar::banking_days as calendar;
    pub use crate::bank_calendar::banking_days::{Calendar, InvalidCalendar};
    pub use crate::bank_calendar::booking_dates as dates;
    pub use crate::bank_calendar::booking_dates::BookingDates;
    pub use crate::digit_correction::rules as digits;
    pub use crate::hold_expiry::rules as due;
    pub use crate::holds::entity as hold;
    pub use crate::holds::entity::Held;
    pub use crate::interest::accrual as interest;
    pub use crate::interest::accrual::{
        Bearing, TooMuchInterest, check_terms, day_fraction, next_month,
    };
    pub use crate::interest::capitalisation as capitalise;
    pub use crate::interest::capitalisation::{
        Capitalised, Charge, DueMonth, MonthlyInterest, charge_id,
    };
    pub use crate::posting::apply as carry;
    pub use crate::posting::currency;
    pub use crate::posting::engine as plan;
    pub use crate::posting::engine::Now;
    pub(crate) use crate::posting::engine::account_id;
    pub use crate::posting::own_ids as record;
    pub use crate::posting::own_ids::{
        expiry_id, is_own_id, own_id, payout_id, posted_legs, two_sides,
    };
    pub use crate::posting::state as books;
    pub use crate::posting::state::{Books, Decided, Loaded, Outcome};
    pub use crate::posting::tracked;
    pub use crate::posting::validate as form;
    pub use crate::posting::validate::BOOKING_YEARS;
    pub use crate::refusals as rule;
    pub use crate::refusals::BrokenRule;
    pub use crate::standing_orders::entity as order;
    pub use crate::standing_orders::entity::{Due, Order, check_order};
    pub use crate::standing_orders::execution as execute;
    pub use crate::standing_orders::execution::{Attempt, Execution, execution_id};
    pub use crate::standing_orders::schedule;
}
pub(crate) mod store {
    pub(crate) use crate::accounting_periods::repo as periods;
    pub(crate) use crate::accounts::repo as accounts;
    pub(crate) use crate::accounts::repo_queries as queries;
    pub(crate) use crate::audit::repo_journal as proof;
    pub(crate) use crate::audit::repo_snapshot as kept;
    pub(crate) use crate::balance_monitors::repo as monitors;
    pub(crate) use crate::columns::*;
    pub(crate) use crate::due_work::repo as set_aside;
    pub(crate) use crate::holds::repo as holds;
    pub(crate) use crate::interest::repo as interest;
    pub(crate) use crate::journal::repo as journal;
    pub(crate) use crate::posting::repo as book;
    pub(crate) use crate::standing_orders::repo as orders;
    pub(crate) use crate::statements::repo as history;
}
pub(crate) mod handle {
    pub(crate) use crate::wire::outbound as announce;
    pub(crate) use crate::wire::query as answer;
    pub(crate) mod arrange {
        pub(crate) use crate::wire::command::*;
    }
    pub(crate) use crate::audit::query as proof;
    pub(crate) use crate::bank_calendar::bank_time;
    pub(crate) use crate::bank_calendar::bank_time::BankTime;
    pub(crate) use crate::command_batch::command as post;
    pub(crate) use crate::command_batch::command::Post;
    pub(crate) use crate::interest::query as interest;
    pub(crate) use crate::interest::repo_due as unsettled;
    pub(crate) use crate::journal::job as months;
    pub(crate) use crate::journal::job::Months;
    pub(crate) use crate::posting::session as desk;
    pub(crate) use crate::statements::query as history;
    pub(crate) use crate::wire::command::Arrange;
    pub(crate) use crate::wire::inbound as asked;
    pub(crate) use crate::wire::job as due;
    pub(crate) use crate::wire::job::Due;
    pub(crate) use crate::wire::query::Answers;
}
pub(crate) mod due {
    pub(crate) use crate::digit_correction::job as digits;
    pub(crate) use crate::due_work::gauges;
    pub(crate) use crate::due_work::job as round;
    pub(crate) use crate::hold_expiry::job as holds;
    pub(crate) use crate::interest::job as interest;
    pub(crate) use crate::standing_orders::job as orders;
}
