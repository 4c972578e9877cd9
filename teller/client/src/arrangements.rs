//! Arrangements: interest terms, closed periods, monitors, standing orders.

use chrono::NaiveDate;
use shared_events::{
    AccountId, MessageId, OrderId,
    ledger::{
        CancelOrder, ClosePeriod, EXECUTIONS_PAGE_MAX, GetInterest, GetOrder, GetPeriod,
        InterestFound, ListMonitors, ListOrders, MonitorChanged, MonitorRemoved, MonitorsListed,
        OrderCancelled, OrderChanged, OrderFound, OrdersListed, PeriodClosed, PeriodFound,
        RemoveMonitor, SetMonitor, SetOrder, SetTerms, TermsChanged,
    },
};

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// Sets on which terms an account bears interest and fees.
    pub async fn set_terms(
        &self,
        id: MessageId,
        command: SetTerms,
    ) -> Result<TermsChanged, TellerError> {
        self.send(id, command).await
    }

    /// The interest that accrued on each day of a period, and the capitalised interest.
    pub async fn interest(&self, query: GetInterest) -> Result<InterestFound, TellerError> {
        self.ask(query).await
    }

    /// Closes a period: nothing is booked on its last day or before it any more.
    pub async fn close_period(
        &self,
        id: MessageId,
        command: ClosePeriod,
    ) -> Result<PeriodClosed, TellerError> {
        self.send(id, command).await
    }

    /// The days on which can be booked.
    pub async fn period(&self) -> Result<PeriodFound, TellerError> {
        self.ask(GetPeriod {}).await
    }

    /// The bank's day. It is not UTC's: the bank has a time zone of its own.
    pub async fn today(&self) -> Result<NaiveDate, TellerError> {
        Ok(self.period().await?.today)
    }

    /// Sets a monitor of an account's balance, or sets it anew.
    pub async fn set_monitor(
        &self,
        id: MessageId,
        command: SetMonitor,
    ) -> Result<MonitorChanged, TellerError> {
        self.send(id, command).await
    }

    /// Removes a monitor.
    pub async fn remove_monitor(
        &self,
        id: MessageId,
        command: RemoveMonitor,
    ) -> Result<MonitorRemoved, TellerError> {
        self.send(id, command).await
    }

    /// The monitors of an account.
    pub async fn monitors(&self, account_id: AccountId) -> Result<MonitorsListed, TellerError> {
        self.ask(ListMonitors { account_id }).await
    }

    /// Sets a standing order, or sets it anew.
    pub async fn set_order(
        &self,
        id: MessageId,
        command: SetOrder,
    ) -> Result<OrderChanged, TellerError> {
        self.send(id, command).await
    }

    /// Cancels a standing order.
    pub async fn cancel_order(
        &self,
        id: MessageId,
        command: CancelOrder,
    ) -> Result<OrderCancelled, TellerError> {
        self.send(id, command).await
    }

    /// The standing orders of an account that have a date left.
    pub async fn orders(&self, account_id: AccountId) -> Result<OrdersListed, TellerError> {
        self.ask(ListOrders { account_id }).await
    }

    /// A standing order and all its executions, the newest first.
    pub async fn order(
        &self,
        account_id: AccountId,
        order_id: OrderId,
    ) -> Result<OrderFound, TellerError> {
        let limit = Some(EXECUTIONS_PAGE_MAX);
        let page = |before| self.ask(GetOrder { account_id, order_id, before, limit });
        let mut found = page(None).await?;
        while let Some(before) = found.next {
            let more = page(Some(before)).await?;
            found.executions.extend(more.executions);
            found.next = more.next;
        }
        Ok(found)
    }
}
