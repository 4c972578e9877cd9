//! The journal: what was decided, in chains, and the entries that follow from it. The ledger's
//! inbox, too: what stands here was decided.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    bus::Tx,
    ledger::{Direction, Hash256, JournalRecord},
};
use uuid::Uuid;

use super::parsed;
use crate::domain::{Decided, posted_legs};

/// The end of a chain that this transaction extends, and the instant of its decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    chain: i16,
    place: i64,
    hash: Hash256,
    /// By the database's clock, after all accounts were locked: the instants of an account's
    /// entries never go back.
    pub(crate) now: DateTime<Utc>,
}

/// Takes the end of a chain until the transaction ends: of one that nobody else extends, if there
/// is one.
pub(crate) async fn extend_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<Chain> {
    let free = sqlx::query!(
        r#"SELECT chain, place, hash, clock_timestamp() AS "now!" FROM chains
           LIMIT 1 FOR UPDATE SKIP LOCKED"#,
    );
    if let Some(row) = free.fetch_optional(tx.connection()).await? {
        let (chain, place, hash) = (row.chain, row.place, hash(row.hash)?);
        return Ok(Chain { chain, place, hash, now: row.now });
    }
    let any = sqlx::query!("SELECT chain, place, hash FROM chains WHERE chain = 0 FOR UPDATE");
    let row = any.fetch_one(tx.connection()).await?;
    let now = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#);
    let now = now.fetch_one(tx.connection()).await?;
    Ok(Chain { chain: row.chain, place: row.place, hash: hash(row.hash)?, now })
}

/// Reads a column of 32 bytes.
pub(super) fn hash(bytes: Vec<u8>) -> sqlx::Result<Hash256> {
    parsed("journal.digest, hash", "", bytes.try_into().ok().map(Hash256))
}

/// Reads a record.
pub(super) fn record(json: &str) -> sqlx::Result<JournalRecord> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Those of these instructions that were decided before, with their outcomes.
pub(crate) async fn decided_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Decided>> {
    let rows = sqlx::query!(
        r#"SELECT digest, record AS "record!" FROM journal WHERE transfer_id = ANY($1)"#,
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    let decided = rows
        .into_iter()
        .map(|row| Ok(Decided { digest: hash(row.digest)?.0, record: record(&row.record)? }));
    decided.collect()
}

/// Records as columns, for an array statement.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    digests: Vec<&'a [u8]>,
    places: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    records: Vec<String>,
    references: Vec<Option<&'a str>>,
    end_to_end_ids: Vec<Option<&'a str>>,
}

/// Entries as columns.
#[derive(Default)]
struct Entries {
    account_ids: Vec<Uuid>,
    versions: Vec<i64>,
    transfer_ids: Vec<Uuid>,
    amounts: Vec<Decimal>,
    balances: Vec<Decimal>,
    booking_dates: Vec<NaiveDate>,
    value_dates: Vec<NaiveDate>,
}

/// Appends what was decided to the chain, and its entries to the accounts' books: one statement.
pub(crate) async fn append_in_tx<'a>(
    tx: &mut Tx<'_>,
    chain: Chain,
    decided: impl Iterator<Item = &'a Decided>,
) -> sqlx::Result<()> {
    let (mut columns, mut entries, mut end) = (Columns::default(), Entries::default(), chain);
    for one in decided {
        end = columns.push(end, one);
        entries.push(&one.record);
    }
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH ended AS (
             UPDATE chains SET place = $9, hash = $10 WHERE chain = $1
         ), entered AS (
             INSERT INTO entries (account_id, version, transfer_id, amount, balance_after,
                 booking_date, value_date, posted_at)
             SELECT *, $11 FROM unnest($12::uuid[], $13::bigint[], $14::uuid[], $15::numeric[],
                 $16::numeric[], $17::date[], $18::date[])
         )
         INSERT INTO journal (chain, transfer_id, digest, place, hash, record, reference,
             end_to_end_id)
         SELECT $1, id, digest, place, hash, record, reference, end_to_end_id
         FROM unnest($2::uuid[], $3::bytea[], $4::bigint[], $5::bytea[], $6::text[], $7::text[],
                  $8::text[])
              AS new(id, digest, place, hash, record, reference, end_to_end_id)",
        chain.chain,
        &columns.ids,
        &columns.digests as _,
        &columns.places,
        &columns.hashes,
        &columns.records,
        &columns.references as _,
        &columns.end_to_end_ids as _,
        end.place,
        end.hash.0.as_slice(),
        chain.now,
        &entries.account_ids,
        &entries.versions,
        &entries.transfer_ids,
        &entries.amounts,
        &entries.balances,
        &entries.booking_dates,
        &entries.value_dates,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl<'a> Columns<'a> {
    /// Adds a record after `end`, and returns where the chain ends now.
    fn push(&mut self, end: Chain, decided: &'a Decided) -> Chain {
        let instruction = &decided.record.instruction;
        let json = serde_json::to_string(&decided.record).expect("a record is plain JSON");
        let hash = end.hash.of_next(Hash256(decided.digest), &json);
        let end = Chain { place: end.place + 1, hash, ..end };
        self.ids.push(instruction.transfer_id.uuid());
        self.digests.push(&decided.digest);
        self.places.push(end.place);
        self.hashes.push(hash.0.to_vec());
        self.records.push(json);
        self.references.push(instruction.reference.as_deref());
        self.end_to_end_ids.push(instruction.end_to_end_id.as_deref());
        end
    }
}

impl Entries {
    fn push(&mut self, record: &JournalRecord) {
        for leg in posted_legs(record) {
            let amount = leg.money.amount.decimal();
            self.account_ids.push(leg.account.account_id.uuid());
            self.versions.push(leg.account.version);
            self.transfer_ids.push(record.instruction.transfer_id.uuid());
            self.amounts.push(if leg.direction == Direction::Debit { -amount } else { amount });
            self.balances.push(leg.account.balance.decimal());
            self.booking_dates.push(record.booking_date);
            self.value_dates.push(record.value_date);
        }
    }
}
