//! The journal: what was decided, in chains, and the entries that follow from it. The ledger's
//! inbox, too: what stands here was decided.

use shared_events::{
    ledger::{Hash256, JournalRecord},
    messaging::Tx,
};
use uuid::Uuid;

use crate::legacy::store::{
    parsed,
    periods::{self, Clock},
};
use crate::{domain::Decided, journal::conversion};

/// For how many months the journal has tables in advance.
const MONTHS_AHEAD: i32 = 2;

/// The end of a chain that this transaction extends, and the instant of its decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub(crate) number: i16,
    pub(crate) place: i64,
    pub(crate) hash: Hash256,
    /// By the database's clock, after all accounts were locked. Where that has gone back, the
    /// instant of the last decision: whatever was decided before on these accounts was committed
    /// before they were locked, so it is seen here, and the instants of an account's entries never
    /// go back.
    pub(crate) clock: Clock,
}

/// Takes the end of a chain until the transaction ends: of one that nobody else extends, if there
/// is one. With it comes which of these instructions were decided before: each is looked for by
/// itself (`OFFSET 0` keeps the planner to that), and only in the table of its month.
pub(crate) async fn extend_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<(Chain, Vec<Decided>)> {
    let free = sqlx::query!(
        r#"SELECT free.chain, free.place, free.hash, free.closed_through,
                  greatest(free.now, free.decided_at, (SELECT max(decided_at) FROM chains))
                      AS "now!",
                  known.digest AS "digest?", known.record AS "record?"
           FROM (SELECT chain, place, hash, closed_through, decided_at, clock_timestamp() AS now
                 FROM chains LIMIT 1 FOR UPDATE SKIP LOCKED) AS free
           LEFT JOIN (unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL
               (SELECT digest, record FROM journal WHERE transfer_id = asked.id OFFSET 0) AS known)
               ON true"#,
        ids,
    );
    let (mut chain, mut known) = (None, Vec::new());
    for row in free.fetch_all(tx.connection()).await? {
        let (number, place, hash) = (row.chain, row.place, hash(row.hash)?);
        let clock = Clock { instant: row.now, closed_through: row.closed_through };
        chain = Some(Chain { number, place, hash, clock });
        if let (Some(digest), Some(record)) = (row.digest, row.record) {
            known.push(decided(digest, &record)?);
        }
    }
    if let Some(chain) = chain {
        return Ok((chain, known));
    }
    let any = sqlx::query!("SELECT chain, place, hash FROM chains WHERE chain = 0 FOR UPDATE");
    let row = any.fetch_one(tx.connection()).await?;
    let clock = periods::clock(tx).await?;
    let chain = Chain { number: row.chain, place: row.place, hash: hash(row.hash)?, clock };
    Ok((chain, decided_in_tx(tx, ids).await?))
}

/// Makes the tables of the months to come.
pub(crate) async fn keep_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    sqlx::query!("SELECT keep_journal($1)", MONTHS_AHEAD).execute(tx.connection()).await?;
    Ok(())
}

/// Reads a column of 32 bytes.
pub(crate) fn hash(bytes: Vec<u8>) -> sqlx::Result<Hash256> {
    parsed("journal.digest, hash", "", bytes.try_into().ok().map(Hash256))
}

/// Reads a record.
pub(crate) fn record(json: &str) -> sqlx::Result<JournalRecord> {
    conversion::read(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Those of these instructions that were decided before, with their outcomes.
pub(crate) async fn decided_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Decided>> {
    let rows = sqlx::query!(
        r#"SELECT digest AS "digest!", record AS "record!"
           FROM unnest($1::uuid[]) AS asked(id), LATERAL
             (SELECT digest, record FROM journal WHERE transfer_id = asked.id OFFSET 0) AS known"#,
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    rows.into_iter().map(|row| decided(row.digest, &row.record)).collect()
}

fn decided(digest: Vec<u8>, json: &str) -> sqlx::Result<Decided> {
    Ok(Decided { digest: hash(digest)?.0, record: record(json)? })
}
