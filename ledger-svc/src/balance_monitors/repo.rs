//! The table of balance monitors.

use std::collections::BTreeMap;

use metrics::counter;
use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, MonitorId, envelope::chain, messaging::Tx};
use tracing::warn;
use uuid::Uuid;

use super::{Monitor, MonitorCondition};
use crate::repo::parsed;

const fn write_condition(condition: MonitorCondition) -> (&'static str, Decimal) {
    match condition {
        MonitorCondition::Below(amount) => ("below", amount.decimal()),
        MonitorCondition::Above(amount) => ("above", amount.decimal()),
        MonitorCondition::ChangeBy(amount) => ("change_by", amount.decimal()),
    }
}

fn read_condition(kind: &str, amount: Decimal) -> Option<MonitorCondition> {
    use MonitorCondition::{Above, Below, ChangeBy};
    let all = [Below(Amount(amount)), Above(Amount(amount)), ChangeBy(Amount(amount))];
    all.into_iter().find(|known| write_condition(*known).0 == kind)
}

/// The monitors of these accounts; a posting has locked the accounts. A monitor that a newer
/// version of the ledger wrote stops no posting: it is left out, logged and counted.
pub(crate) async fn read_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<BTreeMap<AccountId, Vec<Monitor>>> {
    let rows = sqlx::query!(
        "SELECT account_id, id, kind, amount, armed, since FROM monitors
         WHERE account_id = ANY($1) ORDER BY account_id, id",
        ids,
    );
    let mut all = BTreeMap::<AccountId, Vec<Monitor>>::new();
    for row in rows.fetch_all(tx.connection()).await? {
        let (id, account) = (MonitorId(row.id), AccountId(row.account_id));
        let condition =
            match parsed("monitors.kind", &row.kind, read_condition(&row.kind, row.amount)) {
                Ok(condition) => condition,
                Err(error) => {
                    counter!("ledger_monitors_unread_total").increment(1);
                    warn!(account.id = %account, monitor.id = %id, error = %chain(&error),
                    "a monitor cannot be read, and is never raised");
                    continue;
                }
            };
        let (armed, since) = (row.armed, row.since);
        all.entry(account).or_default().push(Monitor { id, account, condition, armed, since });
    }
    Ok(all)
}

/// Stores monitors.
pub(crate) async fn put_in_tx<'a>(
    tx: &mut Tx<'_>,
    monitors: impl Iterator<Item = &'a Monitor>,
) -> sqlx::Result<()> {
    let monitors: Vec<&Monitor> = monitors.collect();
    if monitors.is_empty() {
        return Ok(());
    }
    let accounts: Vec<Uuid> = monitors.iter().map(|monitor| monitor.account.uuid()).collect();
    let ids: Vec<Uuid> = monitors.iter().map(|monitor| monitor.id.uuid()).collect();
    let conditions = monitors.iter().map(|monitor| write_condition(monitor.condition));
    let (kinds, amounts): (Vec<&str>, Vec<Decimal>) = conditions.unzip();
    let armed: Vec<bool> = monitors.iter().map(|monitor| monitor.armed).collect();
    let since: Vec<Decimal> = monitors.iter().map(|monitor| monitor.since).collect();
    sqlx::query!(
        "INSERT INTO monitors (account_id, id, kind, amount, armed, since)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::numeric[], $5::bool[],
             $6::numeric[])
         ON CONFLICT (account_id, id) DO UPDATE SET kind = excluded.kind,
             amount = excluded.amount, armed = excluded.armed, since = excluded.since",
        &accounts,
        &ids,
        &kinds as _,
        &amounts,
        &armed,
        &since,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Removes a monitor, and says whether there was one.
pub(crate) async fn remove_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MonitorId,
) -> sqlx::Result<bool> {
    let removed = sqlx::query!(
        "DELETE FROM monitors WHERE account_id = $1 AND id = $2",
        account.uuid(),
        id.uuid(),
    );
    Ok(removed.execute(tx.connection()).await?.rows_affected() > 0)
}

/// Notes on an account, which this transaction has locked, whether it has monitors.
pub(crate) async fn mark_in_tx(tx: &mut Tx<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE accounts SET monitored = EXISTS (SELECT 1 FROM monitors WHERE account_id = $1)
         WHERE id = $1",
        account.uuid(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
