//! Sets and cancels standing orders. Promise: an order that breaks a rule is refused by the name of
//! the rule; an order that is set anew goes on after the last date that was tried.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{AccountId, OrderId, messaging::Tx};

use super::{
    entity::{ExecutionStatus, Order, OrderExecution, OrderTerms, check_order},
    repo,
};
use crate::{
    accounts::{self, Account, Status},
    bank_calendar::{Calendar, Now},
    posting::{Party, RejectReason},
    refusals::{ArrangementError, ArrangementReason, Refusal},
};

/// The most orders of one account.
pub(crate) const ORDERS_MAX: usize = 100;

/// A date that was being tried again, and is missed now.
#[derive(Clone, Debug)]
pub(crate) struct AbandonedDate {
    pub(crate) due_date: NaiveDate,
    pub(crate) reason: RejectReason,
    pub(crate) attempts: u32,
}

/// Sets an order of an account that this transaction has locked. Returns the order, and the date
/// that was being tried again.
pub(crate) async fn set_in_tx(
    tx: &mut Tx<'_>,
    account: &Account,
    (order_id, terms): (OrderId, &OrderTerms),
    now: Now,
    calendar: &Calendar,
) -> Result<(Order, Option<AbandonedDate>), ArrangementError> {
    let key = (account.id, order_id);
    check_order((account.id, account.currency), terms, now.today)?;
    if let Some(rule) = unpayable(tx, terms).await? {
        return Err(Refusal::invalid("terms.creditor", rule).into());
    }
    let there = repo::ids_in_tx(tx, account.id).await?;
    if there.len() >= ORDERS_MAX && !there.contains(&order_id) {
        let message = format!("an account has at most {ORDERS_MAX} orders");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    // The last date that was tried is done, or abandoned with this.
    let last = repo::executions(tx, key, None, 1).await?.pop();
    let done = last.as_ref().map(|execution| execution.due_date);
    let Some(order) = Order::set(key, terms.clone(), done, now.today, calendar) else {
        let rule = "no date is left that is not over and was not done before";
        return Err(Refusal::invalid("terms.schedule", rule).into());
    };
    repo::put_in_tx(tx, std::slice::from_ref(&order)).await?;
    let abandoned = abandon_in_tx(tx, key, last, now.instant).await?;
    Ok((order, abandoned))
}

/// The rule that stands against the creditor, by the accounts that the ledger has now.
async fn unpayable(tx: &mut Tx<'_>, terms: &OrderTerms) -> sqlx::Result<Option<String>> {
    let currency = terms.money.currency;
    let Some(id) = terms.creditor.account_id(currency) else { return Ok(None) };
    let rule = match accounts::repo::find(tx, id).await? {
        // An internal account opens at its first use.
        None if terms.creditor != Party::AccountId(id) => None,
        None => Some("an account that the ledger knows".to_owned()),
        Some(account) if account.currency != currency => Some(format!("an account in {currency}")),
        Some(account) if matches!(account.status, Status::Closed | Status::Locked) => {
            Some("an account that is not closed, or about to be".to_owned())
        }
        Some(_) => None,
    };
    Ok(rule)
}

/// Ends a date that is being tried again: the date is missed for the reason of the last attempt.
async fn abandon_in_tx(
    tx: &mut Tx<'_>,
    (account, order): (AccountId, OrderId),
    last: Option<OrderExecution>,
    at: DateTime<Utc>,
) -> sqlx::Result<Option<AbandonedDate>> {
    let waiting = last.filter(|execution| execution.status == ExecutionStatus::Waiting);
    let Some(last) = waiting else { return Ok(None) };
    let Some(reason) = last.reason else { return Ok(None) };
    let (due_date, attempts) = (last.due_date, last.attempts);
    let missed = OrderExecution { status: ExecutionStatus::Missed, at, ..last };
    repo::record_in_tx(tx, &[(account, order, missed)]).await?;
    Ok(Some(AbandonedDate { due_date, reason, attempts }))
}

/// Cancels an order of an account that this transaction has locked. Returns the date that was being
/// tried again.
pub(crate) async fn cancel_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    order: OrderId,
    now: Now,
) -> Result<Option<AbandonedDate>, ArrangementError> {
    let key = (account, order);
    if !repo::ids_in_tx(tx, account).await?.contains(&order) {
        let message = format!("the account has no order {order} with a date left");
        return Err(Refusal::new(ArrangementReason::UnknownOrder, message).into());
    }
    repo::remove_in_tx(tx, &[key]).await?;
    let last = repo::executions(tx, key, None, 1).await?.pop();
    Ok(abandon_in_tx(tx, key, last, now.instant).await?)
}
