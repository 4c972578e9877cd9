//! The terms of accounts, what was capitalised, and what is due.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency,
    bus::Tx,
    ledger::{CapitalisedMonth, DayCount, InterestTerms, Rounding, TermsSet},
};
use uuid::Uuid;

use super::{accounts::currency, parsed};
use crate::domain::{Bearing, Capitalised};

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

/// Appends terms of an account that this transaction has locked.
pub(crate) async fn add_terms_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    terms: &InterestTerms,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO interest_terms (account_id, place, valid_from, credit_rate, debit_rate,
             day_count, rounding, statement_fee, set_at)
         SELECT $1, count(*) + 1, $2, $3, $4, $5, $6, $7, clock_timestamp()
         FROM interest_terms WHERE account_id = $1",
        account.uuid(),
        terms.valid_from,
        terms.credit_rate.decimal(),
        terms.debit_rate.decimal(),
        write_day_count(terms.day_count),
        write_rounding(terms.rounding),
        terms.statement_fee.map(Amount::decimal),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Puts an account's next month to capitalise: the month of `from`, if nothing was capitalised yet
/// and no earlier month is due.
pub(crate) async fn put_due_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    from: NaiveDate,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO interest_due (account_id, month) VALUES ($1, date_trunc('month', $2::date))
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

/// Active accounts with a month that is over on this day, the oldest first, at most `limit`.
pub(crate) async fn due_in_tx(
    tx: &mut Tx<'_>,
    today: NaiveDate,
    limit: usize,
) -> sqlx::Result<Vec<(AccountId, Currency)>> {
    let rows = sqlx::query!(
        "SELECT account_id, currency FROM interest_due JOIN accounts ON id = account_id
         WHERE month < date_trunc('month', $1::date) AND status = 'active'
         ORDER BY month LIMIT $2",
        today,
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    rows.map(|row| Ok((AccountId(row.account_id), currency(&row.currency)?))).collect()
}

/// The next month of each of these accounts. It cannot change while they are locked.
pub(crate) async fn months_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(AccountId, NaiveDate)>> {
    let rows = sqlx::query!(
        "SELECT account_id, month FROM interest_due WHERE account_id = ANY($1) ORDER BY account_id",
        ids,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    Ok(rows.map(|row| (AccountId(row.account_id), row.month)).collect())
}

/// All terms of these accounts that were set until an instant, in the order of setting.
pub(crate) async fn terms(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    known_at: Option<DateTime<Utc>>,
) -> sqlx::Result<HashMap<AccountId, Vec<TermsSet>>> {
    let rows = sqlx::query!(
        "SELECT account_id, valid_from, credit_rate, debit_rate, day_count, rounding,
                statement_fee, set_at
         FROM interest_terms
         WHERE account_id = ANY($1) AND set_at <= coalesce($2, 'infinity'::timestamptz)
         ORDER BY account_id, place",
        ids,
        known_at,
    );
    let mut all = HashMap::<AccountId, Vec<TermsSet>>::new();
    for row in rows.fetch_all(tx.connection()).await? {
        let day_count = read_day_count(&row.day_count);
        let rounding = read_rounding(&row.rounding);
        let terms = InterestTerms {
            valid_from: row.valid_from,
            credit_rate: Amount(row.credit_rate),
            debit_rate: Amount(row.debit_rate),
            day_count: parsed("interest_terms.day_count", &row.day_count, day_count)?,
            rounding: parsed("interest_terms.rounding", &row.rounding, rounding)?,
            statement_fee: row.statement_fee.map(Amount),
        };
        let set = TermsSet { terms, set_at: row.set_at };
        all.entry(AccountId(row.account_id)).or_default().push(set);
    }
    Ok(all)
}

/// The balances of these accounts by value date until a day, as entries until an instant say:
/// for each day on which one changed, what it was at the end of that day.
pub(crate) async fn balances(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    (to, known_at): (NaiveDate, Option<DateTime<Utc>>),
) -> sqlx::Result<HashMap<AccountId, Vec<(NaiveDate, Decimal)>>> {
    let rows = sqlx::query!(
        r#"SELECT account_id, value_date,
                  sum(sum(amount)) OVER (PARTITION BY account_id ORDER BY value_date) AS "balance!"
           FROM entries
           WHERE account_id = ANY($1) AND value_date <= $2
                 AND posted_at <= coalesce($3, 'infinity'::timestamptz)
           GROUP BY account_id, value_date ORDER BY account_id, value_date"#,
        ids,
        to,
        known_at,
    );
    let mut all = HashMap::<AccountId, Vec<(NaiveDate, Decimal)>>::new();
    for row in rows.fetch_all(tx.connection()).await? {
        let balances = all.entry(AccountId(row.account_id)).or_default();
        balances.push((row.value_date, row.balance));
    }
    Ok(all)
}

/// What decides over the interest of these accounts until a day, by what was known at an instant.
pub(crate) async fn bearing(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    until: (NaiveDate, Option<DateTime<Utc>>),
) -> sqlx::Result<HashMap<AccountId, Bearing>> {
    let mut balances = balances(tx, ids, until).await?;
    let terms = terms(tx, ids, until.1).await?;
    let bearing = terms.into_iter().map(|(id, set)| {
        let terms = set.into_iter().map(|it| it.terms).collect();
        (id, Bearing { terms, balances: balances.remove(&id).unwrap_or_default() })
    });
    Ok(bearing.collect())
}

/// All credit and all debit interest that was ever capitalised of these accounts.
pub(crate) async fn sums_in_tx(
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
        credit_interest: Amount(row.credit_interest),
        debit_interest: Amount(row.debit_interest),
        statement_fee: Amount(row.statement_fee),
        capitalised_at: row.capitalised_at,
    });
    Ok(month.collect())
}

/// Stores what was capitalised, and moves each account on to its next month.
pub(crate) async fn capitalised_in_tx(
    tx: &mut Tx<'_>,
    done: &[Capitalised],
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = done.iter().map(|it| it.account.uuid()).collect();
    let months: Vec<NaiveDate> = done.iter().map(|it| it.month).collect();
    let credits: Vec<Decimal> = done.iter().map(|it| it.credit_interest).collect();
    let debits: Vec<Decimal> = done.iter().map(|it| it.debit_interest).collect();
    let fees: Vec<Decimal> = done.iter().map(|it| it.statement_fee).collect();
    sqlx::query!(
        "WITH moved AS (
             UPDATE interest_due SET month = (done.month + interval '1 month')::date
             FROM unnest($1::uuid[], $2::date[]) AS done(id, month) WHERE account_id = done.id
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
