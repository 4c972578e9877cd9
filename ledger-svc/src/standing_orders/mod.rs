//! Standing orders: transfers that the ledger makes by itself, on the dates of a schedule.
//!
//! ```text
//! entity     the order, its terms and its next date
//! schedule   the dates of a schedule
//! execution  a date becomes a transfer
//! terms_v1   the stored terms: frozen
//! command    setting and cancelling an order
//! query      orders and their executions
//! job        executes the dates that are due
//! repo       the tables of orders and executions
//! ```

pub(crate) mod command;
mod entity;
mod execution;
mod job;
pub(crate) mod query;
pub(crate) mod repo;
mod schedule;
mod terms_v1;

pub use entity::{Attempt, DueDate, Order, OrderTerms, check_order, dues_from};
pub(crate) use entity::{ExecutionStatus, ORDER_RETRY_DAYS_MAX, OrderExecution};
pub use execution::{Execution, execute, execution_id};
pub(crate) use job::{OrderAttempt, OrderAttempts, OrderJob};
pub use schedule::{Repeat, Schedule, check_schedule, dates_from};
pub(crate) use schedule::{SCHEDULE_DAYS_MAX, SCHEDULE_EVERY_MAX, SCHEDULE_TIMES_MAX};
