//! The table of the journal, and the ends of its chains. The journal is the ledger's inbox, too: an
//! instruction with a record was decided.

use shared_events::{
    evidence::{Hash256, Salt, StatedEnd},
    messaging::Tx,
};
use uuid::Uuid;

use super::{ChainEnd, ChainHash};
use crate::{
    bank_calendar::{self, Clock},
    repo::parsed,
};

/// The number of months ahead for which the journal has tables.
const MONTHS_AHEAD: i32 = 2;

/// A record as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredRecord {
    /// The digest of the instruction.
    pub(crate) digest: [u8; 32],
    /// The JSON text.
    pub(crate) text: String,
    pub(crate) beside: Beside,
}

/// The texts of an instruction that are stored beside its record, and the salt of the record's
/// commitment to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    pub(crate) reference: Option<String>,
    pub(crate) end_to_end_id: Option<String>,
    pub(crate) salt: Option<Salt>,
}

/// Locks the end of a chain until the transaction ends: of a free chain, if there is one. Returns,
/// too, the records of these instructions, as far as they were decided before: each is looked up by
/// itself (`OFFSET 0` keeps the planner to that), and only in the table of its month.
pub(crate) async fn extend_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<(ChainEnd, Vec<StoredRecord>)> {
    let free = sqlx::query!(
        r#"SELECT free.chain, free.place, free.hash, free.closed_through,
                  greatest(free.now, free.decided_at, (SELECT max(decided_at) FROM chains))
                      AS "now!",
                  known.digest AS "digest?", known.record AS "record?",
                  known.reference, known.end_to_end_id, known.salt
           FROM (SELECT chain, place, hash, closed_through, decided_at, clock_timestamp() AS now
                 FROM chains LIMIT 1 FOR UPDATE SKIP LOCKED) AS free
           LEFT JOIN (unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL
               (SELECT digest, record, reference, end_to_end_id, salt FROM journal
                WHERE transfer_id = asked.id OFFSET 0) AS known)
               ON true"#,
        ids,
    );
    let (mut chain, mut known) = (None, Vec::new());
    for row in free.fetch_all(tx.connection()).await? {
        let (number, sequence, hash) = (row.chain, row.place, hash(row.hash)?);
        let clock = Clock { instant: row.now, closed_through: row.closed_through };
        chain = Some(ChainEnd { number, sequence, hash, clock });
        if let (Some(digest), Some(record)) = (row.digest, row.record) {
            let beside = beside(row.reference, row.end_to_end_id, row.salt)?;
            known.push(stored(digest, record, beside)?);
        }
    }
    if let Some(chain) = chain {
        return Ok((chain, known));
    }
    let any = sqlx::query!("SELECT chain, place, hash FROM chains WHERE chain = 0 FOR UPDATE");
    let row = any.fetch_one(tx.connection()).await?;
    let clock = bank_calendar::repo::clock(tx).await?;
    let (number, sequence, hash) = (row.chain, row.place, hash(row.hash)?);
    let chain = ChainEnd { number, sequence, hash, clock };
    Ok((chain, records_in_tx(tx, ids).await?))
}

/// The ends of all chains, in one snapshot and without a lock.
pub(crate) async fn ends_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<Vec<StatedEnd>> {
    let rows = sqlx::query!("SELECT chain, place, hash FROM chains ORDER BY chain");
    let ends = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| {
        let hash = Hash256(hash(row.hash)?.0);
        Ok(StatedEnd { chain: row.chain, place: row.place, hash })
    });
    ends.collect()
}

/// Makes the tables of the months to come.
pub(crate) async fn make_months_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    sqlx::query!("SELECT keep_journal($1)", MONTHS_AHEAD).execute(tx.connection()).await?;
    Ok(())
}

/// Reads a column of 32 bytes.
pub(crate) fn hash(bytes: Vec<u8>) -> sqlx::Result<ChainHash> {
    parsed("journal.digest, hash", "", bytes.try_into().ok().map(ChainHash))
}

/// The records of these instructions, as far as they were decided before.
pub(crate) async fn records_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<StoredRecord>> {
    let rows = sqlx::query!(
        r#"SELECT digest AS "digest!", record AS "record!", reference, end_to_end_id, salt
           FROM unnest($1::uuid[]) AS asked(id), LATERAL
             (SELECT digest, record, reference, end_to_end_id, salt FROM journal
              WHERE transfer_id = asked.id OFFSET 0) AS known"#,
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    let rows = rows.into_iter().map(|row| {
        let beside = beside(row.reference, row.end_to_end_id, row.salt)?;
        stored(row.digest, row.record, beside)
    });
    rows.collect()
}

fn stored(digest: Vec<u8>, text: String, beside: Beside) -> sqlx::Result<StoredRecord> {
    Ok(StoredRecord { digest: hash(digest)?.0, text, beside })
}

/// Reads the columns beside a record.
pub(crate) fn beside(
    reference: Option<String>,
    end_to_end_id: Option<String>,
    salt: Option<Vec<u8>>,
) -> sqlx::Result<Beside> {
    let salt = salt.map(|bytes| parsed("journal.salt", "", bytes.try_into().ok().map(Salt)));
    Ok(Beside { reference, end_to_end_id, salt: salt.transpose()? })
}
