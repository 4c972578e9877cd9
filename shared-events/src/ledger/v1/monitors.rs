//! Balance monitors: an event is announced when a balance crosses a threshold. Holds do not count;
//! a monitor watches the posted balance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, MonitorId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The maximal number of monitors of one account.
pub const MONITORS_MAX: usize = 20;

/// The condition that raises a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitorCondition {
    /// The balance is less than this threshold. The monitor is raised once, and again only after a
    /// balance on the other side.
    Below(Amount),
    /// The balance is more than this threshold. The monitor is raised once, and again only after a
    /// balance on the other side.
    Above(Amount),
    /// The balance differs by this amount or more from the balance when the monitor was set or last
    /// raised.
    ChangeBy(Amount),
}

/// `ledger.monitor.set.v1`: sets a monitor on the balance of an account. A second command for the
/// same monitor replaces its condition. Only a posting raises a monitor, so a condition that
/// already holds raises none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetMonitor {
    /// The account of a customer.
    pub account_id: AccountId,
    /// The id of the monitor, made by the client. An account has at most 20 monitors.
    pub monitor_id: MonitorId,
    /// The condition. Amounts have at most the digits of the currency; a change is more than zero.
    pub condition: MonitorCondition,
}

/// `ledger.monitor.remove.v1`: removes a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemoveMonitor {
    /// The account.
    pub account_id: AccountId,
    /// The monitor.
    pub monitor_id: MonitorId,
}

/// `ledger.monitor.changed.v1`: a monitor was set on the balance of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorChanged {
    /// The account.
    pub account_id: AccountId,
    /// The monitor.
    pub monitor_id: MonitorId,
    /// The condition.
    pub condition: MonitorCondition,
    /// The balance now.
    pub balance: Amount,
}

/// `ledger.monitor.removed.v1`: a monitor was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorRemoved {
    /// The account.
    pub account_id: AccountId,
    /// The monitor.
    pub monitor_id: MonitorId,
}

/// `ledger.monitor.raised.v1`: a posting has fulfilled the condition of a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorRaised {
    /// The account.
    pub account_id: AccountId,
    /// The monitor.
    pub monitor_id: MonitorId,
    /// The condition of the monitor.
    pub condition: MonitorCondition,
    /// The transfer that raised the monitor.
    pub transfer_id: TransferId,
    /// The balance after the transfer.
    pub balance: Amount,
    /// The version of the ledger account after the transfer.
    pub version: i64,
}

/// `ledger.monitor.list.v1`: asks for the monitors of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListMonitors {
    /// The account.
    pub account_id: AccountId,
}

/// The current state of a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorNow {
    /// The monitor.
    pub monitor_id: MonitorId,
    /// The condition.
    pub condition: MonitorCondition,
    /// Whether the next posting that fulfils the condition raises the monitor. A monitor of changes
    /// is always armed.
    pub armed: bool,
    /// The balance when the monitor was set or last raised.
    pub since: Amount,
}

/// `ledger.monitor.listed.v1`: the monitors of an account, in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorsListed {
    /// The account.
    pub account_id: AccountId,
    /// The currency of all amounts in this message.
    pub currency: Currency,
    /// The monitors.
    pub monitors: Vec<MonitorNow>,
}

messages! {
    Command "ledger.monitor.set.v1" SetMonitor, subject |message| message.account_id.to_string();
    Command "ledger.monitor.remove.v1" RemoveMonitor,
        subject |message| message.account_id.to_string();
    Event "ledger.monitor.changed.v1" MonitorChanged,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.monitor.removed.v1" MonitorRemoved,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.monitor.raised.v1" MonitorRaised,
        subject |message| message.account_id.to_string(), key |_| None;
    Query "ledger.monitor.list.v1" ListMonitors, subject |message| message.account_id.to_string();
    Reply "ledger.monitor.listed.v1" MonitorsListed,
        subject |message| message.account_id.to_string();
}

impl Query for ListMonitors {
    type Reply = MonitorsListed;
}
