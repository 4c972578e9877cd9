//! Standing orders and scheduled transfers: money that moves by itself, on the dates of a schedule.
//!
//! Each date comes to one transfer, or to none: it is executed, or missed for good. A transfer has
//! an id that follows from account, order and date, so a date is never executed twice.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HolidayRule, Party, RejectReason, Schedule};
use crate::{
    code::{Open, codes},
    ids::{AccountId, OrderId, TransferId},
    message::{Query, messages},
    money::Money,
};

/// The most orders that one account has at a time.
pub const ORDERS_MAX: usize = 100;
/// The most days on which a date is tried again.
pub const ORDER_RETRY_DAYS_MAX: u32 = 30;
/// The most executions that one page has.
pub const EXECUTIONS_PAGE_MAX: u32 = 1_000;

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTerms {
    /// Who is paid: another account of the same currency.
    pub creditor: Party,
    /// How much: more than zero, at most 1,000,000,000,000,000 units, in the account's currency.
    pub money: Money,
    /// Move less if less is available, but not nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
    /// What it is for, at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 140))]
    pub reference: Option<String>,
    /// The debtor's own id, passed on unchanged with each transfer, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub end_to_end_id: Option<String>,
    /// When.
    pub schedule: Schedule,
    /// What happens on a date that is no banking day.
    #[serde(default)]
    pub on_holiday: HolidayRule,
    /// On how many days after its own a date is tried again, 0 to 30, where money is missing or the
    /// account is frozen. They are banking days, unless `on_holiday` is `same`.
    #[serde(default)]
    #[schemars(range(max = 30))]
    pub retry_days: u32,
}

/// `ledger.order.set.v1`: pay by these terms, from today on: dates that are over are left out. The
/// same order again has the new terms from then on; what was executed or missed stays so, and a
/// date that is being tried again is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetOrder {
    /// Who pays: a customer's account.
    pub account_id: AccountId,
    /// The order's id, made by the client. An account has at most 100.
    pub order_id: OrderId,
    /// What is ordered.
    pub terms: OrderTerms,
}

/// `ledger.order.cancel.v1`: pay no more. A date that is being tried again is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelOrder {
    /// Which account.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
}

/// `ledger.order.changed.v1`: an order has these terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderChanged {
    /// Who pays.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
    /// What is ordered.
    pub terms: OrderTerms,
    /// Its next date.
    pub next_date: NaiveDate,
    /// The day on which that is executed: the date, or a banking day near it.
    pub next_day: NaiveDate,
}

/// `ledger.order.cancelled.v1`: an order pays no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// Which account.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
}

/// `ledger.order.executed.v1`: a date of an order was executed. The transfer itself is told by
/// `ledger.transfers.posted.v1`, with the order's id as its `command_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderExecuted {
    /// Who paid.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
    /// Which date of its schedule.
    pub due_date: NaiveDate,
    /// The transfer that was posted.
    pub transfer_id: TransferId,
    /// How much moved.
    pub money: Money,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// The order's next date. Absent: it has none left, and is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<NaiveDate>,
}

/// `ledger.order.missed.v1`: a date of an order was missed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderMissed {
    /// Who was to pay.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
    /// Which date of its schedule.
    pub due_date: NaiveDate,
    /// Why nothing moved when it was tried last.
    pub reason: Open<RejectReason>,
    /// How often it was tried.
    pub attempts: u32,
    /// The transfer that was rejected. Absent: the order was set anew or cancelled while the date
    /// was being tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<TransferId>,
    /// The order's next date. Absent: it has none left, and is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<NaiveDate>,
}

codes! {
    /// What became of a date of an order so far.
    pub enum ExecutionStatus {
        /// It was tried, and is tried again.
        Waiting = "waiting",
        /// Money moved.
        Executed = "executed",
        /// Nothing moved, and nothing will.
        Missed = "missed",
    }
}

/// A date of an order that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderExecution {
    /// The date in the order's schedule.
    pub due_date: NaiveDate,
    /// What became of it so far.
    pub status: Open<ExecutionStatus>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why nothing moved when it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Open<RejectReason>>,
    /// The transfer that was posted or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<TransferId>,
    /// How much moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// When it was tried last, or given up.
    pub at: DateTime<Utc>,
}

/// An order as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderNow {
    /// Which order.
    pub order_id: OrderId,
    /// What is ordered.
    pub terms: OrderTerms,
    /// The next date.
    pub next_date: NaiveDate,
    /// The day on which that is executed, or tried again.
    pub next_day: NaiveDate,
    /// The last date that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_execution: Option<OrderExecution>,
}

/// `ledger.order.list.v1`: the orders of an account that have a date left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListOrders {
    /// Which account.
    pub account_id: AccountId,
}

/// `ledger.order.listed.v1`: the orders of an account, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrdersListed {
    /// Which account.
    pub account_id: AccountId,
    /// The orders.
    pub orders: Vec<OrderNow>,
}

/// `ledger.order.get.v1`: an order and its executions, the newest date first, a page at a time.
/// Answered by `ledger.order.found.v1`, or refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetOrder {
    /// Which account.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
    /// Only dates before this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NaiveDate>,
    /// The most to return, 1 to 1,000; 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `ledger.order.found.v1`: an order and a page of its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderFound {
    /// Which account.
    pub account_id: AccountId,
    /// Which order.
    pub order_id: OrderId,
    /// The order. Absent: it is over, or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderNow>,
    /// The dates that were tried, the newest first.
    pub executions: Vec<OrderExecution>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NaiveDate>,
}

messages! {
    Command "ledger.order.set.v1" SetOrder, subject |it| it.account_id.to_string();
    Command "ledger.order.cancel.v1" CancelOrder, subject |it| it.account_id.to_string();
    Event "ledger.order.changed.v1" OrderChanged,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.order.cancelled.v1" OrderCancelled,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.order.executed.v1" OrderExecuted,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.order.missed.v1" OrderMissed,
        subject |it| it.account_id.to_string(), key |_| None;
    Query "ledger.order.list.v1" ListOrders, subject |it| it.account_id.to_string();
    Reply "ledger.order.listed.v1" OrdersListed, subject |it| it.account_id.to_string();
    Query "ledger.order.get.v1" GetOrder, subject |it| it.account_id.to_string();
    Reply "ledger.order.found.v1" OrderFound, subject |it| it.account_id.to_string();
}

impl Query for ListOrders {
    type Reply = OrdersListed;
}

impl Query for GetOrder {
    type Reply = OrderFound;
}
