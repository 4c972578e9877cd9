//! Orders and their executions. Promise: an order that cannot be read, because a newer version of
//! the ledger wrote it, hides no other order.

use chrono::NaiveDate;
use shared_events::{AccountId, OrderId, envelope::chain, messaging::Tx, refusal::MessageRefused};
use tracing::warn;

use super::{
    entity::{Order, OrderExecution},
    repo,
};
use crate::{accounts, refusals::QueryError};

/// The most executions of a page.
pub(crate) const EXECUTIONS_PAGE_MAX: u32 = 1_000;

/// An order with the last date that was tried.
pub(crate) type OrderWithLast = (Order, Option<OrderExecution>);

/// The orders of an account.
pub(crate) async fn orders(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> Result<Vec<OrderWithLast>, QueryError> {
    if accounts::repo::find(tx, account).await?.is_none() {
        return Err(MessageRefused::not_found(format!("account {account}")).into());
    }
    let mut last = repo::last_executions(tx, account).await?;
    let found = repo::of_account(tx, account).await?.into_iter();
    let orders = found.filter_map(readable).map(|order| {
        let last = last.remove(&order.id);
        (order, last)
    });
    Ok(orders.collect())
}

/// An order that can be read. An unreadable one is logged; the due work shows it, too.
fn readable(order: sqlx::Result<Order>) -> Option<Order> {
    order.inspect_err(|error| warn!(error = %chain(error), "an order cannot be read")).ok()
}

/// An order, and a page of its executions.
#[derive(Clone, Debug)]
pub(crate) struct OrderPage {
    /// The order; `None`: no date is left.
    pub(crate) order: Option<OrderWithLast>,
    pub(crate) executions: Vec<OrderExecution>,
    /// The start of the next page.
    pub(crate) next: Option<NaiveDate>,
}

/// An order, and at most `limit` of its executions before a date.
pub(crate) async fn order(
    tx: &mut Tx<'_>,
    (account, order_id): (AccountId, OrderId),
    before: Option<NaiveDate>,
    limit: u32,
) -> Result<OrderPage, QueryError> {
    let key = (account, order_id);
    let order = repo::read_in_tx(tx, &[account.uuid()], &[order_id.uuid()]).await?.pop();
    if let Some(Err(error)) = &order {
        warn!(order.id = %order_id, error = %chain(error), "an order cannot be read");
        let why = format!("order {order_id} cannot be read");
        return Err(MessageRefused::unavailable(why).into());
    }
    let order = order.and_then(Result::ok);
    let last = repo::executions(tx, key, None, 1).await?.pop();
    if order.is_none() && last.is_none() {
        return Err(MessageRefused::not_found(format!("order {order_id}")).into());
    }
    let mut executions = repo::executions(tx, key, before, i64::from(limit) + 1).await?;
    let more = executions.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        executions.pop();
    }
    let next = executions.last().filter(|_| more).map(|execution| execution.due_date);
    Ok(OrderPage { order: order.map(|order| (order, last)), executions, next })
}
