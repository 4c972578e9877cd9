//! Balance monitors: who is told when a balance passes a mark. Whether money is held does not
//! matter, only what is posted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, MonitorId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The most monitors that one account has.
pub const MONITORS_MAX: usize = 20;

/// When a monitor is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitorCondition {
    /// The balance is less than this. Raised once, and again when it was not in between.
    Below(Amount),
    /// The balance is more than this. Raised once, and again when it was not in between.
    Above(Amount),
    /// The balance is so much more or less than when the monitor was raised last, or set.
    ChangeBy(Amount),
}

/// `ledger.monitor.set.v1`: watch an account's balance. The same monitor again has the new
/// condition from then on. What the condition says of the balance now is not raised: only a posting
/// raises a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetMonitor {
    /// Which account: a customer's.
    pub account_id: AccountId,
    /// The monitor's id, made by the client. An account has at most 20.
    pub monitor_id: MonitorId,
    /// When it is raised. Amounts have no more digits than the currency; to change by, more than
    /// zero.
    pub condition: MonitorCondition,
}

/// `ledger.monitor.remove.v1`: watch no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemoveMonitor {
    /// Which account.
    pub account_id: AccountId,
    /// Which monitor.
    pub monitor_id: MonitorId,
}

/// `ledger.monitor.changed.v1`: the balance is watched, beginning with this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorChanged {
    /// Which account.
    pub account_id: AccountId,
    /// Which monitor.
    pub monitor_id: MonitorId,
    /// When it is raised.
    pub condition: MonitorCondition,
    /// The balance now.
    pub balance: Amount,
}

/// `ledger.monitor.removed.v1`: the monitor watches no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorRemoved {
    /// Which account.
    pub account_id: AccountId,
    /// Which monitor.
    pub monitor_id: MonitorId,
}

/// `ledger.monitor.raised.v1`: a posting has made a monitor's condition true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorRaised {
    /// Which account.
    pub account_id: AccountId,
    /// Which monitor.
    pub monitor_id: MonitorId,
    /// Its condition.
    pub condition: MonitorCondition,
    /// The transfer that did it.
    pub transfer_id: TransferId,
    /// The balance after that.
    pub balance: Amount,
    /// The ledger account's version after that.
    pub version: i64,
}

/// `ledger.monitor.list.v1`: the monitors of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListMonitors {
    /// Which account.
    pub account_id: AccountId,
}

/// A monitor as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorNow {
    /// Which monitor.
    pub monitor_id: MonitorId,
    /// When it is raised.
    pub condition: MonitorCondition,
    /// Whether the next posting that makes the condition true raises it. Of a change always.
    pub armed: bool,
    /// The balance when it was raised last, or set.
    pub since: Amount,
}

/// `ledger.monitor.listed.v1`: the monitors of an account, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorsListed {
    /// Which account.
    pub account_id: AccountId,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// The monitors.
    pub monitors: Vec<MonitorNow>,
}

messages! {
    Command "ledger.monitor.set.v1" SetMonitor, subject |it| it.account_id.to_string();
    Command "ledger.monitor.remove.v1" RemoveMonitor, subject |it| it.account_id.to_string();
    Event "ledger.monitor.changed.v1" MonitorChanged,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.monitor.removed.v1" MonitorRemoved,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.monitor.raised.v1" MonitorRaised,
        subject |it| it.account_id.to_string(), key |_| None;
    Query "ledger.monitor.list.v1" ListMonitors, subject |it| it.account_id.to_string();
    Reply "ledger.monitor.listed.v1" MonitorsListed, subject |it| it.account_id.to_string();
}

impl Query for ListMonitors {
    type Reply = MonitorsListed;
}
