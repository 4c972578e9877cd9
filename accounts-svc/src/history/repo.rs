//! The table of the history, and the end of its chain.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId,
    evidence::{Hash256, Salt},
    messaging::Tx,
};
use uuid::Uuid;

use super::{
    entity::{ChainEnd, RecordedChange},
    pages::HistoryListing,
};

/// What is known of an account whose history somebody asks for.
#[derive(Clone, Debug)]
pub(super) struct KnownAccount {
    /// `None`: it is not stored.
    pub(super) branch: Option<String>,
    pub(super) has_records: bool,
}

/// Locks the end of the chain until the transaction ends, and reads the clock.
pub(super) async fn lock_end_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<(ChainEnd, DateTime<Utc>)> {
    let row = sqlx::query!(
        r#"SELECT place, hash, clock_timestamp() AS "now!" FROM history_end FOR UPDATE"#,
    );
    let row = row.fetch_one(tx.connection()).await?;
    Ok((ChainEnd { place: row.place, hash: hash(row.hash)? }, row.now))
}

/// The end of the chain.
pub(super) async fn end_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<ChainEnd> {
    let row = sqlx::query!("SELECT place, hash FROM history_end");
    let row = row.fetch_one(tx.connection()).await?;
    Ok(ChainEnd { place: row.place, hash: hash(row.hash)? })
}

/// Adds records, and moves the end of the chain behind the last of them. This transaction has
/// locked the end.
pub(super) async fn insert_in_tx(tx: &mut Tx<'_>, records: &[RecordedChange]) -> sqlx::Result<()> {
    let Some(last) = records.last() else { return Ok(()) };
    let places: Vec<i64> = records.iter().map(|record| record.place).collect();
    let accounts: Vec<Option<Uuid>> =
        records.iter().map(|record| record.account_id.map(AccountId::uuid)).collect();
    let principals: Vec<Option<&str>> =
        records.iter().map(|record| record.principal.as_deref()).collect();
    let numbers: Vec<i64> = records.iter().map(|record| record.number).collect();
    let hashes: Vec<&[u8]> = records.iter().map(|record| record.hash.0.as_slice()).collect();
    let texts: Vec<&str> = records.iter().map(|record| record.record.as_str()).collect();
    let beside: Vec<Option<&str>> = records.iter().map(|record| record.texts.as_deref()).collect();
    let salts: Vec<Option<&[u8]>> =
        records.iter().map(|record| record.salt.as_ref().map(|salt| salt.0.as_slice())).collect();
    let inserted = sqlx::query!(
        "WITH moved AS (UPDATE history_end SET place = $9, hash = $10)
         INSERT INTO history (place, account_id, principal, number, hash, record, texts, salt)
         SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::bytea[],
                              $6::text[], $7::text[], $8::bytea[])",
        &places,
        &accounts as _,
        &principals as _,
        &numbers,
        &hashes as _,
        &texts as _,
        &beside as _,
        &salts as _,
        last.place,
        last.hash.0.as_slice(),
    );
    inserted.execute(tx.connection()).await?;
    Ok(())
}

/// Erases the texts and the salts beside all records of these accounts, which are stored as erased.
pub(super) async fn erase_texts_in_tx(tx: &mut Tx<'_>, accounts: &[AccountId]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.uuid()).collect();
    sqlx::query!("SELECT erase_texts($1)", &ids).fetch_all(tx.connection()).await?;
    Ok(())
}

/// The branch of an account, and whether it has a history.
pub(super) async fn known_account_in_tx(
    tx: &mut Tx<'_>,
    id: AccountId,
) -> sqlx::Result<KnownAccount> {
    let row = sqlx::query!(
        r#"SELECT (SELECT branch FROM accounts WHERE id = $1) AS branch,
                  EXISTS (SELECT FROM history WHERE account_id = $1) AS "has_records!""#,
        id.uuid(),
    );
    let row = row.fetch_one(tx.connection()).await?;
    Ok(KnownAccount { branch: row.branch, has_records: row.has_records })
}

/// The records of a page.
pub(super) async fn page_in_tx(
    tx: &mut Tx<'_>,
    listing: &HistoryListing,
) -> sqlx::Result<Vec<RecordedChange>> {
    match listing.account_id {
        Some(account) => page_of_account_in_tx(tx, account, listing).await,
        None => page_of_all_in_tx(tx, listing).await,
    }
}

/// The columns of the history.
struct HistoryRow {
    place: i64,
    account_id: Option<Uuid>,
    principal: Option<String>,
    number: i64,
    hash: Vec<u8>,
    record: String,
    texts: Option<String>,
    salt: Option<Vec<u8>>,
}

async fn page_of_all_in_tx(
    tx: &mut Tx<'_>,
    listing: &HistoryListing,
) -> sqlx::Result<Vec<RecordedChange>> {
    let rows = sqlx::query_as!(
        HistoryRow,
        "SELECT place, account_id, principal, number, hash, record, texts, salt
         FROM history WHERE place > $1 ORDER BY place LIMIT $2",
        listing.after,
        i64::from(listing.limit),
    );
    read_all(rows.fetch_all(tx.connection()).await?)
}

async fn page_of_account_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    listing: &HistoryListing,
) -> sqlx::Result<Vec<RecordedChange>> {
    let rows = sqlx::query_as!(
        HistoryRow,
        "SELECT place, account_id, principal, number, hash, record, texts, salt
         FROM history WHERE account_id = $1 AND place > $2 ORDER BY place LIMIT $3",
        account.uuid(),
        listing.after,
        i64::from(listing.limit),
    );
    read_all(rows.fetch_all(tx.connection()).await?)
}

fn read_all(rows: Vec<HistoryRow>) -> sqlx::Result<Vec<RecordedChange>> {
    let read = |row: HistoryRow| {
        Ok(RecordedChange {
            place: row.place,
            account_id: row.account_id.map(AccountId),
            principal: row.principal,
            number: row.number,
            hash: hash(row.hash)?,
            record: row.record,
            texts: row.texts,
            salt: row.salt.and_then(|salt| salt.try_into().ok()).map(Salt),
        })
    };
    rows.into_iter().map(read).collect()
}

fn hash(bytes: Vec<u8>) -> sqlx::Result<Hash256> {
    let wrong = |_| sqlx::Error::Decode("a hash of the history has not 32 bytes".into());
    bytes.try_into().map(Hash256).map_err(wrong)
}
