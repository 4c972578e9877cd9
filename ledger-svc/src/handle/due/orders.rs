//! Standing orders whose day has come. Promise: what was due on an earlier day is tried before what
//! is due on a later one, of whichever order; also where the service was away for days.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shared_events::{
    CorrelationId,
    bus::{Event, HandleError, Work, Workshop},
    ledger::{OrderExecuted, OrderExecution, OrderMissed},
};
use tracing::info;
use uuid::Uuid;

use crate::{
    domain::{Attempt, Books, Calendar, Execution, Order},
    handle::{
        announce::Told,
        desk::{Named, now},
        post::count,
    },
    store::{orders, queries},
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

/// Tries the next date of orders that are due, and says whether there may be more. Of each order
/// one date at a time.
pub(super) async fn execute(
    workshop: &Workshop,
    zone: Tz,
    calendar: &Calendar,
) -> Result<bool, HandleError> {
    let mut work = workshop.begin().await?;
    let today = now(queries::now(&mut work.tx()).await?, zone).today;
    let due = orders::due_in_tx(&mut work.tx(), today, ORDERS_MAX).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let mut named = Named::default();
    for order in &due {
        named.account(order.account);
        named.party(&order.terms.creditor, order.terms.money.currency);
        named.id(order.transfer_id());
    }
    let mut desk = named.lock_in_tx(&mut work.tx(), zone).await?;

    // Another instance, or a command, may have been faster: what has changed since is looked at
    // anew, with the accounts that it names now.
    let accounts: Vec<Uuid> = due.iter().map(|it| it.account.uuid()).collect();
    let ids: Vec<Uuid> = due.iter().map(|it| it.id.uuid()).collect();
    let mut still = orders::read_in_tx(&mut work.tx(), &accounts, &ids).await?;
    still.retain(|order| due.contains(order));
    let mut all = Vec::with_capacity(still.len());
    for order in still {
        let execution = desk.books.execute(&order, desk.now, calendar);
        let after = order.clone().after(&execution.attempt, desk.now.today, calendar);
        all.push(Tried { order, execution, after });
    }

    let instant = desk.now.instant;
    let books = desk.save_in_tx(&mut work.tx()).await?;
    let kept: Vec<Order> = all.iter().filter_map(|it| it.after.clone()).collect();
    let over = all.iter().filter(|it| it.after.is_none()).map(|it| it.order.clone());
    let over: Vec<Order> = over.collect();
    orders::put_in_tx(&mut work.tx(), &kept).await?;
    orders::remove_in_tx(&mut work.tx(), &over).await?;
    let told = |it: &Tried| (it.order.account, it.order.id, it.told(instant));
    orders::record_in_tx(&mut work.tx(), &all.iter().map(told).collect::<Vec<_>>()).await?;
    all.iter().for_each(|tried| tried.announce(&mut work, &books));
    work.commit().await?;
    count(&books);
    info!(orders = all.len(), "tried standing orders");
    Ok(true)
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
    fn announce(&self, work: &mut Work, books: &Books) {
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
