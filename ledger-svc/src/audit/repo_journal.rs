//! What is read to prove the journal.

use shared_events::{
    AccountId, Amount, TransferId,
    ledger::{CHAINS, ChainedRecord, JournalEntry, JournalFound},
    messaging::Tx,
    page::{PAGE_BYTES_MAX, bytes_of},
};

use crate::legacy::domain::posted_legs;
use crate::legacy::store::journal::{hash, record};

/// What an entry comes to at most, beside the record that it belongs to.
const ENTRY_BYTES_MAX: usize = 400;

/// Records of a chain after a place, at most `limit`, with the entries that stand beside them.
/// Should a place be taken twice, both are told: no page ends between them.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    chain: u8,
    after: i64,
    limit: u32,
) -> sqlx::Result<JournalFound> {
    let rows = sqlx::query!(
        r#"SELECT transfer_id, digest, place, hash, record AS "record!", reference,
                  end_to_end_id
           FROM journal WHERE chain = $1 AND place > $2
           ORDER BY place FETCH FIRST ($3) ROWS WITH TIES"#,
        i16::from(chain),
        after,
        i64::from(limit),
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    let (mut records, mut bytes) = (Vec::<ChainedRecord>::with_capacity(rows.len()), 0);
    for row in rows {
        let next = ChainedRecord {
            chain,
            place: row.place,
            transfer_id: TransferId(row.transfer_id),
            hash: hash(row.hash)?,
            digest: hash(row.digest)?,
            record: row.record,
            reference: row.reference,
            end_to_end_id: row.end_to_end_id,
            entries: vec![],
        };
        // A record that cannot be read is told, and has no entries that could be.
        let legs = record(&next.record).map_or(0, |it| posted_legs(&it).len());
        bytes += bytes_of(&next) + legs * ENTRY_BYTES_MAX;
        let is_behind = records.last().is_some_and(|last| last.place != next.place);
        if bytes > PAGE_BYTES_MAX && is_behind {
            break;
        }
        records.push(next);
    }
    add_entries_in_tx(tx, &mut records).await?;
    let head = sqlx::query!("SELECT place, hash FROM chains WHERE chain = $1", i16::from(chain));
    let head = head.fetch_one(tx.connection()).await?;
    let (head_place, head_hash) = (head.place, hash(head.hash)?);
    Ok(JournalFound { chains: CHAINS, records, head_place, head_hash })
}

/// Adds the entries that stand where the records say: of each leg the one at its account's version.
/// What no program can read is left out: it is not what the record says.
async fn add_entries_in_tx(tx: &mut Tx<'_>, records: &mut [ChainedRecord]) -> sqlx::Result<()> {
    let (mut places, mut accounts, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for (place, chained) in (0_i64..).zip(&*records) {
        // A record that cannot be read has been tampered with: its hash says so.
        let Ok(record) = record(&chained.record) else { continue };
        for leg in posted_legs(&record) {
            places.push(place);
            accounts.push(leg.account.account_id.uuid());
            versions.push(leg.account.version);
        }
    }
    let rows = sqlx::query!(
        r#"SELECT place AS "place!", account_id AS "account_id!", version AS "version!",
                  transfer_id,
                  trim_scale(amount)::text AS "amount!",
                  trim_scale(balance_after)::text AS "balance_after!",
                  booking_date, value_date, posted_at
           FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS leg(place, account_id, version)
                JOIN entries USING (account_id, version)
           WHERE isfinite(booking_date) AND isfinite(value_date) AND isfinite(posted_at)
           ORDER BY place, transfer_id, account_id"#,
        &places,
        &accounts,
        &versions,
    );
    for row in rows.fetch_all(tx.connection()).await? {
        let at = usize::try_from(row.place).expect("places are indices");
        let amounts = (row.amount.parse::<Amount>(), row.balance_after.parse::<Amount>());
        let (Ok(amount), Ok(balance_after)) = amounts else { continue };
        records[at].entries.push(JournalEntry {
            account_id: AccountId(row.account_id),
            version: row.version,
            transfer_id: TransferId(row.transfer_id),
            amount,
            balance_after,
            booking_date: row.booking_date,
            value_date: row.value_date,
            posted_at: row.posted_at,
        });
    }
    Ok(())
}
