//! Executes the dates that are due. Promise: a date of an earlier day is tried before a date of a later
//! day, over all orders; also if the service was away for days.

use chrono::{DateTime, Utc};
use shared_events::{
    envelope::chain,
    messaging::{HandleError, Tx},
};
use tracing::info;
use uuid::Uuid;

use super::{
    entity::{Attempt, Order, OrderExecution},
    execution::{Execution, execute},
    repo,
};
use crate::{
    bank_calendar::{self, BankTime, Calendar},
    due_work::{DueItem, DueItems, DueKind, ItemKey},
    posting::{LockSet, PostingSession, PostingState, count_outcomes},
};

/// The most orders of one transaction.
const ORDERS_MAX: usize = 250;

/// Tries the next date of the orders that are due. Of each order one date at a time.
pub(crate) struct OrderJob {
    pub(crate) time: BankTime,
    pub(crate) calendar: Calendar,
}

/// An attempt at an order's next date.
pub(crate) struct OrderAttempt {
    pub(crate) order: Order,
    pub(crate) execution: Execution,
    /// The order after the attempt; `None`: no date is left.
    pub(crate) after: Option<Order>,
}

/// The attempts of one transaction.
pub(crate) struct OrderAttempts {
    pub(crate) state: PostingState,
    pub(crate) attempts: Vec<OrderAttempt>,
}

impl DueKind for OrderJob {
    type Item = Order;
    type Done = OrderAttempts;
    const NAME: &'static str = "order";

    async fn due(&self, tx: &mut Tx<'_>) -> Result<DueItems<Order>, HandleError> {
        let today = self.time.now(bank_calendar::repo::clock(tx).await?).today;
        let due = repo::due(tx, today, ORDERS_MAX).await?;
        let more = !due.is_empty();
        let items = due.into_iter().map(|due| {
            let (about, part) = (due.account.uuid(), due.id.uuid());
            let item = due.order.map_err(|error| chain(&error).to_string());
            let key = ItemKey { kind: Self::NAME, about, part };
            DueItem { key, item, failed: due.failed }
        });
        Ok(DueItems { items: items.collect(), more })
    }

    async fn handle_in_tx(
        &self,
        tx: &mut Tx<'_>,
        due: &[Order],
    ) -> Result<OrderAttempts, HandleError> {
        let mut set = LockSet::default();
        for order in due {
            set.account(order.account);
            set.party(&order.terms.creditor, order.terms.money.currency);
            set.id(order.transfer_id());
        }
        let mut session = PostingSession::open_in_tx(tx, set, self.time).await?;

        // Another instance, or a command, may have been faster: an order that has changed since is
        // due again, with the accounts that it names now.
        let accounts: Vec<Uuid> = due.iter().map(|order| order.account.uuid()).collect();
        let ids: Vec<Uuid> = due.iter().map(|order| order.id.uuid()).collect();
        let still = repo::read_in_tx(tx, &accounts, &ids).await?;
        let mut attempts = Vec::with_capacity(still.len());
        for order in still.into_iter().flatten().filter(|order| due.contains(order)) {
            let execution = execute(&mut session.state, &order, session.now, &self.calendar);
            let today = session.now.today;
            let after = order.clone().after(&execution.attempt, today, &self.calendar);
            attempts.push(OrderAttempt { order, execution, after });
        }

        let instant = session.now.instant;
        let state = session.save_in_tx(tx).await?;
        save_in_tx(tx, &attempts, instant).await?;
        Ok(OrderAttempts { state, attempts })
    }

    fn log(done: &OrderAttempts) {
        count_outcomes(&done.state);
        info!(orders = done.attempts.len(), "tried standing orders");
    }
}

/// Stores the orders after their attempts, and the states of the dates.
async fn save_in_tx(
    tx: &mut Tx<'_>,
    attempts: &[OrderAttempt],
    instant: DateTime<Utc>,
) -> sqlx::Result<()> {
    let kept: Vec<Order> = attempts.iter().filter_map(|attempt| attempt.after.clone()).collect();
    let over = attempts.iter().filter(|attempt| attempt.after.is_none());
    let over: Vec<_> = over.map(|attempt| (attempt.order.account, attempt.order.id)).collect();
    repo::put_in_tx(tx, &kept).await?;
    repo::remove_in_tx(tx, &over).await?;
    let tried = attempts
        .iter()
        .map(|attempt| (attempt.order.account, attempt.order.id, attempt.stored(instant)));
    repo::record_in_tx(tx, &tried.collect::<Vec<_>>()).await
}

impl OrderAttempt {
    /// The number of attempts at the date, with this one.
    pub(crate) const fn number(&self) -> u32 {
        self.order.attempts + 1
    }

    /// The state of the date, as it is stored.
    fn stored(&self, at: DateTime<Utc>) -> OrderExecution {
        let (reason, money) = match self.execution.attempt {
            Attempt::Executed(money) => (None, Some(money)),
            Attempt::Waiting(reason) | Attempt::Missed(reason) => (Some(reason), None),
        };
        OrderExecution {
            due_date: self.order.next.date,
            status: self.execution.attempt.status(),
            attempts: self.number(),
            reason,
            transfer_id: self.execution.transfer,
            money,
            at,
        }
    }
}
