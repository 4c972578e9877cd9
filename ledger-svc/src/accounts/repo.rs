//! The table of accounts.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{AccountId, Currency, ledger::AccountCode, messaging::Tx};
use sqlx::Executor as _;
use uuid::Uuid;

use super::{Account, Blocks, LimitUsage, Limits, Status};
use crate::repo::{currency, numeric::Numeric, parsed};

/// A row of `accounts`.
struct AccountRow {
    id: Uuid,
    code: Option<String>,
    branch: Option<String>,
    currency: String,
    status: String,
    blocked: String,
    overdraft_limit: Option<Decimal>,
    transfer_limit: Option<Decimal>,
    daily_limit: Option<Decimal>,
    monthly_limit: Option<Decimal>,
    minimum_balance: Option<Decimal>,
    posted_debits: Numeric,
    posted_credits: Numeric,
    pending_debits: Numeric,
    pending_credits: Numeric,
    spent_day: NaiveDate,
    spent_on_day: Numeric,
    spent_in_month: Numeric,
    version: i64,
    followed_status: i64,
    followed_limit: i64,
    monitored: bool,
}

impl TryFrom<AccountRow> for Account {
    type Error = sqlx::Error;

    fn try_from(row: AccountRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: AccountId(row.id),
            code: row.code.map(AccountCode),
            branch: row.branch.map(Into::into),
            currency: currency(&row.currency)?,
            status: parsed("accounts.status", &row.status, read_status(&row.status))?,
            blocked: parsed("accounts.blocked", &row.blocked, read_blocks(&row.blocked))?,
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
            usage: LimitUsage {
                day: row.spent_day,
                on_day: row.spent_on_day.0,
                in_month: row.spent_in_month.0,
            },
            version: row.version,
            applied_status: row.followed_status,
            applied_limits: row.followed_limit,
            monitored: row.monitored,
        })
    }
}

const fn write_status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Locked => "locked",
        Status::Closed => "closed",
    }
}

fn read_status(status: &str) -> Option<Status> {
    use Status::{Active, Closed, Frozen, Locked};
    [Active, Frozen, Locked, Closed].into_iter().find(|known| write_status(*known) == status)
}

const fn write_blocks(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Debits => "debits",
        Blocks::Credits => "credits",
        Blocks::Both => "both",
    }
}

fn read_blocks(blocks: &str) -> Option<Blocks> {
    use Blocks::{Both, Credits, Debits};
    [Debits, Credits, Both].into_iter().find(|known| write_blocks(*known) == blocks)
}

/// Locks accounts until the transaction ends, in the order of their ids, so that transactions never
/// wait for each other in a circle. Unknown ids are left out.
pub(crate) async fn lock_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Account>> {
    let rows = sqlx::query_as!(
        AccountRow,
        r#"SELECT id, code, branch, currency, status, blocked, overdraft_limit, transfer_limit,
                  daily_limit, monthly_limit, minimum_balance,
                  posted_debits AS "posted_debits: Numeric",
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

/// Sets the savepoint to which [`unlock_in_tx`] returns.
pub(crate) async fn savepoint_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    tx.connection().execute("SAVEPOINT unlocked").await?;
    Ok(())
}

/// Returns every lock that was taken since [`savepoint_in_tx`], and undoes every change since.
pub(crate) async fn unlock_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    tx.connection().execute("ROLLBACK TO SAVEPOINT unlocked").await?;
    Ok(())
}

/// Reads accounts without a lock, for a query.
pub(crate) async fn read_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Account>> {
    let rows = sqlx::query_as!(
        AccountRow,
        r#"SELECT id, code, branch, currency, status, blocked, overdraft_limit, transfer_limit,
                  daily_limit, monthly_limit, minimum_balance,
                  posted_debits AS "posted_debits: Numeric",
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

/// The internal accounts whose balance has more digits than an amount holds.
pub(crate) async fn overlong_in_tx(
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

/// Opens the internal accounts that are not open yet, and returns their ids.
pub(crate) async fn open_internal_in_tx(
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

/// Removes internal accounts that this transaction has opened and not used: a rejected instruction
/// opens no account.
pub(crate) async fn remove_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM accounts WHERE id = ANY($1)", ids).execute(tx.connection()).await?;
    Ok(())
}

/// Stores new customers' accounts, without any posting and without limits.
pub(crate) async fn insert_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let (mut ids, mut currencies, mut branches) = (Vec::new(), Vec::new(), Vec::new());
    for account in accounts {
        ids.push(account.id.uuid());
        currencies.push(account.currency.code());
        branches.push(account.branch.as_deref());
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO accounts (id, currency, branch, status, posted_debits, posted_credits,
             pending_debits, pending_credits, version, followed_status, followed_limit)
         SELECT id, currency, branch, 'active', 0, 0, 0, 0, 1, 0, 0
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new(id, currency, branch)",
        &ids,
        &currencies as _,
        &branches as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The status and limits of accounts, as columns for an array statement.
#[derive(Default)]
struct LimitColumns {
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

impl<'a> FromIterator<&'a Account> for LimitColumns {
    fn from_iter<I: IntoIterator<Item = &'a Account>>(accounts: I) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            columns.ids.push(account.id.uuid());
            columns.statuses.push(write_status(account.status));
            columns.blocked.push(write_blocks(account.blocked));
            columns.overdraft_limits.push(account.limits.overdraft);
            columns.transfer_limits.push(account.limits.transfer);
            columns.daily_limits.push(account.limits.daily);
            columns.monthly_limits.push(account.limits.monthly);
            columns.minimum_balances.push(account.limits.minimum_balance);
            columns.followed_statuses.push(account.applied_status);
            columns.followed_limits.push(account.applied_limits);
        }
        columns
    }
}

/// Stores the status and the limits of accounts. The balances, which every posting changes, are
/// stored with the posting.
pub(crate) async fn put_limits_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let columns: LimitColumns = accounts.collect();
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

/// One account.
pub(crate) async fn find(tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<Option<Account>> {
    Ok(read_in_tx(tx, &[id.uuid()]).await?.pop())
}
