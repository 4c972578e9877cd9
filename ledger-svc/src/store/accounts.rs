//! Accounts and their balances.

use rust_decimal::Decimal;
use shared_events::{AccountId, Currency, bus::Tx, ledger::AccountCode, ledger::LedgerStatus};
use uuid::Uuid;

use super::parsed;
use crate::domain::Account;

/// A row of `accounts`.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) code: Option<String>,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) overdraft_limit: Option<Decimal>,
    pub(super) posted_debits: Decimal,
    pub(super) posted_credits: Decimal,
    pub(super) pending_debits: Decimal,
    pub(super) pending_credits: Decimal,
    pub(super) version: i64,
    pub(super) followed_status: i64,
    pub(super) followed_limit: i64,
}

impl TryFrom<Row> for Account {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: AccountId(row.id),
            code: row.code.map(AccountCode),
            currency: currency(&row.currency)?,
            status: parsed("accounts.status", &row.status, read_status(&row.status))?,
            overdraft_limit: row.overdraft_limit,
            posted_debits: row.posted_debits,
            posted_credits: row.posted_credits,
            pending_debits: row.pending_debits,
            pending_credits: row.pending_credits,
            version: row.version,
            followed_status: row.followed_status,
            followed_limit: row.followed_limit,
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
        "SELECT id, code, currency, status, overdraft_limit, posted_debits, posted_credits,
                pending_debits, pending_credits, version, followed_status, followed_limit
         FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Opens those of the bank's own accounts that are not open yet.
pub(crate) async fn open_own_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
    codes: &[&str],
    currencies: &[&str],
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO accounts (id, code, currency, status, overdraft_limit, posted_debits,
             posted_credits, pending_debits, pending_credits, version, followed_status,
             followed_limit)
         SELECT id, code, currency, 'active', NULL, 0, 0, 0, 0, 1, 0, 0
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS own(id, code, currency)
         ORDER BY id
         ON CONFLICT (id) DO NOTHING",
        ids,
        codes as _,
        currencies as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Accounts as columns, for array statements.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    currencies: Vec<&'static str>,
    statuses: Vec<&'static str>,
    overdraft_limits: Vec<Option<Decimal>>,
    posted_debits: Vec<Decimal>,
    posted_credits: Vec<Decimal>,
    pending_debits: Vec<Decimal>,
    pending_credits: Vec<Decimal>,
    versions: Vec<i64>,
    followed_statuses: Vec<i64>,
    followed_limits: Vec<i64>,
}

impl<'a> FromIterator<&'a Account> for Columns {
    fn from_iter<I: IntoIterator<Item = &'a Account>>(accounts: I) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            columns.ids.push(account.id.uuid());
            columns.currencies.push(account.currency.code());
            columns.statuses.push(write_status(account.status));
            columns.overdraft_limits.push(account.overdraft_limit);
            columns.posted_debits.push(account.posted_debits);
            columns.posted_credits.push(account.posted_credits);
            columns.pending_debits.push(account.pending_debits);
            columns.pending_credits.push(account.pending_credits);
            columns.versions.push(account.version);
            columns.followed_statuses.push(account.followed_status);
            columns.followed_limits.push(account.followed_limit);
        }
        columns
    }
}

/// Stores new customers' accounts.
pub(crate) async fn insert_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let columns: Columns = accounts.collect();
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO accounts (id, currency, status, overdraft_limit, posted_debits,
             posted_credits, pending_debits, pending_credits, version, followed_status,
             followed_limit)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[], $5::numeric[],
             $6::numeric[], $7::numeric[], $8::numeric[], $9::bigint[], $10::bigint[],
             $11::bigint[])",
        &columns.ids,
        &columns.currencies as _,
        &columns.statuses as _,
        &columns.overdraft_limits as _,
        &columns.posted_debits,
        &columns.posted_credits,
        &columns.pending_debits,
        &columns.pending_credits,
        &columns.versions,
        &columns.followed_statuses,
        &columns.followed_limits,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Stores what has changed of accounts that this transaction has locked.
pub(crate) async fn update_in_tx<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> sqlx::Result<()> {
    let columns: Columns = accounts.collect();
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE accounts SET
             status = now.status,
             overdraft_limit = now.overdraft_limit,
             posted_debits = now.posted_debits,
             posted_credits = now.posted_credits,
             pending_debits = now.pending_debits,
             pending_credits = now.pending_credits,
             version = now.version,
             followed_status = now.followed_status,
             followed_limit = now.followed_limit
         FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[],
                  $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[], $10::bigint[])
              AS now(id, status, overdraft_limit, posted_debits, posted_credits, pending_debits,
                  pending_credits, version, followed_status, followed_limit)
         WHERE accounts.id = now.id",
        &columns.ids,
        &columns.statuses as _,
        &columns.overdraft_limits as _,
        &columns.posted_debits,
        &columns.posted_credits,
        &columns.pending_debits,
        &columns.pending_credits,
        &columns.versions,
        &columns.followed_statuses,
        &columns.followed_limits,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
