//! The journal.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::bus::Tx;
use uuid::Uuid;

use crate::domain::Posting;

/// Appends entries to the journal.
pub(crate) async fn append_in_tx(tx: &mut Tx<'_>, postings: &[Posting]) -> sqlx::Result<()> {
    if postings.is_empty() {
        return Ok(());
    }
    let account_ids: Vec<Uuid> = postings.iter().map(|it| it.account_id.uuid()).collect();
    let versions: Vec<i64> = postings.iter().map(|it| it.version).collect();
    let transfer_ids: Vec<Uuid> = postings.iter().map(|it| it.transfer_id.uuid()).collect();
    let amounts: Vec<Decimal> = postings.iter().map(|it| it.amount).collect();
    let balances: Vec<Decimal> = postings.iter().map(|it| it.balance_after).collect();
    let dates: Vec<NaiveDate> = postings.iter().map(|it| it.booking_date).collect();
    sqlx::query!(
        "INSERT INTO entries
             (account_id, version, transfer_id, amount, balance_after, booking_date)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::numeric[], $5::numeric[],
             $6::date[])",
        &account_ids,
        &versions,
        &transfer_ids,
        &amounts,
        &balances,
        &dates,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
