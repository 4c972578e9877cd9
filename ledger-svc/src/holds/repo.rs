//! The tables of holds and of reversals.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, TransferId, messaging::Tx};
use uuid::Uuid;

use super::{Hold, HoldStatus};
use crate::repo::{currency, parsed};

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

/// The holds with these ids. Their amounts cannot change while their accounts are locked.
pub(crate) async fn read_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Hold>> {
    let rows = sqlx::query!(
        "SELECT id, debtor_id, creditor_id, currency, remaining, status, expires_at, placed_on
         FROM holds WHERE id = ANY($1)",
        ids,
    );
    let holds = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| {
        Ok(Hold {
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
    holds.collect()
}

/// The holds whose time is over and that no failure postpones, at most `limit`; and whether an
/// earlier attempt failed.
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

/// Stores holds.
pub(crate) async fn put_in_tx<'a>(
    tx: &mut Tx<'_>,
    holds: impl Iterator<Item = &'a Hold>,
) -> sqlx::Result<()> {
    let holds: Vec<&Hold> = holds.collect();
    if holds.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = holds.iter().map(|hold| hold.id.uuid()).collect();
    let debtors: Vec<Uuid> = holds.iter().map(|hold| hold.debtor.uuid()).collect();
    let creditors: Vec<Uuid> = holds.iter().map(|hold| hold.creditor.uuid()).collect();
    let currencies: Vec<&str> = holds.iter().map(|hold| hold.currency.code()).collect();
    let remaining: Vec<Decimal> = holds.iter().map(|hold| hold.remaining).collect();
    let statuses: Vec<&str> = holds.iter().map(|hold| write_status(hold.status)).collect();
    let expiries: Vec<DateTime<Utc>> = holds.iter().map(|hold| hold.expires_at).collect();
    let days: Vec<NaiveDate> = holds.iter().map(|hold| hold.placed_on).collect();
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

/// The reversed amounts of these transfers.
pub(crate) async fn reversed_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(TransferId, Decimal)>> {
    let rows =
        sqlx::query!("SELECT original_id, amount FROM reversals WHERE original_id = ANY($1)", ids,);
    let rows = rows.fetch_all(tx.connection()).await?;
    Ok(rows.into_iter().map(|row| (TransferId(row.original_id), row.amount)).collect())
}

/// Stores the reversed amounts of transfers.
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
