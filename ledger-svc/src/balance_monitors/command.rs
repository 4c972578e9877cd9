//! Balance monitors: set and removed, and listed for whoever asks.

use rust_decimal::Decimal;
use shared_events::{
    Amount, Money,
    ledger::{
        ArrangementReason, ListMonitors, MONITORS_MAX, MonitorChanged, MonitorCondition,
        MonitorNow, MonitorRemoved, MonitorsListed, RemoveMonitor, SetMonitor,
    },
    messaging::{Answer, HandleError, Outcome, Tx},
    refusal::MessageRefused,
};

use crate::legacy::handle::arrange::{Arranged, Refusal};
use crate::{
    legacy::domain::{Account, Monitor},
    legacy::store::{monitors, queries},
};

pub(crate) async fn set_in_tx(
    tx: &mut Tx<'_>,
    asked: &SetMonitor,
    account: &Account,
) -> Result<Outcome, Arranged> {
    let SetMonitor { account_id, monitor_id, condition } = *asked;
    if let Some(rule) = broken(condition, account) {
        return Err(Refusal::invalid("condition", rule).into());
    }
    let there = monitors::read_in_tx(tx, &[account_id.uuid()]).await?.remove(&account_id);
    let there = there.unwrap_or_default();
    if there.len() >= MONITORS_MAX && there.iter().all(|it| it.id != monitor_id) {
        let message = format!("an account has at most {MONITORS_MAX} monitors");
        return Err(Refusal::new(ArrangementReason::TooMany, message).into());
    }
    let Some(balance) = account.balance().amount() else {
        return Err(
            Refusal::invalid("account_id", "an account whose balance is within bounds").into()
        );
    };
    let monitor = Monitor::new(monitor_id, account_id, condition, balance.decimal());
    monitors::put_in_tx(tx, std::iter::once(&monitor)).await?;
    monitors::mark_in_tx(tx, account_id).await?;
    let changed = MonitorChanged { account_id, monitor_id, condition, balance };
    Ok(Outcome::announce(&changed))
}

/// The rule that a condition breaks.
fn broken(condition: MonitorCondition, account: &Account) -> Option<String> {
    let (amount, least) = match condition {
        MonitorCondition::Below(it) | MonitorCondition::Above(it) => (it, None),
        MonitorCondition::ChangeBy(it) => (it, Some(Decimal::ZERO)),
    };
    let fits = Money { amount, currency: account.currency }.fits_currency();
    let digits = account.currency.digits();
    let most = account.currency.amount_max();
    if !fits || amount.decimal().abs() > most {
        return Some(format!("at most {most}, with at most {digits} digits"));
    }
    least.filter(|least| amount.decimal() <= *least).map(|_| "more than zero".to_owned())
}

pub(crate) async fn remove_in_tx(
    tx: &mut Tx<'_>,
    asked: &RemoveMonitor,
) -> Result<Outcome, Arranged> {
    let RemoveMonitor { account_id, monitor_id } = *asked;
    if !monitors::remove_in_tx(tx, account_id, monitor_id).await? {
        let message = format!("the account has no monitor {monitor_id}");
        return Err(Refusal::new(ArrangementReason::UnknownMonitor, message).into());
    }
    monitors::mark_in_tx(tx, account_id).await?;
    Ok(Outcome::announce(&MonitorRemoved { account_id, monitor_id }))
}

/// The monitors of an account.
pub(crate) async fn listed(
    tx: &mut Tx<'_>,
    query: &ListMonitors,
) -> Result<Result<Answer, MessageRefused>, HandleError> {
    let account_id = query.account_id;
    let Some(account) = queries::account(tx, account_id).await? else {
        return Ok(Err(MessageRefused::not_found(format!("account {account_id}"))));
    };
    let found = monitors::read_in_tx(tx, &[account_id.uuid()]).await?.remove(&account_id);
    let monitor = |it: Monitor| MonitorNow {
        monitor_id: it.id,
        condition: it.condition,
        armed: it.armed,
        since: Amount(it.since),
    };
    let monitors = found.into_iter().flatten().map(monitor).collect();
    let currency = account.currency;
    Ok(Ok(Answer::found(&MonitorsListed { account_id, currency, monitors })))
}
