//! Standing orders: set and cancelled, and shown to whoever asks. Promise: an order that breaks a
//! rule is refused by the rule's name; one that is set anew goes on after what was done of it.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, OrderId,
    envelope::chain,
    ledger::{
        ArrangementReason, CancelOrder, EXECUTIONS_PAGE_MAX, ExecutionStatus, GetOrder, ListOrders,
        ORDERS_MAX, OrderCancelled, OrderChanged, OrderExecution, OrderFound, OrderMissed,
        OrderNow, OrdersListed, Party, SetOrder,
    },
    messaging::{Answer, Event, HandleError, Outcome, Tx},
    refusal::MessageRefused,
};
use tracing::warn;

use crate::legacy::handle::arrange::{Arranged, Refusal};
use crate::{
    legacy::domain::{Account, Calendar, Now, Order, Status, account_id, check_order},
    legacy::handle::answer::{Answered, PAGE_DEFAULT},
    legacy::store::{orders, queries},
};

pub(crate) async fn set_in_tx(
    tx: &mut Tx<'_>,
    asked: &SetOrder,
    account: &Account,
    (now, calendar): (Now, &Calendar),
) -> Result<Outcome, Arranged> {
    let SetOrder { account_id, order_id, terms } = asked;
    let key = (*account_id, *order_id);
    if let Err(broken) = check_order((account.id, account.currency), terms, now.today) {
        return Err(Refusal::invalid(broken.field, broken.rule).into());
    }
    if let Some(rule) = unpayable(tx, asked).await? {
        return Err(Refusal::invalid("terms.creditor", rule).into());
    }
    let there = orders::ids_in_tx(tx, *account_id).await?;
    if there.len() >= ORDERS_MAX && !there.contains(order_id) {
        let message = format!("an account has at most {ORDERS_MAX} orders");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    // What was tried last is done, or given up with this.
    let last = orders::executions(tx, key, None, 1).await?.pop();
    let done = last.as_ref().map(|it| it.due_date);
    let Some(order) = Order::set(key, terms.clone(), done, now.today, calendar) else {
        let rule = "no date is left that is not over and was not done before";
        return Err(Refusal::invalid("terms.schedule", rule).into());
    };
    orders::put_in_tx(tx, std::slice::from_ref(&order)).await?;
    let changed = OrderChanged {
        account_id: *account_id,
        order_id: *order_id,
        terms: order.terms,
        next_date: order.next.date,
        next_day: order.next.day,
    };
    let mut announce = vec![Event::new(&changed)];
    announce.extend(give_up_in_tx(tx, key, last, Some(&changed), now.instant).await?);
    Ok(Outcome::Done { announce, told: vec![] })
}

/// The rule that stands against the creditor, by what the ledger knows of it now.
async fn unpayable(tx: &mut Tx<'_>, asked: &SetOrder) -> sqlx::Result<Option<String>> {
    let currency = asked.terms.money.currency;
    let Some(id) = account_id(&asked.terms.creditor, currency) else { return Ok(None) };
    let rule = match queries::account(tx, id).await? {
        // One of the bank's own opens itself.
        None if asked.terms.creditor != Party::AccountId(id) => None,
        None => Some("an account that the ledger knows".to_owned()),
        Some(it) if it.currency != currency => Some(format!("an account in {currency}")),
        Some(it) if matches!(it.status, Status::Closed | Status::Locked) => {
            Some("an account that is not closed, or about to be".to_owned())
        }
        Some(_) => None,
    };
    Ok(rule)
}

/// Ends a date that is being tried again: it is missed for the reason of the last try.
async fn give_up_in_tx(
    tx: &mut Tx<'_>,
    (account_id, order_id): (AccountId, OrderId),
    last: Option<OrderExecution>,
    changed: Option<&OrderChanged>,
    at: DateTime<Utc>,
) -> Result<Option<Event>, HandleError> {
    let Some(last) = last.filter(|it| it.status == ExecutionStatus::Waiting) else {
        return Ok(None);
    };
    let Some(reason) = last.reason else { return Ok(None) };
    let (due_date, attempts) = (last.due_date, last.attempts);
    let missed = OrderExecution { status: ExecutionStatus::Missed, at, ..last };
    orders::record_in_tx(tx, &[(account_id, order_id, missed)]).await?;
    let next_date = changed.map(|it| it.next_date);
    Ok(Some(Event::new(&OrderMissed {
        account_id,
        order_id,
        due_date,
        reason,
        attempts,
        transfer_id: None,
        next_date,
    })))
}

pub(crate) async fn cancel_in_tx(
    tx: &mut Tx<'_>,
    asked: &CancelOrder,
    now: Now,
) -> Result<Outcome, Arranged> {
    let CancelOrder { account_id, order_id } = *asked;
    let key = (account_id, order_id);
    if !orders::ids_in_tx(tx, account_id).await?.contains(&order_id) {
        let message = format!("the account has no order {order_id} with a date left");
        return Err(Refusal::new(ArrangementReason::UnknownOrder, message).into());
    }
    orders::remove_in_tx(tx, &[key]).await?;
    let last = orders::executions(tx, key, None, 1).await?.pop();
    let mut announce = vec![Event::new(&OrderCancelled { account_id, order_id })];
    announce.extend(give_up_in_tx(tx, key, last, None, now.instant).await?);
    Ok(Outcome::Done { announce, told: vec![] })
}

/// An order as it is told.
fn told(order: Order, last_execution: Option<OrderExecution>) -> OrderNow {
    OrderNow {
        order_id: order.id,
        terms: order.terms,
        next_date: order.next.date,
        next_day: order.next.day,
        last_execution,
    }
}

/// An order that can be read. Another one, of a newer version of the ledger, hides no others; it is
/// seen among what is set aside.
fn readable(order: sqlx::Result<Order>) -> Option<Order> {
    order.inspect_err(|error| warn!(error = %chain(error), "an order cannot be read")).ok()
}

/// The orders of an account.
pub(crate) async fn orders_listed(tx: &mut Tx<'_>, query: &ListOrders) -> Answered {
    let account_id = query.account_id;
    if queries::account(tx, account_id).await?.is_none() {
        return Ok(Err(MessageRefused::not_found(format!("account {account_id}"))));
    }
    let mut last = orders::last_executions(tx, account_id).await?;
    let found = orders::of_account(tx, account_id).await?.into_iter();
    let orders = found.filter_map(readable).map(|order| {
        let last = last.remove(&order.id);
        told(order, last)
    });
    let orders = orders.collect();
    Ok(Ok(Answer::found(&OrdersListed { account_id, orders })))
}

/// An order and a page of its executions.
pub(crate) async fn order_found(tx: &mut Tx<'_>, query: &GetOrder) -> Answered {
    let GetOrder { account_id, order_id, before, limit } = *query;
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=EXECUTIONS_PAGE_MAX).contains(&limit) {
        return Ok(Err(MessageRefused::invalid("limit", format!("1 to {EXECUTIONS_PAGE_MAX}"))));
    }
    let key = (account_id, order_id);
    let order = orders::read_in_tx(tx, &[account_id.uuid()], &[order_id.uuid()]).await?.pop();
    if let Some(Err(error)) = &order {
        let why = format!("order {order_id} cannot be read: {}", chain(error));
        return Ok(Err(MessageRefused::unavailable(why)));
    }
    let order = order.and_then(Result::ok);
    let last = orders::executions(tx, key, None, 1).await?.pop();
    if order.is_none() && last.is_none() {
        return Ok(Err(MessageRefused::not_found(format!("order {order_id}"))));
    }
    let mut executions = orders::executions(tx, key, before, i64::from(limit) + 1).await?;
    let more = executions.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        executions.pop();
    }
    let next = executions.last().filter(|_| more).map(|it| it.due_date);
    let order = order.map(|order| told(order, last));
    Ok(Ok(Answer::found(&OrderFound { account_id, order_id, order, executions, next })))
}
