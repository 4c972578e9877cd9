//! Sets and removes balance monitors.

use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, Money, MonitorId, messaging::Tx};

use super::{Monitor, MonitorCondition, repo};
use crate::{
    accounts::Account,
    refusals::{ArrangementError, ArrangementReason, Refusal},
};

/// The most monitors of one account.
pub(crate) const MONITORS_MAX: usize = 20;

/// Sets a monitor on an account that this transaction has locked. Returns the balance with which
/// the monitor begins.
pub(crate) async fn set_in_tx(
    tx: &mut Tx<'_>,
    account: &Account,
    (id, condition): (MonitorId, MonitorCondition),
) -> Result<Amount, ArrangementError> {
    if let Some(rule) = broken(condition, account) {
        return Err(Refusal::invalid("condition", rule).into());
    }
    let there = repo::read_in_tx(tx, &[account.id.uuid()]).await?.remove(&account.id);
    let there = there.unwrap_or_default();
    if there.len() >= MONITORS_MAX && there.iter().all(|monitor| monitor.id != id) {
        let message = format!("an account has at most {MONITORS_MAX} monitors");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    let Some(balance) = account.balance().amount() else {
        let rule = "an account whose balance is within bounds";
        return Err(Refusal::invalid("account_id", rule).into());
    };
    let monitor = Monitor::new(id, account.id, condition, balance.decimal());
    repo::put_in_tx(tx, std::iter::once(&monitor)).await?;
    repo::mark_in_tx(tx, account.id).await?;
    Ok(balance)
}

/// The rule that a condition breaks.
fn broken(condition: MonitorCondition, account: &Account) -> Option<String> {
    let (amount, least) = match condition {
        MonitorCondition::Below(mark) | MonitorCondition::Above(mark) => (mark, None),
        MonitorCondition::ChangeBy(amount) => (amount, Some(Decimal::ZERO)),
    };
    let fits = Money { amount, currency: account.currency }.fits_currency();
    let digits = account.currency.digits();
    let most = account.currency.amount_max();
    if !fits || amount.decimal().abs() > most {
        return Some(format!("at most {most}, with at most {digits} digits"));
    }
    least.filter(|least| amount.decimal() <= *least).map(|_| "more than zero".to_owned())
}

/// Removes a monitor of an account that this transaction has locked.
pub(crate) async fn remove_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MonitorId,
) -> Result<(), ArrangementError> {
    if !repo::remove_in_tx(tx, account, id).await? {
        let message = format!("the account has no monitor {id}");
        return Err(Refusal::new(ArrangementReason::UnknownMonitor, message).into());
    }
    repo::mark_in_tx(tx, account).await?;
    Ok(())
}
