//! The statement that stores a posting: balances, the end of the chain, records and entries.
//! Promise: one statement for a batch of any size, since each statement costs a round trip, which
//! is most of the time that a small batch takes.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{ledger::Direction, messaging::Tx};
use uuid::Uuid;

use super::{
    outcome::PostedLeg,
    record::{Decided, JournalRecord},
    stored_record,
};
use crate::{accounts::Account, journal::ChainEnd, repo::numeric::Numeric};

/// Balances as columns for an array statement.
#[derive(Default)]
struct Balances {
    ids: Vec<Uuid>,
    posted_debits: Vec<Numeric>,
    posted_credits: Vec<Numeric>,
    pending_debits: Vec<Numeric>,
    pending_credits: Vec<Numeric>,
    spent_days: Vec<NaiveDate>,
    spent_on_days: Vec<Numeric>,
    spent_in_months: Vec<Numeric>,
    versions: Vec<i64>,
}

impl<'a> FromIterator<&'a Account> for Balances {
    fn from_iter<I: IntoIterator<Item = &'a Account>>(accounts: I) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            columns.ids.push(account.id.uuid());
            columns.posted_debits.push(Numeric(account.posted_debits));
            columns.posted_credits.push(Numeric(account.posted_credits));
            columns.pending_debits.push(Numeric(account.pending_debits));
            columns.pending_credits.push(Numeric(account.pending_credits));
            columns.spent_days.push(account.usage.day);
            columns.spent_on_days.push(Numeric(account.usage.on_day));
            columns.spent_in_months.push(Numeric(account.usage.in_month));
            columns.versions.push(account.version);
        }
        columns
    }
}

/// Records as columns.
#[derive(Default)]
struct Records<'a> {
    ids: Vec<Uuid>,
    digests: Vec<&'a [u8]>,
    sequences: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    records: Vec<String>,
    references: Vec<Option<&'a str>>,
    end_to_end_ids: Vec<Option<&'a str>>,
    salts: Vec<Option<Vec<u8>>>,
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

/// Stores the balances of accounts that this transaction has locked or inserted, and appends the
/// decisions to the chain and their entries to the accounts.
pub(super) async fn post_in_tx<'a>(
    tx: &mut Tx<'_>,
    chain: ChainEnd,
    decided: impl Iterator<Item = &'a Decided>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let now: Balances = accounts.collect();
    let (records, entries, end) = appended(chain, decided);
    if now.ids.is_empty() && records.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH balanced AS (
             UPDATE accounts SET
                 posted_debits = now.posted_debits,
                 posted_credits = now.posted_credits,
                 pending_debits = now.pending_debits,
                 pending_credits = now.pending_credits,
                 spent_day = now.spent_day,
                 spent_on_day = now.spent_on_day,
                 spent_in_month = now.spent_in_month,
                 version = now.version
             FROM unnest($19::uuid[], $20::numeric[], $21::numeric[], $22::numeric[],
                      $23::numeric[], $24::date[], $25::numeric[], $26::numeric[], $27::bigint[])
                  AS now(id, posted_debits, posted_credits, pending_debits, pending_credits,
                      spent_day, spent_on_day, spent_in_month, version)
             WHERE accounts.id = now.id
         ), ended AS (
             UPDATE chains SET place = $9, hash = $10, decided_at = $11 WHERE chain = $1
         ), entered AS (
             INSERT INTO entries (account_id, version, transfer_id, amount, balance_after,
                 booking_date, value_date, posted_at)
             SELECT *, $11 FROM unnest($12::uuid[], $13::bigint[], $14::uuid[], $15::numeric[],
                 $16::numeric[], $17::date[], $18::date[])
         )
         INSERT INTO journal (chain, transfer_id, digest, place, hash, record, reference,
             end_to_end_id, salt)
         SELECT $1, id, digest, place, hash, record, reference, end_to_end_id, salt
         FROM unnest($2::uuid[], $3::bytea[], $4::bigint[], $5::bytea[], $6::text[], $7::text[],
                  $8::text[], $28::bytea[])
              AS new(id, digest, place, hash, record, reference, end_to_end_id, salt)",
        chain.number,
        &records.ids,
        &records.digests as _,
        &records.sequences,
        &records.hashes as _,
        &records.records,
        &records.references as _,
        &records.end_to_end_ids as _,
        end.sequence,
        end.hash.0.as_slice(),
        chain.clock.instant,
        &entries.account_ids,
        &entries.versions,
        &entries.transfer_ids,
        &entries.amounts,
        &entries.balances,
        &entries.booking_dates,
        &entries.value_dates,
        &now.ids,
        &now.posted_debits as _,
        &now.posted_credits as _,
        &now.pending_debits as _,
        &now.pending_credits as _,
        &now.spent_days,
        &now.spent_on_days as _,
        &now.spent_in_months as _,
        &now.versions,
        &records.salts as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Records and entries, and the end of the chain after them.
fn appended<'a>(
    chain: ChainEnd,
    decided: impl Iterator<Item = &'a Decided>,
) -> (Records<'a>, Entries, ChainEnd) {
    let (mut records, mut legs, mut end) = (Records::default(), Vec::new(), chain);
    for one in decided {
        end = records.push(end, one);
        legs.extend(one.record.posted_legs().iter().map(|leg| (leg, &one.record)));
    }
    // In the order of the index: each insert is near the one before.
    legs.sort_unstable_by_key(|(leg, _)| (leg.account.account_id, leg.account.version));
    (records, legs.into_iter().collect(), end)
}

impl<'a> Records<'a> {
    /// Adds a record after `end`, and returns the end of the chain after it.
    fn push(&mut self, end: ChainEnd, decided: &'a Decided) -> ChainEnd {
        let instruction = &decided.record.instruction;
        let text = stored_record::stored(decided).to_text();
        let before = end;
        let end = end.after(decided.digest, &text);
        assert_eq!(end.sequence, before.sequence + 1, "a chain has no gaps");
        self.ids.push(instruction.transfer_id.uuid());
        self.digests.push(&decided.digest);
        self.sequences.push(end.sequence);
        self.hashes.push(end.hash.0.to_vec());
        self.records.push(text);
        self.references.push(instruction.reference.as_deref());
        self.end_to_end_ids.push(instruction.end_to_end_id.as_deref());
        self.salts.push(decided.texts.salt().map(|salt| salt.0.to_vec()));
        end
    }
}

impl<'a> FromIterator<(&'a PostedLeg, &'a JournalRecord)> for Entries {
    fn from_iter<I: IntoIterator<Item = (&'a PostedLeg, &'a JournalRecord)>>(legs: I) -> Self {
        let mut columns = Self::default();
        for (leg, record) in legs {
            let amount = leg.money.amount.decimal();
            let amount = if leg.direction == Direction::Debit { -amount } else { amount };
            columns.account_ids.push(leg.account.account_id.uuid());
            columns.versions.push(leg.account.version);
            columns.transfer_ids.push(record.instruction.transfer_id.uuid());
            columns.amounts.push(amount);
            columns.balances.push(leg.account.balance.decimal());
            columns.booking_dates.push(record.booking_date);
            columns.value_dates.push(record.value_date);
        }
        columns
    }
}
