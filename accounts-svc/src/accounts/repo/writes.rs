//! The changes of a batch, as arrays: one statement for one account or five hundred.

use rust_decimal::Decimal;
use shared_events::{Amount, messaging::Tx};
use uuid::Uuid;

use crate::accounts::entity::{Account, Blocks};

/// One value of each account.
fn column<'a, T>(accounts: &[&'a Account], value: impl Fn(&'a Account) -> T) -> Vec<T> {
    accounts.iter().map(|account| value(account)).collect()
}

/// Stores new accounts. Returns their number: it is smaller where another transaction took an id or
/// an external reference first. The statement waits for such a transaction to commit.
pub(crate) async fn insert_accounts_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[&Account],
) -> sqlx::Result<u64> {
    let ids: Vec<Uuid> = column(accounts, |account| account.id.uuid());
    let ibans: Vec<&str> = column(accounts, |account| account.iban.as_str());
    let names: Vec<&str> = column(accounts, |account| account.holder.name.as_str());
    let emails: Vec<Option<&str>> = column(accounts, |account| account.holder.email.as_deref());
    let webhooks: Vec<Option<&str>> = column(accounts, |account| account.holder.webhook.as_deref());
    let languages: Vec<&str> = column(accounts, |account| account.holder.language.as_str());
    let products: Vec<&str> = column(accounts, |account| account.product.as_str());
    let currencies: Vec<&str> = column(accounts, |account| account.currency.code());
    let limits: Vec<Decimal> = column(accounts, |account| account.overdraft_limit.decimal());
    let references: Vec<Option<&str>> =
        column(accounts, |account| account.external_reference.as_deref());
    let statuses: Vec<&str> = column(accounts, |account| account.status.as_str());
    let versions: Vec<i64> = column(accounts, |account| account.version);
    let blocks: Vec<Option<&str>> = column(accounts, |account| account.blocks.map(Blocks::as_str));
    let branches: Vec<&str> = column(accounts, |account| account.branch.as_str());
    let inserted = sqlx::query!(
        "INSERT INTO accounts (id, iban, holder_name, holder_email, holder_webhook,
                               holder_language, product, currency, overdraft_limit,
                               external_reference, status, version, blocks, branch)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[],
                              $6::text[], $7::text[], $8::text[], $9::numeric[], $10::text[],
                              $11::text[], $12::bigint[], $13::text[], $14::text[])
         ON CONFLICT DO NOTHING",
        &ids,
        &ibans as _,
        &names as _,
        &emails as _,
        &webhooks as _,
        &languages as _,
        &products as _,
        &currencies as _,
        &limits,
        &references as _,
        &statuses as _,
        &versions,
        &blocks as _,
        &branches as _,
    );
    Ok(inserted.execute(tx.connection()).await?.rows_affected())
}

/// Stores the changeable columns of accounts that this transaction has locked.
pub(crate) async fn update_accounts_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[&Account],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = column(accounts, |account| account.id.uuid());
    let names: Vec<&str> = column(accounts, |account| account.holder.name.as_str());
    let emails: Vec<Option<&str>> = column(accounts, |account| account.holder.email.as_deref());
    let webhooks: Vec<Option<&str>> = column(accounts, |account| account.holder.webhook.as_deref());
    let languages: Vec<&str> = column(accounts, |account| account.holder.language.as_str());
    let limits: Vec<Decimal> = column(accounts, |account| account.overdraft_limit.decimal());
    let decimal = |limit: Option<Amount>| limit.map(Amount::decimal);
    let transfer: Vec<Option<Decimal>> =
        column(accounts, |account| decimal(account.spending_limits.transfer));
    let daily: Vec<Option<Decimal>> =
        column(accounts, |account| decimal(account.spending_limits.daily));
    let monthly: Vec<Option<Decimal>> =
        column(accounts, |account| decimal(account.spending_limits.monthly));
    let minimum: Vec<Option<Decimal>> =
        column(accounts, |account| decimal(account.spending_limits.minimum_balance));
    let blocks: Vec<Option<&str>> = column(accounts, |account| account.blocks.map(Blocks::as_str));
    let statuses: Vec<&str> = column(accounts, |account| account.status.as_str());
    let versions: Vec<i64> = column(accounts, |account| account.version);
    let closing: Vec<Option<i64>> = column(accounts, |account| account.closing_version);
    let updated = sqlx::query!(
        "UPDATE accounts
         SET holder_name = new.name, holder_email = new.email, holder_webhook = new.webhook,
             holder_language = new.language, overdraft_limit = new.overdraft_limit,
             transfer_limit = new.transfer_limit, daily_limit = new.daily_limit,
             monthly_limit = new.monthly_limit, minimum_balance = new.minimum_balance,
             blocks = new.blocks, status = new.status, version = new.version,
             closing_version = new.closing_version, changed_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                     $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::text[],
                     $12::text[], $13::bigint[], $14::bigint[])
              AS new(id, name, email, webhook, language, overdraft_limit, transfer_limit,
                     daily_limit, monthly_limit, minimum_balance, blocks, status, version,
                     closing_version)
         WHERE accounts.id = new.id",
        &ids,
        &names as _,
        &emails as _,
        &webhooks as _,
        &languages as _,
        &limits,
        &transfer as _,
        &daily as _,
        &monthly as _,
        &minimum as _,
        &blocks as _,
        &statuses as _,
        &versions,
        &closing as _,
    );
    updated.execute(tx.connection()).await?;
    Ok(())
}
