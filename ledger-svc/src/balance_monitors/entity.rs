//! Balance monitors. Promise: one is raised once for each time that postings carry the balance over
//! its mark, in the same breath as the posting that did; what was rejected or taken back raises
//! none.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, MonitorId, TransferId,
    ledger::{MonitorCondition, MonitorRaised, Posted},
    money::exact::exact_sub,
};

use crate::legacy::domain::books::Books;

/// A monitor and what it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// Its id.
    pub id: MonitorId,
    /// Whose balance it watches.
    pub account: AccountId,
    /// When it is raised.
    pub condition: MonitorCondition,
    /// Whether the condition did not hold when it looked last.
    pub armed: bool,
    /// The balance when it was raised last, or set.
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
            // What has more digits than any amount is more than any amount.
            MonitorCondition::ChangeBy(amount) => {
                exact_sub(balance, self.since).is_none_or(|change| change.abs() >= amount.decimal())
            }
        }
    }

    /// Looks at a balance. Says whether it is raised by it.
    fn look(&mut self, balance: Decimal) -> bool {
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

impl Books {
    /// Shows the monitors what a transfer has left on the accounts.
    pub(crate) fn look_at_balances(&mut self, transfer_id: TransferId, posted: &Posted) {
        for leg in &posted.legs {
            let (account_id, balance) = (leg.account.account_id, leg.account.balance);
            let Some(before) = self.monitors(account_id) else { continue };
            let mut monitors = before.to_vec();
            let raised = monitors.iter_mut().filter_map(|monitor| {
                let raised = monitor.look(balance.decimal());
                raised.then(|| MonitorRaised {
                    account_id,
                    monitor_id: monitor.id,
                    condition: monitor.condition,
                    transfer_id,
                    balance: Amount(balance.decimal()),
                    version: leg.account.version,
                })
            });
            let raised: Vec<MonitorRaised> = raised.collect();
            if monitors != before {
                self.put_monitors(account_id, monitors);
            }
            self.put_raised(transfer_id, raised);
        }
    }
}
