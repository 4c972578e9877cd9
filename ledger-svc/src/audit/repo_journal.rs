//! Records of the journal with the entries that belong to them.

use shared_events::{AccountId, Amount, TransferId, messaging::Tx, page::PAGE_BYTES_MAX};

use super::entity::{ChainedRecord, JournalEntry, JournalPage};
use crate::{
    journal::repo::{Beside, beside, hash},
    posting::stored_record,
};

/// The most bytes of an entry, beside the record that it belongs to.
const ENTRY_BYTES_MAX: usize = 400;

/// The records of a chain after a sequence, at most `limit`, with their entries. If a sequence were
/// taken twice, both records are shown: no page ends between them.
pub(super) async fn page(
    tx: &mut Tx<'_>,
    chain: u8,
    (after, limit): (i64, u32),
    size: fn(&ChainedRecord) -> usize,
) -> sqlx::Result<JournalPage> {
    let rows = sqlx::query!(
        r#"SELECT transfer_id, digest, place, hash, record AS "record!", reference,
                  end_to_end_id, salt
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
            sequence: row.place,
            transfer_id: TransferId(row.transfer_id),
            hash: hash(row.hash)?,
            digest: hash(row.digest)?,
            text: row.record,
            beside: beside(row.reference, row.end_to_end_id, row.salt)?,
            entries: vec![],
        };
        // An unreadable record is shown, and has no entries.
        let record = stored_record::read(&next.text, Beside::default());
        let legs = record.map_or(0, |record| record.posted_legs().len());
        bytes += size(&next) + legs * ENTRY_BYTES_MAX;
        let is_behind = records.last().is_some_and(|last| last.sequence != next.sequence);
        if bytes > PAGE_BYTES_MAX && is_behind {
            break;
        }
        records.push(next);
    }
    add_entries_in_tx(tx, &mut records).await?;
    let head = sqlx::query!("SELECT place, hash FROM chains WHERE chain = $1", i16::from(chain));
    let head = head.fetch_one(tx.connection()).await?;
    let (end_sequence, end_hash) = (head.place, hash(head.hash)?);
    Ok(JournalPage { records, end_sequence, end_hash })
}

/// Adds the entries of the records: of each leg the entry at its account's version. An unreadable
/// entry is left out: it is not the entry of the record.
async fn add_entries_in_tx(tx: &mut Tx<'_>, records: &mut [ChainedRecord]) -> sqlx::Result<()> {
    let (mut places, mut accounts, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for (place, chained) in (0_i64..).zip(&*records) {
        // An unreadable record was tampered with, which its hash shows.
        let Ok(record) = stored_record::read(&chained.text, Beside::default()) else { continue };
        for leg in record.posted_legs() {
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
