//! Accounts and their balances.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency,
    accounts::Blocks,
    bus::Tx,
    ledger::{AccountCode, LedgerStatus},
};
use sqlx::Executor as _;
use uuid::Uuid;

use super::{numeric::Numeric, parsed};
use crate::domain::{Account, Limits, Spent};

/// A row of `accounts`.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) code: Option<String>,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) blocked: String,
    pub(super) overdraft_limit: Option<Decimal>,
    pub(super) transfer_limit: Option<Decimal>,
    pub(super) daily_limit: Option<Decimal>,
    pub(super) monthly_limit: Option<Decimal>,
    pub(super) minimum_balance: Option<Decimal>,
    pub(super) posted_debits: Numeric,
    pub(super) posted_credits: Numeric,
    pub(super) pending_debits: Numeric,
    pub(super) pending_credits: Numeric,
    pub(super) spent_day: NaiveDate,
    pub(super) spent_on_day: Numeric,
    pub(super) spent_in_month: Numeric,
    pub(super) version: i64,
    pub(super) followed_status: i64,
    pub(super) followed_limit: i64,
    pub(super) monitored: bool,
}

impl TryFrom<Row> for Account {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: AccountId(row.id),
            code: row.code.map(AccountCode),
            currency: currency(&row.currency)?,
            status: parsed("accounts.status", &row.status, read_status(&row.status))?,
            blocked: parsed("accounts.blocked", &row.blocked, Blocks::from_name(&row.blocked))?,
            limits: Limits {
                overdraft: row.overdraft_limit,
                transfer: row.transfer_limit,
                daily: row.daily_limit,
                monthly: row.monthly_limit,
                minimum_balance: row.minimum_balance,
            },
            posted_debits: row.posted_debits.0,
            posted_credits: row.posted_credits.0,
            pending_debits: row.pending_debits.0,
            pending_credits: row.pending_credits.0,
            spent: Spent {
                day: row.spent_day,
                on_day: row.spent_on_day.0,
                in_month: row.spent_in_month.0,
            },
            version: row.version,
            followed_status: row.followed_status,
            followed_limit: row.followed_limit,
            monitored: row.monitored,
        })
    }
}

/// Reads a currency column.
pub(super) fn currency(code: &str) -> sqlx::Result<Currency> {
    parsed("currency", code, code.parse().ok())
}

const fn write_status(status: LedgerStatus) -> &'static str {
    match status {
        LedgerStatus::Active => "active",
        LedgerStatus::Frozen => "frozen",
        LedgerStatus::Locked => "locked",
        LedgerStatus::Closed => "closed",
    }
}

fn read_status(status: &str) -> Option<LedgerStatus> {
    use LedgerStatus::{Active, Closed, Frozen, Locked};
    [Active, Frozen, Locked, Closed].into_iter().find(|known| write_status(*known) == status)
}

/// Locks accounts until the transaction ends, in the order of their ids so that transactions never
/// wait for each other in a circle. Ids that are not there are left out.
pub(crate) async fn lock_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Account>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, code, currency, status, blocked, overdraft_limit, transfer_limit, daily_limit,
                  monthly_limit, minimum_balance, posted_debits AS "posted_debits: Numeric",
                  posted_credits AS "posted_credits: Numeric",
                  pending_debits AS "pending_debits: Numeric",
                  pending_credits AS "pending_credits: Numeric", spent_day,
                  spent_on_day AS "spent_on_day: Numeric",
                  spent_in_month AS "spent_in_month: Numeric",
                  version, followed_status, followed_limit, monitored
           FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE"#,
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Marks the place to which [`unlock_in_tx`] goes back.
pub(crate) async fn mark_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    tx.connection().execute("SAVEPOINT unlocked").await?;
    Ok(())
}

/// Gives back every lock that was taken since [`mark_in_tx`], and undoes what was written since.
pub(crate) async fn unlock_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    tx.connection().execute("ROLLBACK TO SAVEPOINT unlocked").await?;
    Ok(())
}

/// Reads accounts as they are, without a lock: to answer a question.
pub(crate) async fn read_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Account>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, code, currency, status, blocked, overdraft_limit, transfer_limit, daily_limit,
                  monthly_limit, minimum_balance, posted_debits AS "posted_debits: Numeric",
                  posted_credits AS "posted_credits: Numeric",
                  pending_debits AS "pending_debits: Numeric",
                  pending_credits AS "pending_credits: Numeric", spent_day,
                  spent_on_day AS "spent_on_day: Numeric",
                  spent_in_month AS "spent_in_month: Numeric",
                  version, followed_status, followed_limit, monitored
           FROM accounts WHERE id = ANY($1)"#,
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// The bank's own accounts whose balance has more digits than can be told.
pub(crate) async fn too_long_in_tx(
    tx: &mut Tx<'_>,
) -> sqlx::Result<Vec<(AccountId, AccountCode, Currency)>> {
    let rows = sqlx::query!(
        r#"SELECT id, code AS "code!", currency FROM accounts
           WHERE code IS NOT NULL AND length(ltrim(replace(
               trim_scale(abs(posted_credits - posted_debits))::text, '.', ''), '0')) > 28
           ORDER BY id"#,
    );
    let rows = rows.fetch_all(tx.connection()).await?.into_iter();
    rows.map(|row| Ok((AccountId(row.id), AccountCode(row.code), currency(&row.currency)?)))
        .collect()
}

/// Opens those of the bank's own accounts that are not open yet, and returns which.
pub(crate) async fn open_own_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    codes: &[&str],
    currencies: &[&str],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "INSERT INTO accounts (id, code, currency, status, overdraft_limit, posted_debits,
             posted_credits, pending_debits, pending_credits, version, followed_status,
             followed_limit)
         SELECT id, code, currency, 'active', NULL, 0, 0, 0, 0, 1, 0, 0
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS own(id, code, currency)
         ORDER BY id
         ON CONFLICT (id) DO NOTHING
         RETURNING id",
        ids,
        codes as _,
        currencies as _,
    )
    .fetch_all(tx.connection())
    .await
}

/// Takes back accounts that this transaction has opened and nothing was booked on: what is rejected
/// opens nothing.
pub(crate) async fn forget_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM accounts WHERE id = ANY($1)", ids).execute(tx.connection()).await?;
    Ok(())
}

/// Stores new customers' accounts: with nothing on them, and spending what they like.
pub(crate) async fn insert_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let (ids, currencies): (Vec<Uuid>, Vec<&str>) =
        accounts.map(|it| (it.id.uuid(), it.currency.code())).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO accounts (id, currency, status, posted_debits, posted_credits,
             pending_debits, pending_credits, version, followed_status, followed_limit)
         SELECT id, currency, 'active', 0, 0, 0, 0, 1, 0, 0
         FROM unnest($1::uuid[], $2::text[]) AS new(id, currency)",
        &ids,
        &currencies as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What accounts may do, as columns for an array statement.
#[derive(Default)]
struct Terms {
    ids: Vec<Uuid>,
    statuses: Vec<&'static str>,
    blocked: Vec<&'static str>,
    overdraft_limits: Vec<Option<Decimal>>,
    transfer_limits: Vec<Option<Decimal>>,
    daily_limits: Vec<Option<Decimal>>,
    monthly_limits: Vec<Option<Decimal>>,
    minimum_balances: Vec<Option<Decimal>>,
    followed_statuses: Vec<i64>,
    followed_limits: Vec<i64>,
}

impl<'a> FromIterator<&'a Account> for Terms {
    fn from_iter<I: IntoIterator<Item = &'a Account>>(accounts: I) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            columns.ids.push(account.id.uuid());
            columns.statuses.push(write_status(account.status));
            columns.blocked.push(account.blocked.as_str());
            columns.overdraft_limits.push(account.limits.overdraft);
            columns.transfer_limits.push(account.limits.transfer);
            columns.daily_limits.push(account.limits.daily);
            columns.monthly_limits.push(account.limits.monthly);
            columns.minimum_balances.push(account.limits.minimum_balance);
            columns.followed_statuses.push(account.followed_status);
            columns.followed_limits.push(account.followed_limit);
        }
        columns
    }
}

/// Stores what accounts may do from now on. What is on them, which every posting changes, is
/// stored by [`super::book::book_in_tx`].
pub(crate) async fn follow_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let columns: Terms = accounts.collect();
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE accounts SET
             status = now.status,
             blocked = now.blocked,
             overdraft_limit = now.overdraft_limit,
             transfer_limit = now.transfer_limit,
             daily_limit = now.daily_limit,
             monthly_limit = now.monthly_limit,
             minimum_balance = now.minimum_balance,
             followed_status = now.followed_status,
             followed_limit = now.followed_limit
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::numeric[],
                  $6::numeric[], $7::numeric[], $8::numeric[], $9::bigint[], $10::bigint[])
              AS now(id, status, blocked, overdraft_limit, transfer_limit, daily_limit,
                  monthly_limit, minimum_balance, followed_status, followed_limit)
         WHERE accounts.id = now.id",
        &columns.ids,
        &columns.statuses as _,
        &columns.blocked as _,
        &columns.overdraft_limits as _,
        &columns.transfer_limits as _,
        &columns.daily_limits as _,
        &columns.monthly_limits as _,
        &columns.minimum_balances as _,
        &columns.followed_statuses,
        &columns.followed_limits,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
