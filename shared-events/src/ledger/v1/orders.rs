//! Standing orders and scheduled transfers: transfers on the dates of a schedule.
//!
//! Each date leads to one transfer or to none: the date is executed, or missed for good. The id of
//! the transfer follows from account, order and date, so no date is executed twice.

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

/// The maximal number of current orders of one account.
pub const ORDERS_MAX: usize = 100;
/// The maximal number of days on which a date is tried again.
pub const ORDER_RETRY_DAYS_MAX: u32 = 30;
/// The maximal number of executions on one page.
pub const EXECUTIONS_PAGE_MAX: u32 = 1_000;

/// The terms of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTerms {
    /// The creditor: another account in the same currency.
    pub creditor: Party,
    /// The amount: more than zero, at most 1,000,000,000,000,000 units, in the account's currency.
    pub money: Money,
    /// Moves the available amount, but not zero, if the debtor has less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
    /// The reference (remittance information), at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 140))]
    pub reference: Option<String>,
    /// The debtor's end-to-end id, passed on unchanged with each transfer, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub end_to_end_id: Option<String>,
    /// The dates of the order.
    pub schedule: Schedule,
    /// The treatment of a date that is not a banking day.
    #[serde(default)]
    pub on_holiday: HolidayRule,
    /// The number of further days on which a date is tried again, 0 to 30, if funds are
    /// insufficient or the account is frozen. These are banking days, unless `on_holiday` is
    /// `same`.
    #[serde(default)]
    #[schemars(range(max = 30))]
    pub retry_days: u32,
}

/// `ledger.order.set.v1`: sets an order from today on; past dates of its schedule are left out. A
/// second command for the same order replaces its terms; executed and missed dates stay as they
/// are, and a date that is being tried again is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetOrder {
    /// The debtor: the account of a customer.
    pub account_id: AccountId,
    /// The id of the order, made by the client. An account has at most 100 orders.
    pub order_id: OrderId,
    /// The terms of an order.
    pub terms: OrderTerms,
}

/// `ledger.order.cancel.v1`: cancels an order. A date that is being tried again is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelOrder {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
}

/// `ledger.order.changed.v1`: the terms of an order were set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderChanged {
    /// The debtor.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// The terms of an order.
    pub terms: OrderTerms,
    /// The next date of the schedule.
    pub next_date: NaiveDate,
    /// The day of the next execution: the next date, or a banking day near that date.
    pub next_day: NaiveDate,
}

/// `ledger.order.cancelled.v1`: an order was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
}

/// `ledger.order.executed.v1`: a date of an order was executed. `ledger.transfers.posted.v1`
/// announces the transfer, with the id of the order as its `command_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderExecuted {
    /// The debtor.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// The date of the schedule.
    pub due_date: NaiveDate,
    /// The posted transfer.
    pub transfer_id: TransferId,
    /// The posted amount.
    pub money: Money,
    /// The number of attempts, including this one.
    pub attempts: u32,
    /// The next date of the order. Absent if the order has no date left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<NaiveDate>,
}

/// `ledger.order.missed.v1`: a date of an order was missed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderMissed {
    /// The debtor.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// The date of the schedule.
    pub due_date: NaiveDate,
    /// The reason of the last rejection.
    pub reason: Open<RejectReason>,
    /// The number of attempts.
    pub attempts: u32,
    /// The rejected transfer. Absent if the order was replaced or cancelled while the date was
    /// being tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<TransferId>,
    /// The next date of the order. Absent if the order has no date left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_date: Option<NaiveDate>,
}

codes! {
    /// The status of a date of an order.
    pub enum ExecutionStatus {
        /// The date is being tried again.
        Waiting = "waiting",
        /// The date was executed: the transfer was posted.
        Executed = "executed",
        /// The date was missed for good.
        Missed = "missed",
    }
}

/// An attempted date of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderExecution {
    /// The date of the schedule.
    pub due_date: NaiveDate,
    /// The status of the date.
    pub status: Open<ExecutionStatus>,
    /// The number of attempts.
    pub attempts: u32,
    /// The reason of the last rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Open<RejectReason>>,
    /// The posted or rejected transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<TransferId>,
    /// The posted amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// The instant of the last attempt, or of the decision to give up.
    pub at: DateTime<Utc>,
}

/// The current state of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderNow {
    /// The order.
    pub order_id: OrderId,
    /// The terms of an order.
    pub terms: OrderTerms,
    /// The next date of the schedule.
    pub next_date: NaiveDate,
    /// The day of the next execution or of the next attempt.
    pub next_day: NaiveDate,
    /// The last attempted date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_execution: Option<OrderExecution>,
}

/// `ledger.order.list.v1`: asks for the orders of an account with dates left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListOrders {
    /// The account.
    pub account_id: AccountId,
}

/// `ledger.order.listed.v1`: the orders of an account, in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrdersListed {
    /// The account.
    pub account_id: AccountId,
    /// The orders.
    pub orders: Vec<OrderNow>,
}

/// `ledger.order.get.v1`: asks for an order and its executions, the newest date first, in pages.
/// Answered by `ledger.order.found.v1`, or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetOrder {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// Lists dates before this one only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NaiveDate>,
    /// The maximal number of items, 1 to 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// `ledger.order.found.v1`: an order and a page of its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderFound {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// The order. Absent if the order is over or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderNow>,
    /// The attempted dates, the newest first.
    pub executions: Vec<OrderExecution>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NaiveDate>,
}

messages! {
    Command "ledger.order.set.v1" SetOrder, subject |message| message.account_id.to_string();
    Command "ledger.order.cancel.v1" CancelOrder, subject |message| message.account_id.to_string();
    Event "ledger.order.changed.v1" OrderChanged,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.order.cancelled.v1" OrderCancelled,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.order.executed.v1" OrderExecuted,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.order.missed.v1" OrderMissed,
        subject |message| message.account_id.to_string(), key |_| None;
    Query "ledger.order.list.v1" ListOrders, subject |message| message.account_id.to_string();
    Reply "ledger.order.listed.v1" OrdersListed, subject |message| message.account_id.to_string();
    Query "ledger.order.get.v1" GetOrder, subject |message| message.account_id.to_string();
    Reply "ledger.order.found.v1" OrderFound, subject |message| message.account_id.to_string();
}

impl Query for ListOrders {
    type Reply = OrdersListed;
}

impl Query for GetOrder {
    type Reply = OrderFound;
}
