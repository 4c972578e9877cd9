//! What is set aside, and what was reversed: the working state that the journal leads to.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, TransferId, ledger::HoldStatus, messaging::Tx};
use uuid::Uuid;

use crate::legacy::domain::Held;
use crate::legacy::store::{accounts::currency, parsed};

const fn write_status(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Open => "open",
        HoldStatus::Captured => "captured",
        HoldStatus::Released => "released",
        HoldStatus::Expired => "expired",
    }
}

fn read_status(status: &str) -> Option<HoldStatus> {
    use HoldStatus::{Captured, Expired, Open, Released};
    [Open, Captured, Released, Expired].into_iter().find(|known| write_status(*known) == status)
}

/// The holds with these ids. What they hold cannot change while their accounts are locked.
pub(crate) async fn read_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        "SELECT id, debtor_id, creditor_id, currency, remaining, status, expires_at, placed_on
         FROM holds WHERE id = ANY($1)",
        ids,
    );
    let held = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| {
        Ok(Held {
            id: TransferId(row.id),
            debtor: AccountId(row.debtor_id),
            creditor: AccountId(row.creditor_id),
            currency: currency(&row.currency)?,
            remaining: row.remaining,
            status: parsed("holds.status", &row.status, read_status(&row.status))?,
            expires_at: row.expires_at,
            placed_on: row.placed_on,
        })
    });
    held.collect()
}

/// Holds whose time is over and that are not set aside, at most `limit`; and whether they were.
pub(crate) async fn due(tx: &mut Tx<'_>, limit: usize) -> sqlx::Result<Vec<(Uuid, bool)>> {
    let rows = sqlx::query!(
        r#"SELECT id, failures IS NOT NULL AS "failed!"
           FROM holds LEFT JOIN set_aside ON kind = 'hold' AND about = id
           WHERE status = 'open' AND expires_at <= clock_timestamp()
               AND (try_again IS NULL OR try_again <= clock_timestamp())
           ORDER BY expires_at LIMIT $1"#,
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    Ok(rows.map(|row| (row.id, row.failed)).collect())
}

/// Stores holds as they are now.
pub(crate) async fn put_in_tx<'a>(
    tx: &mut Tx<'_>,
    held: impl Iterator<Item = &'a Held>,
) -> sqlx::Result<()> {
    let held: Vec<&Held> = held.collect();
    if held.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = held.iter().map(|it| it.id.uuid()).collect();
    let debtors: Vec<Uuid> = held.iter().map(|it| it.debtor.uuid()).collect();
    let creditors: Vec<Uuid> = held.iter().map(|it| it.creditor.uuid()).collect();
    let currencies: Vec<&str> = held.iter().map(|it| it.currency.code()).collect();
    let remaining: Vec<Decimal> = held.iter().map(|it| it.remaining).collect();
    let statuses: Vec<&str> = held.iter().map(|it| write_status(it.status)).collect();
    let expiries: Vec<DateTime<Utc>> = held.iter().map(|it| it.expires_at).collect();
    let days: Vec<NaiveDate> = held.iter().map(|it| it.placed_on).collect();
    sqlx::query!(
        "INSERT INTO holds (id, debtor_id, creditor_id, currency, remaining, status, expires_at,
             placed_on)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::numeric[],
             $6::text[], $7::timestamptz[], $8::date[])
         ON CONFLICT (id) DO UPDATE SET remaining = excluded.remaining, status = excluded.status",
        &ids,
        &debtors,
        &creditors,
        &currencies as _,
        &remaining,
        &statuses as _,
        &expiries,
        &days,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// How much was reversed of these transfers.
pub(crate) async fn reversed_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(TransferId, Decimal)>> {
    let rows =
        sqlx::query!("SELECT original_id, amount FROM reversals WHERE original_id = ANY($1)", ids,);
    let rows = rows.fetch_all(tx.connection()).await?;
    Ok(rows.into_iter().map(|row| (TransferId(row.original_id), row.amount)).collect())
}

/// Stores how much was reversed of transfers until now.
pub(crate) async fn put_reversed_in_tx(
    tx: &mut Tx<'_>,
    reversed: impl Iterator<Item = (TransferId, Decimal)>,
) -> sqlx::Result<()> {
    let (ids, amounts): (Vec<Uuid>, Vec<Decimal>) =
        reversed.map(|(id, amount)| (id.uuid(), amount)).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO reversals (original_id, amount)
         SELECT * FROM unnest($1::uuid[], $2::numeric[])
         ON CONFLICT (original_id) DO UPDATE SET amount = excluded.amount",
        &ids,
        &amounts,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
