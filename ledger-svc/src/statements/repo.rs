//! The past of an account. Promise: no query reads all of a long account: a version by its instant
//! is found by bisection, entries that are dated off their day of posting by an index of their own
//! (`0006_history.sql`), and a search looks at a bounded number of entries for a page.
//!
//! A page is measured as the contract's message shows its items, so that it fits one message: the
//! functions take the item's form in the message as a parameter.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{TryStreamExt, stream::BoxStream};
use rust_decimal::Decimal;
use serde::Serialize;
use shared_events::{AccountId, Amount, TransferId, ledger::Direction, messaging::Tx, page::Page};
use uuid::Uuid;

use super::entity::{EntrySearch, PaymentName, StatementEntry, StatementPeriod, StatementRange};
use crate::{
    journal::repo::Beside,
    posting::{JournalRecord, Party, stored_record},
    repo::{exact, parsed, undecodable},
};

/// The most entries that one page of a search looks at.
pub(crate) const ENTRIES_SEARCHED_MAX: u32 = 10_000;

const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day");

/// The balance after the last posting at `instant` or before.
pub(crate) async fn balance_at(
    tx: &mut Tx<'_>,
    account: AccountId,
    instant: DateTime<Utc>,
) -> sqlx::Result<Amount> {
    let balance = sqlx::query_scalar!(
        r#"SELECT balance_after($1, posted_before($1, $2::timestamptz + interval '1 microsecond',
               9223372036854775807)) AS "balance!""#,
        account.uuid(),
        instant,
    );
    balance.fetch_one(tx.connection()).await.map(Amount)
}

/// The sum of the entries whose value date is `day` or earlier.
pub(crate) async fn balance_by_value_date(
    tx: &mut Tx<'_>,
    account: AccountId,
    day: NaiveDate,
) -> sqlx::Result<Amount> {
    let balance = sqlx::query_scalar!(
        r#"SELECT trim_scale(balance_by_value_date($1, $2, 9223372036854775807))::text
               AS "balance!""#,
        account.uuid(),
        day,
    );
    exact("the balance by value date", balance.fetch_one(tx.connection()).await?)
}

/// The sum of the entries whose booking date is `day` or earlier.
pub(crate) async fn balance_by_booking_date(
    tx: &mut Tx<'_>,
    account: AccountId,
    day: NaiveDate,
) -> sqlx::Result<Amount> {
    let balance = sqlx::query_scalar!(
        r#"SELECT trim_scale(balance_by_booking_date($1, $2, 9223372036854775807))::text
               AS "balance!""#,
        account.uuid(),
        day,
    );
    exact("the balance by booking date", balance.fetch_one(tx.connection()).await?)
}

/// The days of a statement, and their versions of the account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    /// The last versions before the first day, and before the end of the last day.
    low: i64,
    high: i64,
    /// The last version of the statement.
    until: i64,
}

/// The versions of a statement's period.
pub(crate) async fn span(
    tx: &mut Tx<'_>,
    account: AccountId,
    range: &StatementRange,
) -> sqlx::Result<Span> {
    let from = range.from.unwrap_or(FIRST_DAY).max(FIRST_DAY);
    let to = range.to.unwrap_or(LAST_DAY).min(LAST_DAY);
    let row = sqlx::query!(
        r#"SELECT until AS "until!",
               posted_before($1, $2::date::timestamp AT TIME ZONE 'UTC', until) AS "low!",
               posted_before($1, ($3::date + 1)::timestamp AT TIME ZONE 'UTC', until) AS "high!"
           FROM (SELECT coalesce(max(version), 0) AS until FROM entries
               WHERE account_id = $1 AND version <= $4) AS known"#,
        account.uuid(),
        from,
        to,
        range.until.unwrap_or(i64::MAX),
    );
    let row = row.fetch_one(tx.connection()).await?;
    let (low, high, until) = (row.low, row.high, row.until);
    Ok(Span { account: account.uuid(), from, to, low, high, until })
}

/// The figures of a statement's whole period.
pub(crate) async fn period(tx: &mut Tx<'_>, span: &Span) -> sqlx::Result<StatementPeriod> {
    let row = sqlx::query!(
        r#"SELECT trim_scale(balance_by_booking_date($1, $2 - 1, $6))::text AS "opening!",
                  trim_scale(balance_by_booking_date($1, $3, $6))::text AS "closing!",
                  trim_scale(coalesce(-sum(amount) FILTER (WHERE amount < 0), 0))::text
                      AS "debits!",
                  trim_scale(coalesce(sum(amount) FILTER (WHERE amount > 0), 0))::text
                      AS "credits!",
                  count(*) FILTER (WHERE amount < 0) AS "debit_count!",
                  count(*) FILTER (WHERE amount > 0) AS "credit_count!"
           FROM booked($1, $2, $3, $4, $5, 0, $6, NULL)"#,
        span.account,
        span.from,
        span.to,
        span.low,
        span.high,
        span.until,
    );
    let row = row.fetch_one(tx.connection()).await?;
    Ok(StatementPeriod {
        opening_balance: exact("the opening balance", row.opening)?,
        closing_balance: exact("the closing balance", row.closing)?,
        debits: exact("the sum of debits", row.debits)?,
        credits: exact("the sum of credits", row.credits)?,
        debit_count: row.debit_count,
        credit_count: row.credit_count,
        until: span.until,
    })
}

/// A stored entry, with its record.
struct EntryRow {
    version: i64,
    transfer_id: Uuid,
    amount: Decimal,
    balance_after: Decimal,
    booking_date: NaiveDate,
    value_date: NaiveDate,
    posted_at: DateTime<Utc>,
    record: String,
    reference: Option<String>,
    end_to_end_id: Option<String>,
}

/// Reads rows into a page, one at a time, so that no more records are in memory than a page has.
async fn page_of<R, T: Serialize>(
    mut rows: BoxStream<'_, sqlx::Result<R>>,
    limit: u32,
    read: impl Fn(R) -> sqlx::Result<T>,
) -> sqlx::Result<(Vec<T>, bool)> {
    let mut page = Page::new(limit as usize);
    while let Some(row) = rows.try_next().await? {
        if !page.takes(read(row)?) {
            break;
        }
    }
    Ok(page.finish())
}

/// A page of the entries of a period after version `after`, at most `limit`, and whether there are
/// more.
pub(crate) async fn entries<T: Serialize>(
    tx: &mut Tx<'_>,
    span: &Span,
    after: i64,
    limit: u32,
    shown: fn(StatementEntry) -> T,
) -> sqlx::Result<(Vec<T>, bool)> {
    let rows = sqlx::query_as!(
        EntryRow,
        r#"SELECT version AS "version!", page.transfer_id AS "transfer_id!", amount AS "amount!",
                  balance_after AS "balance_after!", booking_date AS "booking_date!",
                  value_date AS "value_date!", posted_at AS "posted_at!", record AS "record!",
                  reference, end_to_end_id
           FROM (SELECT * FROM booked($1, $2, $3, $4, $5, $6, $7, $8) ORDER BY version LIMIT $8)
               AS page
               JOIN journal ON journal.transfer_id = page.transfer_id
           ORDER BY version"#,
        span.account,
        span.from,
        span.to,
        span.low,
        span.high,
        after,
        span.until,
        i64::from(limit) + 1,
    );
    page_of(rows.fetch(tx.connection()), limit, |row| entry(row).map(shown)).await
}

/// A page of the next entries that match a search, at most `limit`, and whether there are more.
pub(crate) async fn matching<T: Serialize>(
    tx: &mut Tx<'_>,
    account: AccountId,
    search: &EntrySearch,
    limit: u32,
    shown: fn(StatementEntry) -> T,
) -> sqlx::Result<(Vec<T>, bool)> {
    let (other_id, other_code) = match &search.counterparty {
        Some(Party::AccountId(id)) => (Some(id.to_string()), None),
        Some(Party::Code(code)) => (None, Some(code.0.as_str())),
        None => (None, None),
    };
    let rows = sqlx::query_as!(
        EntryRow,
        r#"SELECT version, looked.transfer_id, amount, balance_after, booking_date, value_date,
                  posted_at, record AS "record!", reference, end_to_end_id
           FROM (SELECT * FROM entries WHERE account_id = $1 AND version > $2
                   ORDER BY version LIMIT $3) AS looked
               JOIN journal ON journal.transfer_id = looked.transfer_id
           WHERE ($4::text IS NULL OR position(lower($4) IN lower(reference)) > 0)
               AND ($5::text IS NULL OR end_to_end_id = $5)
               AND ($6::bool IS NULL OR (amount < 0) = $6)
               AND ($7::numeric IS NULL OR abs(amount) >= $7)
               AND ($8::numeric IS NULL OR abs(amount) <= $8)
               AND booking_date BETWEEN $9 AND $10
               AND ($11::text IS NULL AND $12::text IS NULL OR EXISTS (
                   SELECT FROM json_array_elements(record::json #> '{outcome,posted,legs}') AS leg
                   WHERE (leg ->> 'direction' = 'credit') = (amount < 0)
                       AND (leg #>> '{account,account_id}' = $11
                           OR leg #>> '{account,code}' = $12)))
           ORDER BY version LIMIT $13"#,
        account.uuid(),
        search.after.unwrap_or(0),
        i64::from(ENTRIES_SEARCHED_MAX),
        search.reference.as_deref(),
        search.end_to_end_id.as_deref(),
        search.direction.map(|direction| direction == Direction::Debit),
        search.amount_min.map(Amount::decimal),
        search.amount_max.map(Amount::decimal),
        search.from.unwrap_or(FIRST_DAY).max(FIRST_DAY),
        search.to.unwrap_or(LAST_DAY).min(LAST_DAY),
        other_id,
        other_code,
        i64::from(limit) + 1,
    );
    page_of(rows.fetch(tx.connection()), limit, |row| entry(row).map(shown)).await
}

/// The last version that a page of a search after version `after` looks at, if the account may have
/// later ones.
pub(crate) async fn looked_at(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: i64,
) -> sqlx::Result<Option<i64>> {
    let last = sqlx::query_scalar!(
        "SELECT version FROM entries WHERE account_id = $1 AND version > $2
         ORDER BY version OFFSET $3 LIMIT 1",
        account.uuid(),
        after,
        i64::from(ENTRIES_SEARCHED_MAX - 1),
    );
    last.fetch_optional(tx.connection()).await
}

/// A page of the instructions with this name after the id `after`, at most `limit`, and whether
/// there are more.
pub(crate) async fn payments<T: Serialize>(
    tx: &mut Tx<'_>,
    name: &PaymentName,
    after: Option<TransferId>,
    limit: u32,
    shown: fn(JournalRecord) -> T,
) -> sqlx::Result<(Vec<T>, bool)> {
    let (reference, end_to_end_id) = match name {
        PaymentName::Reference(text) => (Some(text), None),
        PaymentName::EndToEndId(text) => (None, Some(text)),
    };
    let rows = sqlx::query_as!(
        NamedRow,
        r#"SELECT record AS "record!", reference, end_to_end_id FROM (
               SELECT transfer_id, record, reference, end_to_end_id
               FROM journal WHERE reference = $1
               UNION ALL
               SELECT transfer_id, record, reference, end_to_end_id
               FROM journal WHERE end_to_end_id = $2) AS named
           WHERE transfer_id > $3 ORDER BY transfer_id LIMIT $4"#,
        reference,
        end_to_end_id,
        after.map_or(Uuid::nil(), TransferId::uuid),
        i64::from(limit) + 1,
    );
    let read = |row: NamedRow| record(&row.record, row.reference, row.end_to_end_id).map(shown);
    page_of(rows.fetch(tx.connection()), limit, read).await
}

/// A record that was found by one of its texts.
struct NamedRow {
    record: String,
    reference: Option<String>,
    end_to_end_id: Option<String>,
}

fn record(
    text: &str,
    reference: Option<String>,
    end_to_end_id: Option<String>,
) -> sqlx::Result<JournalRecord> {
    let beside = Beside { reference, end_to_end_id, salt: None };
    stored_record::read(text, beside).map_err(undecodable)
}

fn entry(row: EntryRow) -> sqlx::Result<StatementEntry> {
    let is_debit = row.amount.is_sign_negative();
    let direction = if is_debit { Direction::Debit } else { Direction::Credit };
    let record = record(&row.record, row.reference, row.end_to_end_id)?;
    Ok(StatementEntry {
        version: row.version,
        transfer_id: TransferId(row.transfer_id),
        direction,
        amount: Amount(row.amount.abs()),
        balance_after: Amount(row.balance_after),
        counterparty: counterparty(&record, direction)?,
        booking_date: row.booking_date,
        value_date: row.value_date,
        posted_at: row.posted_at,
        reverses: record.outcome.posted().and_then(|posted| posted.reverses),
        author: record.author,
        reference: record.instruction.reference,
        end_to_end_id: record.instruction.end_to_end_id,
    })
}

/// The first account on the other side of an entry in this direction.
fn counterparty(record: &JournalRecord, direction: Direction) -> sqlx::Result<Party> {
    let other = record.posted_legs().iter().find(|leg| leg.direction != direction);
    let other = other.map(|leg| match &leg.account.code {
        Some(code) => Party::Code(code.clone()),
        None => Party::AccountId(leg.account.account_id),
    });
    parsed("journal.record", "a transfer with one side", other)
}
