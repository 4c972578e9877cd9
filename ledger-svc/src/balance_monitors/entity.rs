//! A balance monitor. Promise: a monitor is raised once for each time that postings carry the
//! balance over its mark, in the transaction of the posting that did; a rejected instruction, or
//! one whose group failed, raises none.

use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, MonitorId, TransferId, money::exact::exact_sub};

/// The condition of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorCondition {
    /// The balance is less than this.
    Below(Amount),
    /// The balance is more than this.
    Above(Amount),
    /// The balance differs by so much from the balance when the monitor was last raised, or set.
    ChangeBy(Amount),
}

/// A monitor that a posting has raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorRaised {
    /// The account.
    pub account_id: AccountId,
    /// The monitor.
    pub monitor_id: MonitorId,
    /// The monitor's condition.
    pub condition: MonitorCondition,
    /// The transfer that raised it.
    pub transfer_id: TransferId,
    /// The balance after the transfer.
    pub balance: Amount,
    /// The account's version after the transfer.
    pub version: i64,
}

/// A monitor and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The monitor's id.
    pub id: MonitorId,
    /// The account.
    pub account: AccountId,
    /// The condition.
    pub condition: MonitorCondition,
    /// Whether the condition was false at the last posting.
    pub armed: bool,
    /// The balance when the monitor was last raised, or set.
    pub since: Decimal,
}

impl Monitor {
    /// A monitor that begins with this balance.
    #[must_use]
    pub fn new(
        id: MonitorId,
        account: AccountId,
        condition: MonitorCondition,
        balance: Decimal,
    ) -> Self {
        let mut monitor = Self { id, account, condition, armed: true, since: balance };
        monitor.armed = !monitor.holds(balance);
        monitor
    }

    fn holds(&self, balance: Decimal) -> bool {
        match self.condition {
            MonitorCondition::Below(mark) => balance < mark.decimal(),
            MonitorCondition::Above(mark) => balance > mark.decimal(),
            // A change with more digits than any amount is more than any amount.
            MonitorCondition::ChangeBy(amount) => {
                exact_sub(balance, self.since).is_none_or(|change| change.abs() >= amount.decimal())
            }
        }
    }

    /// Updates the monitor after a posting, and says whether the posting raises it.
    fn update(&mut self, balance: Decimal) -> bool {
        let holds = self.holds(balance);
        let raised = holds && self.armed;
        if raised {
            self.since = balance;
        }
        // After a change the next one is measured from here.
        self.armed = !self.holds(balance);
        raised
    }
}

/// Updates the monitors of an account after a posting, and returns the raised ones.
pub(crate) fn observe(
    monitors: &mut [Monitor],
    transfer_id: TransferId,
    balance: Amount,
    version: i64,
) -> Vec<MonitorRaised> {
    let raised = monitors.iter_mut().filter_map(|monitor| {
        monitor.update(balance.decimal()).then_some(MonitorRaised {
            account_id: monitor.account,
            monitor_id: monitor.id,
            condition: monitor.condition,
            transfer_id,
            balance,
            version,
        })
    });
    raised.collect()
}
