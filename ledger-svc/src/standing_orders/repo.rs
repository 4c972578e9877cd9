//! The tables of standing orders that have a date left, and of the dates that were tried.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, Money, OrderId, TransferId, messaging::Tx};
use uuid::Uuid;

use super::{
    entity::{DueDate, ExecutionStatus, Order, OrderExecution},
    terms_v1,
};
use crate::{
    posting::RejectReason,
    repo::{currency, parsed},
};

struct OrderRow {
    account_id: Uuid,
    id: Uuid,
    terms: String,
    next_date: NaiveDate,
    next_day: NaiveDate,
    attempts: i32,
}

impl TryFrom<OrderRow> for Order {
    type Error = sqlx::Error;

    fn try_from(row: OrderRow) -> sqlx::Result<Self> {
        let terms = terms_v1::read(&row.terms);
        Ok(Self {
            account: AccountId(row.account_id),
            id: OrderId(row.id),
            terms: terms.map_err(|error| sqlx::Error::Decode(error.into()))?,
            next: DueDate { date: row.next_date, day: row.next_day },
            attempts: count("orders.attempts", row.attempts)?,
        })
    }
}

fn count(column: &'static str, attempts: i32) -> sqlx::Result<u32> {
    parsed(column, &attempts.to_string(), u32::try_from(attempts).ok())
}

/// The ids of an account's orders, which cannot change while the account is locked.
pub(crate) async fn ids_in_tx(tx: &mut Tx<'_>, account: AccountId) -> sqlx::Result<Vec<OrderId>> {
    let ids = sqlx::query_scalar!("SELECT id FROM orders WHERE account_id = $1", account.uuid());
    Ok(ids.fetch_all(tx.connection()).await?.into_iter().map(OrderId).collect())
}

/// The orders of an account, by their ids; or why one cannot be read.
pub(crate) async fn of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> sqlx::Result<Vec<sqlx::Result<Order>>> {
    let rows = sqlx::query_as!(
        OrderRow,
        r#"SELECT account_id, id, terms::text AS "terms!", next_date, next_day, attempts
           FROM orders WHERE account_id = $1 ORDER BY id"#,
        account.uuid(),
    );
    Ok(rows.fetch_all(tx.connection()).await?.into_iter().map(Order::try_from).collect())
}

/// A due order, or why it cannot be read.
pub(crate) struct DueOrder {
    /// The account.
    pub(crate) account: AccountId,
    /// The order's id.
    pub(crate) id: OrderId,
    /// The order itself.
    pub(crate) order: sqlx::Result<Order>,
    /// Whether an earlier attempt failed.
    pub(crate) failed: bool,
}

/// The orders of the oldest day that are due on this day and not postponed, at most `limit`.
pub(crate) async fn due(
    tx: &mut Tx<'_>,
    today: NaiveDate,
    limit: usize,
) -> sqlx::Result<Vec<DueOrder>> {
    let rows = sqlx::query!(
        r#"WITH due AS (
               SELECT account_id, id, terms::text AS terms, next_date, next_day, attempts,
                      failures IS NOT NULL AS failed
               FROM orders LEFT JOIN set_aside
                   ON kind = 'order' AND about = account_id AND part = id
               WHERE next_day <= $1 AND (try_again IS NULL OR try_again <= clock_timestamp())
               ORDER BY next_day, account_id, id LIMIT $2
           )
           SELECT account_id, id, terms AS "terms!", next_date, next_day, attempts,
                  failed AS "failed!"
           FROM due WHERE next_day = (SELECT min(next_day) FROM due)
           ORDER BY account_id, id"#,
        today,
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    let due = rows.map(|row| DueOrder {
        account: AccountId(row.account_id),
        id: OrderId(row.id),
        failed: row.failed,
        order: Order::try_from(OrderRow {
            account_id: row.account_id,
            id: row.id,
            terms: row.terms,
            next_date: row.next_date,
            next_day: row.next_day,
            attempts: row.attempts,
        }),
    });
    Ok(due.collect())
}

/// The orders with these keys, by account and id; or why one cannot be read. Orders cannot change
/// while their accounts are locked.
pub(crate) async fn read_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[Uuid],
    ids: &[Uuid],
) -> sqlx::Result<Vec<sqlx::Result<Order>>> {
    let rows = sqlx::query_as!(
        OrderRow,
        r#"SELECT account_id, id, terms::text AS "terms!", next_date, next_day, attempts
           FROM orders WHERE (account_id, id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
           ORDER BY account_id, id"#,
        accounts,
        ids,
    );
    Ok(rows.fetch_all(tx.connection()).await?.into_iter().map(Order::try_from).collect())
}

/// Stores orders of accounts that this transaction has locked.
pub(crate) async fn put_in_tx(tx: &mut Tx<'_>, orders: &[Order]) -> sqlx::Result<()> {
    let accounts: Vec<Uuid> = orders.iter().map(|order| order.account.uuid()).collect();
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id.uuid()).collect();
    let terms: Vec<String> = orders.iter().map(|order| terms_v1::text(&order.terms)).collect();
    let dates: Vec<NaiveDate> = orders.iter().map(|order| order.next.date).collect();
    let days: Vec<NaiveDate> = orders.iter().map(|order| order.next.day).collect();
    let attempts = orders.iter().map(|order| i32::try_from(order.attempts).unwrap_or(i32::MAX));
    let attempts: Vec<i32> = attempts.collect();
    sqlx::query!(
        "INSERT INTO orders (account_id, id, terms, next_date, next_day, attempts)
         SELECT account_id, id, terms::json, next_date, next_day, attempts
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::date[], $6::integer[])
              AS new(account_id, id, terms, next_date, next_day, attempts)
         ON CONFLICT (account_id, id) DO UPDATE SET terms = excluded.terms,
             next_date = excluded.next_date, next_day = excluded.next_day,
             attempts = excluded.attempts",
        &accounts,
        &ids,
        &terms,
        &dates,
        &days,
        &attempts,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Removes orders that are over or cancelled.
pub(crate) async fn remove_in_tx(
    tx: &mut Tx<'_>,
    orders: &[(AccountId, OrderId)],
) -> sqlx::Result<()> {
    let accounts: Vec<Uuid> = orders.iter().map(|(account, _)| account.uuid()).collect();
    let ids: Vec<Uuid> = orders.iter().map(|(_, order)| order.uuid()).collect();
    sqlx::query!(
        "DELETE FROM orders
         WHERE (account_id, id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
        &accounts,
        &ids,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

const fn write_status(status: ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::Waiting => "waiting",
        ExecutionStatus::Executed => "executed",
        ExecutionStatus::Missed => "missed",
    }
}

fn read_status(status: &str) -> Option<ExecutionStatus> {
    use ExecutionStatus::{Executed, Missed, Waiting};
    [Waiting, Executed, Missed].into_iter().find(|known| write_status(*known) == status)
}

/// Stores the states of dates, by order.
pub(crate) async fn record_in_tx(
    tx: &mut Tx<'_>,
    tried: &[(AccountId, OrderId, OrderExecution)],
) -> sqlx::Result<()> {
    let accounts: Vec<Uuid> = tried.iter().map(|(account, ..)| account.uuid()).collect();
    let orders: Vec<Uuid> = tried.iter().map(|(_, order, _)| order.uuid()).collect();
    let tried = || tried.iter().map(|(.., execution)| execution);
    let dates: Vec<NaiveDate> = tried().map(|execution| execution.due_date).collect();
    let statuses: Vec<&str> = tried().map(|execution| write_status(execution.status)).collect();
    let attempts = tried().map(|execution| i32::try_from(execution.attempts).unwrap_or(i32::MAX));
    let attempts: Vec<i32> = attempts.collect();
    let reasons: Vec<Option<&str>> =
        tried().map(|execution| execution.reason.map(RejectReason::as_str)).collect();
    let transfers: Vec<Option<Uuid>> =
        tried().map(|execution| execution.transfer_id.map(TransferId::uuid)).collect();
    let amounts: Vec<Option<Decimal>> =
        tried().map(|execution| execution.money.map(|money| money.amount.decimal())).collect();
    let currencies: Vec<Option<&str>> =
        tried().map(|execution| execution.money.map(|money| money.currency.code())).collect();
    let instants: Vec<DateTime<Utc>> = tried().map(|execution| execution.at).collect();
    sqlx::query!(
        "INSERT INTO order_executions (account_id, order_id, due_date, status, attempts, reason,
             transfer_id, amount, currency, at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[], $5::integer[],
             $6::text[], $7::uuid[], $8::numeric[], $9::text[], $10::timestamptz[])
         ON CONFLICT (account_id, order_id, due_date) DO UPDATE SET status = excluded.status,
             attempts = excluded.attempts,
             reason = coalesce(excluded.reason, order_executions.reason),
             transfer_id = excluded.transfer_id, amount = excluded.amount,
             currency = excluded.currency, at = excluded.at",
        &accounts,
        &orders,
        &dates,
        &statuses as _,
        &attempts,
        &reasons as _,
        &transfers as _,
        &amounts as _,
        &currencies as _,
        &instants,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

struct ExecutionRow {
    order_id: Uuid,
    due_date: NaiveDate,
    status: String,
    attempts: i32,
    reason: Option<String>,
    transfer_id: Option<Uuid>,
    amount: Option<Decimal>,
    currency: Option<String>,
    at: DateTime<Utc>,
}

impl TryFrom<ExecutionRow> for OrderExecution {
    type Error = sqlx::Error;

    fn try_from(row: ExecutionRow) -> sqlx::Result<Self> {
        let reason = row
            .reason
            .map(|code| parsed("order_executions.reason", &code, RejectReason::from_code(&code)));
        let money = row.amount.zip(row.currency).map(|(amount, code)| {
            Ok::<_, sqlx::Error>(Money { amount: Amount(amount), currency: currency(&code)? })
        });
        Ok(Self {
            due_date: row.due_date,
            status: parsed("order_executions.status", &row.status, read_status(&row.status))?,
            attempts: count("order_executions.attempts", row.attempts)?,
            reason: reason.transpose()?,
            transfer_id: row.transfer_id.map(TransferId),
            money: money.transpose()?,
            at: row.at,
        })
    }
}

/// The executions of an order before a date, the newest first, at most `limit`.
pub(crate) async fn executions(
    tx: &mut Tx<'_>,
    (account, order): (AccountId, OrderId),
    before: Option<NaiveDate>,
    limit: i64,
) -> sqlx::Result<Vec<OrderExecution>> {
    let rows = sqlx::query_as!(
        ExecutionRow,
        "SELECT order_id, due_date, status, attempts, reason, transfer_id, amount, currency, at
         FROM order_executions
         WHERE account_id = $1 AND order_id = $2 AND due_date < coalesce($3, 'infinity'::date)
         ORDER BY due_date DESC LIMIT $4",
        account.uuid(),
        order.uuid(),
        before,
        limit,
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    rows.into_iter().map(OrderExecution::try_from).collect()
}

/// The last execution of each order that an account has.
pub(crate) async fn last_executions(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> sqlx::Result<HashMap<OrderId, OrderExecution>> {
    let rows = sqlx::query_as!(
        ExecutionRow,
        r#"SELECT order_id, due_date, status, last.attempts, reason, transfer_id, amount, currency,
                  at
           FROM orders CROSS JOIN LATERAL (
               SELECT * FROM order_executions AS done
               WHERE done.account_id = orders.account_id AND done.order_id = orders.id
               ORDER BY due_date DESC LIMIT 1
           ) AS last
           WHERE orders.account_id = $1"#,
        account.uuid(),
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    rows.map(|row| Ok((OrderId(row.order_id), OrderExecution::try_from(row)?))).collect()
}
