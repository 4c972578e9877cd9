//! The tables of terms, capitalised months and due months.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, Currency, messaging::Tx};
use uuid::Uuid;

use super::{
    capitalisation::Capitalised,
    terms::{AtClosing, DayCount, InterestTerms},
};
use crate::{
    posting::Rounding,
    repo::{currency, exact, parsed},
};

/// Terms, and the instant of their setting.
#[derive(Clone, Debug)]
pub(crate) struct TermsSet {
    pub(crate) terms: InterestTerms,
    pub(crate) set_at: DateTime<Utc>,
}

/// The postings of a month.
#[derive(Clone, Debug)]
pub(crate) struct CapitalisedMonth {
    pub(crate) month: NaiveDate,
    pub(crate) credit_interest: Decimal,
    pub(crate) debit_interest: Decimal,
    pub(crate) statement_fee: Decimal,
    pub(crate) capitalised_at: DateTime<Utc>,
}

const fn write_day_count(day_count: DayCount) -> &'static str {
    match day_count {
        DayCount::Act365 => "act/365",
        DayCount::Act360 => "act/360",
        DayCount::ThirtyE360 => "30e/360",
    }
}

fn read_day_count(name: &str) -> Option<DayCount> {
    use DayCount::{Act360, Act365, ThirtyE360};
    [Act365, Act360, ThirtyE360].into_iter().find(|known| write_day_count(*known) == name)
}

const fn write_rounding(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::HalfEven => "half_even",
        Rounding::HalfUp => "half_up",
        Rounding::Down => "down",
    }
}

fn read_rounding(name: &str) -> Option<Rounding> {
    use Rounding::{Down, HalfEven, HalfUp};
    [HalfEven, HalfUp, Down].into_iter().find(|known| write_rounding(*known) == name)
}

const fn write_at_closing(rule: AtClosing) -> &'static str {
    match rule {
        AtClosing::Forfeit => "forfeit",
        AtClosing::Pay => "pay",
    }
}

fn read_at_closing(name: &str) -> Option<AtClosing> {
    use AtClosing::{Forfeit, Pay};
    [Forfeit, Pay].into_iter().find(|known| write_at_closing(*known) == name)
}

/// Appends terms of an account that this transaction has locked.
pub(crate) async fn add_terms_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    terms: &InterestTerms,
    set_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO interest_terms (account_id, place, valid_from, credit_rate, debit_rate,
             day_count, rounding, statement_fee, at_closing, set_at)
         SELECT $1, count(*) + 1, $2, $3, $4, $5, $6, $7, $8, $9
         FROM interest_terms WHERE account_id = $1",
        account.uuid(),
        terms.valid_from,
        terms.credit_rate.decimal(),
        terms.debit_rate.decimal(),
        write_day_count(terms.day_count),
        write_rounding(terms.rounding),
        terms.statement_fee.map(Amount::decimal),
        write_at_closing(terms.at_closing),
        set_at,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The number of an account's terms.
pub(crate) async fn terms_set(tx: &mut Tx<'_>, account: AccountId) -> sqlx::Result<usize> {
    let set = sqlx::query_scalar!(
        r#"SELECT count(*) AS "set!" FROM interest_terms WHERE account_id = $1"#,
        account.uuid(),
    );
    Ok(usize::try_from(set.fetch_one(tx.connection()).await?).unwrap_or(usize::MAX))
}

/// Puts an account's next due month: the month of `from`, if no month was capitalised yet and no
/// earlier month is due. The month waits while the account, which is locked, is not active.
pub(crate) async fn put_due_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: NaiveDate,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO interest_due (account_id, month, waits)
         SELECT id, date_trunc('month', $2::date), status <> 'active' FROM accounts WHERE id = $1
         ON CONFLICT (account_id) DO UPDATE SET month = excluded.month
         WHERE excluded.month < interest_due.month AND NOT EXISTS (
             SELECT 1 FROM interest_capitalised WHERE account_id = $1)",
        account.uuid(),
        from,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The accounts with a month that is over on this day, does not wait and is not postponed, the
/// oldest first, at most `limit`; and whether an earlier attempt failed.
pub(crate) async fn due(
    tx: &mut Tx<'_>,
    today: NaiveDate,
    limit: usize,
) -> sqlx::Result<Vec<(AccountId, bool)>> {
    let rows = sqlx::query!(
        r#"SELECT due.account_id, failures IS NOT NULL AS "failed!"
           FROM interest_due AS due
               LEFT JOIN set_aside ON kind = 'interest' AND about = due.account_id
           WHERE month < date_trunc('month', $1::date) AND NOT waits
               AND (try_again IS NULL OR try_again <= clock_timestamp())
           ORDER BY month LIMIT $2"#,
        today,
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    Ok(rows.map(|row| (AccountId(row.account_id), row.failed)).collect())
}

/// Lets the months of accounts wait that are not active, and are locked. A change of the status
/// mostly does so by itself.
pub(crate) async fn wait_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("UPDATE interest_due SET waits = true WHERE account_id = ANY($1)", ids)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// An account's next due month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextMonth {
    /// The account.
    pub(crate) account: AccountId,
    /// The account's currency.
    pub(crate) currency: Currency,
    /// The month's first day.
    pub(crate) month: NaiveDate,
    /// The account's version: its entries up to this version never change.
    pub(crate) version: i64,
    /// The number of the account's terms.
    pub(crate) terms: i64,
}

/// The next due months of these accounts, which cannot change while the accounts are locked.
pub(crate) async fn next(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<NextMonth>> {
    let rows = sqlx::query!(
        r#"SELECT account_id, currency, month, version,
                  (SELECT count(*) FROM interest_terms AS set
                   WHERE set.account_id = due.account_id) AS "terms!"
           FROM interest_due AS due JOIN accounts ON id = account_id
           WHERE account_id = ANY($1) ORDER BY account_id"#,
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    let next = rows.map(|row| {
        Ok(NextMonth {
            account: AccountId(row.account_id),
            currency: currency(&row.currency)?,
            month: row.month,
            version: row.version,
            terms: row.terms,
        })
    });
    next.collect()
}

/// The sums of a page of an account's entries, by value date.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntriesPage {
    /// Each value date, with the sum of its entries.
    pub(crate) sums: Vec<(NaiveDate, Decimal)>,
    /// The last version of the page.
    pub(crate) last: i64,
    /// Whether the account may have more entries.
    pub(crate) more: bool,
}

/// A page of the entries of each of these accounts after one version and up to another.
pub(crate) async fn pages(
    tx: &mut Tx<'_>,
    spans: &[(AccountId, i64, i64)],
    entries_max: i64,
) -> sqlx::Result<HashMap<AccountId, EntriesPage>> {
    let ids: Vec<Uuid> = spans.iter().map(|(id, ..)| id.uuid()).collect();
    let after: Vec<i64> = spans.iter().map(|(_, after, _)| *after).collect();
    let until: Vec<i64> = spans.iter().map(|(.., until)| *until).collect();
    let rows = sqlx::query!(
        r#"SELECT asked.id AS "id!", value_date AS "day!", amount AS "amount!", last AS "last!",
                  entries AS "entries!"
           FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS asked(id, after, until)
           CROSS JOIN LATERAL (
               SELECT value_date, trim_scale(sum(amount))::text AS amount, max(version) AS last,
                      count(*) AS entries
               FROM (SELECT value_date, amount, version FROM entries
                     WHERE account_id = asked.id AND version > asked.after
                         AND version <= asked.until
                     ORDER BY version LIMIT $4) AS page
               GROUP BY value_date) AS day
           ORDER BY asked.id, value_date"#,
        &ids,
        &after,
        &until,
        entries_max,
    );
    let (mut pages, mut counts) = (HashMap::<AccountId, EntriesPage>::new(), HashMap::new());
    for row in rows.fetch_all(tx.connection()).await? {
        let id = AccountId(row.id);
        let page = pages.entry(id).or_default();
        page.sums.push((row.day, exact::<Amount>("the sum of a day", row.amount)?.decimal()));
        page.last = page.last.max(row.last);
        let count: &mut i64 = counts.entry(id).or_default();
        *count = count.saturating_add(row.entries);
        page.more = *count >= entries_max;
    }
    Ok(pages)
}

/// All terms of an account in the order of setting; or why they cannot be read.
pub(crate) type AllTerms = sqlx::Result<Vec<TermsSet>>;

/// All terms of these accounts that were set until an instant.
pub(crate) async fn terms(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    known_at: Option<DateTime<Utc>>,
) -> sqlx::Result<HashMap<AccountId, AllTerms>> {
    let rows = sqlx::query!(
        "SELECT account_id, valid_from, credit_rate, debit_rate, day_count, rounding,
                statement_fee, at_closing, set_at
         FROM interest_terms
         WHERE account_id = ANY($1) AND set_at <= coalesce($2, 'infinity'::timestamptz)
         ORDER BY account_id, place",
        ids,
        known_at,
    );
    let mut all = HashMap::<AccountId, AllTerms>::new();
    for row in rows.fetch_all(tx.connection()).await? {
        let read = || {
            let day_count = read_day_count(&row.day_count);
            let rounding = read_rounding(&row.rounding);
            let at_closing = read_at_closing(&row.at_closing);
            let terms = InterestTerms {
                valid_from: row.valid_from,
                credit_rate: Amount(row.credit_rate),
                debit_rate: Amount(row.debit_rate),
                day_count: parsed("interest_terms.day_count", &row.day_count, day_count)?,
                rounding: parsed("interest_terms.rounding", &row.rounding, rounding)?,
                statement_fee: row.statement_fee.map(Amount),
                at_closing: parsed("interest_terms.at_closing", &row.at_closing, at_closing)?,
            };
            Ok(TermsSet { terms, set_at: row.set_at })
        };
        let terms = all.entry(AccountId(row.account_id)).or_insert_with(|| Ok(vec![]));
        match (terms.as_mut(), read()) {
            (Ok(terms), Ok(set)) => terms.push(set),
            (Ok(_), Err(error)) => *terms = Err(error),
            (Err(_), _) => {}
        }
    }
    Ok(all)
}

/// The balances of an account by value date up to a day, by the entries up to an instant: the
/// balance at the end of each day on which it changed.
pub(crate) async fn balances(
    tx: &mut Tx<'_>,
    account: AccountId,
    (to, known_at): (NaiveDate, Option<DateTime<Utc>>),
) -> sqlx::Result<Vec<(NaiveDate, Decimal)>> {
    let rows = sqlx::query!(
        r#"SELECT value_date, sum(sum(amount)) OVER (ORDER BY value_date) AS "balance!"
           FROM entries
           WHERE account_id = $1 AND value_date <= $2
                 AND posted_at <= coalesce($3, 'infinity'::timestamptz)
           GROUP BY value_date ORDER BY value_date"#,
        account.uuid(),
        to,
        known_at,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    Ok(rows.map(|row| (row.value_date, row.balance)).collect())
}

/// The sums of all credit and all debit interest that was ever capitalised on these accounts.
pub(crate) async fn sums(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<HashMap<AccountId, (Decimal, Decimal)>> {
    let rows = sqlx::query!(
        r#"SELECT account_id, sum(credit_interest) AS "credit!", sum(debit_interest) AS "debit!"
           FROM interest_capitalised WHERE account_id = ANY($1) GROUP BY account_id"#,
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    Ok(rows.map(|row| (AccountId(row.account_id), (row.credit, row.debit))).collect())
}

/// The months of an account that have a day in a period and were capitalised until an instant.
pub(crate) async fn months(
    tx: &mut Tx<'_>,
    account: AccountId,
    (from, to): (NaiveDate, NaiveDate),
    known_at: Option<DateTime<Utc>>,
) -> sqlx::Result<Vec<CapitalisedMonth>> {
    let rows = sqlx::query!(
        "SELECT month, credit_interest, debit_interest, statement_fee, capitalised_at
         FROM interest_capitalised
         WHERE account_id = $1 AND month BETWEEN date_trunc('month', $2::date) AND $3
               AND capitalised_at <= coalesce($4, 'infinity'::timestamptz)
         ORDER BY month",
        account.uuid(),
        from,
        to,
        known_at,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    let month = rows.map(|row| CapitalisedMonth {
        month: row.month,
        credit_interest: row.credit_interest,
        debit_interest: row.debit_interest,
        statement_fee: row.statement_fee,
        capitalised_at: row.capitalised_at,
    });
    Ok(month.collect())
}

/// Stores capitalised months, and moves each account on to its next month.
pub(crate) async fn capitalised_in_tx<'a>(
    tx: &mut Tx<'_>,
    done: impl Iterator<Item = &'a Capitalised>,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let done: Vec<&Capitalised> = done.collect();
    if done.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = done.iter().map(|month| month.account.uuid()).collect();
    let months: Vec<NaiveDate> = done.iter().map(|month| month.month).collect();
    let credits: Vec<Decimal> = done.iter().map(|month| month.credit_interest).collect();
    let debits: Vec<Decimal> = done.iter().map(|month| month.debit_interest).collect();
    let fees: Vec<Decimal> = done.iter().map(|month| month.statement_fee).collect();
    sqlx::query!(
        "WITH moved AS (
             UPDATE interest_due SET month = (done.month + interval '1 month')::date
             FROM (SELECT id, max(month) AS month FROM unnest($1::uuid[], $2::date[])
                       AS done(id, month) GROUP BY id) AS done
             WHERE account_id = done.id
         )
         INSERT INTO interest_capitalised (account_id, month, credit_interest, debit_interest,
             statement_fee, capitalised_at)
         SELECT *, $6 FROM unnest($1::uuid[], $2::date[], $3::numeric[], $4::numeric[],
             $5::numeric[])",
        &ids,
        &months,
        &credits,
        &debits,
        &fees,
        at,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
