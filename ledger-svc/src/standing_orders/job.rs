//! Standing orders whose day has come. Promise: what was due on an earlier day is tried before what
//! is due on a later one, of whichever order; also where the service was away for days.

use chrono::{DateTime, Utc};
use shared_events::{
    CorrelationId,
    envelope::chain,
    ledger::{OrderExecuted, OrderExecution, OrderMissed},
    messaging::{Event, HandleError, JobContext, UnitOfWork},
};
use tracing::info;
use uuid::Uuid;

use crate::legacy::due::round::{Found, Kind, Turn};
use crate::{
    legacy::domain::{Attempt, Books, Calendar, Execution, Order},
    legacy::handle::{announce::Told, bank_time::BankTime, desk::Named, post::count},
    legacy::store::{orders, periods, set_aside::Key},
};

/// The most orders that are tried in one transaction.
const ORDERS_MAX: usize = 250;

/// An attempt at an order's next date.
struct Tried {
    order: Order,
    execution: Execution,
    /// The order after it; `None`: it is over.
    after: Option<Order>,
}

/// Tries the next date of orders that are due. Of each order one date at a time.
pub(crate) struct Orders {
    pub(crate) time: BankTime,
    pub(crate) calendar: Calendar,
}

impl Kind for Orders {
    type Item = Order;
    const NAME: &'static str = "order";

    async fn due(&self, workshop: &JobContext) -> Result<Found<Order>, HandleError> {
        let mut work = workshop.begin().await?;
        let today = self.time.now(periods::clock(&mut work.tx()).await?).today;
        let due = orders::due(&mut work.tx(), today, ORDERS_MAX).await?;
        let more = !due.is_empty();
        let turns = due.into_iter().map(|due| {
            let (about, part) = (due.account.uuid(), due.id.uuid());
            let item = due.order.map_err(|error| chain(&error).to_string());
            Turn { key: Key { kind: Self::NAME, about, part }, item, failed: due.failed }
        });
        Ok(Found { turns: turns.collect(), more })
    }

    async fn handle(&self, workshop: &JobContext, due: &[Order]) -> Result<(), HandleError> {
        let mut work = workshop.begin().await?;
        let mut named = Named::default();
        for order in due {
            named.account(order.account);
            named.party(&order.terms.creditor, order.terms.money.currency);
            named.id(order.transfer_id());
        }
        let mut desk = named.lock_in_tx(&mut work.tx(), self.time).await?;

        // Another instance, or a command, may have been faster: what has changed since is looked at
        // anew, with the accounts that it names now.
        let accounts: Vec<Uuid> = due.iter().map(|order| order.account.uuid()).collect();
        let ids: Vec<Uuid> = due.iter().map(|order| order.id.uuid()).collect();
        let still = orders::read_in_tx(&mut work.tx(), &accounts, &ids).await?;
        let mut all = Vec::with_capacity(still.len());
        for order in still.into_iter().flatten().filter(|order| due.contains(order)) {
            let execution = desk.books.execute(&order, desk.now, &self.calendar);
            let after = order.clone().after(&execution.attempt, desk.now.today, &self.calendar);
            all.push(Tried { order, execution, after });
        }

        let instant = desk.now.instant;
        let books = desk.save_in_tx(&mut work.tx()).await?;
        let kept: Vec<Order> = all.iter().filter_map(|tried| tried.after.clone()).collect();
        let over = all.iter().filter(|tried| tried.after.is_none());
        let over: Vec<_> = over.map(|tried| (tried.order.account, tried.order.id)).collect();
        orders::put_in_tx(&mut work.tx(), &kept).await?;
        orders::remove_in_tx(&mut work.tx(), &over).await?;
        let told = |tried: &Tried| (tried.order.account, tried.order.id, tried.told(instant));
        orders::record_in_tx(&mut work.tx(), &all.iter().map(told).collect::<Vec<_>>()).await?;
        all.iter().for_each(|tried| tried.announce(&mut work, &books));
        work.commit().await?;
        count(&books);
        info!(orders = all.len(), "tried standing orders");
        Ok(())
    }
}

impl Tried {
    fn attempts(&self) -> u32 {
        self.order.attempts + 1
    }

    /// What is kept of it.
    fn told(&self, at: DateTime<Utc>) -> OrderExecution {
        let (reason, money) = match self.execution.attempt {
            Attempt::Executed(money) => (None, Some(money)),
            Attempt::Waiting(reason) | Attempt::Missed(reason) => (Some(reason), None),
        };
        OrderExecution {
            due_date: self.order.next.date,
            status: self.execution.attempt.status(),
            attempts: self.attempts(),
            reason,
            transfer_id: self.execution.transfer,
            money,
            at,
        }
    }

    /// Announces the transfer, and what it means for the order.
    fn announce(&self, work: &mut UnitOfWork, books: &Books) {
        let Self { order, execution, after } = self;
        let cause = order.cause();
        let mut events = Vec::new();
        if let Some(transfer) = execution.transfer.filter(|_| execution.is_new) {
            let mut told = Told::default();
            told.decided(books, transfer);
            events = told.into_events(cause);
        }
        let next_date = after.as_ref().map(|it| it.next.date);
        events.extend(match (&execution.attempt, execution.transfer) {
            (Attempt::Executed(money), Some(transfer_id)) => Some(Event::new(&OrderExecuted {
                account_id: order.account,
                order_id: order.id,
                due_date: order.next.date,
                transfer_id,
                money: *money,
                attempts: self.attempts(),
                next_date,
            })),
            (Attempt::Missed(reason), transfer_id) => Some(Event::new(&OrderMissed {
                account_id: order.account,
                order_id: order.id,
                due_date: order.next.date,
                reason: *reason,
                attempts: self.attempts(),
                transfer_id,
                next_date,
            })),
            (Attempt::Waiting(_), _) | (Attempt::Executed(_), None) => None,
        });
        for event in events {
            work.announce(cause, CorrelationId(cause.0), event);
        }
    }
}
