//! Arrangements for accounts: what is to happen later, or each time. Promise: one that breaks a
//! rule changes nothing, and is told which rule; each takes effect under its account's lock.

mod monitors;
mod orders;
mod terms;

pub(super) use monitors::listed;
pub(super) use orders::{order_found, orders_listed};

use std::collections::BTreeMap;

use chrono_tz::Tz;
use shared_events::{
    AccountId, MessageId,
    bus::{HandleError, Handler, Outcome, Received, Tx},
    ledger::{
        ArrangementReason, ArrangementRejected, CancelOrder, LedgerArrangement, RemoveMonitor,
        SetMonitor, SetOrder, SetTerms,
    },
    message::Message,
};
use uuid::Uuid;

use super::desk::now;
use crate::{
    domain::{Account, Calendar, Now, Status},
    store::{accounts, queries},
};

/// Handles `ledger.arrangements`.
pub(crate) struct Arrange {
    time_zone: Tz,
    calendar: Calendar,
}

impl Arrange {
    pub(crate) const fn new(time_zone: Tz, calendar: Calendar) -> Self {
        Self { time_zone, calendar }
    }
}

/// Why an arrangement is refused.
struct Refusal {
    reason: ArrangementReason,
    field: Option<&'static str>,
    message: String,
}

impl Refusal {
    fn new(reason: ArrangementReason, message: impl Into<String>) -> Self {
        Self { reason, field: None, message: message.into() }
    }

    fn invalid(field: &'static str, rule: impl Into<String>) -> Self {
        let reason = ArrangementReason::InvalidField;
        Self { field: Some(field), ..Self::new(reason, rule) }
    }
}

impl Handler for Arrange {
    type Message = LedgerArrangement;

    /// A few statements a command: arrangements are rare.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerArrangement>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let ids: Vec<Uuid> = batch.iter().map(|it| account_of(it.message()).uuid()).collect();
        let locked = accounts::lock_in_tx(tx, &ids).await?.into_iter();
        let accounts: BTreeMap<AccountId, Account> = locked.map(|it| (it.id, it)).collect();
        let now = now(queries::now(tx).await?, self.time_zone);
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let account = accounts.get(&account_of(received.message()));
            let when = (now, &self.calendar);
            outcomes.push(match arrange_in_tx(tx, received.message(), account, when).await? {
                Ok(outcome) => outcome,
                Err(refusal) => rejected(received.id(), received.message(), refusal),
            });
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<LedgerArrangement>) -> Outcome {
        let rule = "this command id was used before, with other content";
        let refusal = Refusal::new(ArrangementReason::IdempotencyConflict, rule);
        rejected(received.id(), received.message(), refusal)
    }
}

async fn arrange_in_tx(
    tx: &mut Tx<'_>,
    asked: &LedgerArrangement,
    account: Option<&Account>,
    (now, calendar): (Now, &Calendar),
) -> Result<Result<Outcome, Refusal>, HandleError> {
    let Some(account) = account.filter(|it| it.code.is_none()) else {
        let message = format!("account {} is not known", account_of(asked));
        return Ok(Err(Refusal::new(ArrangementReason::UnknownAccount, message)));
    };
    if matches!(account.status, Status::Closed | Status::Locked) {
        let message = "the account is closed, or about to be";
        return Ok(Err(Refusal::new(ArrangementReason::AccountClosed, message)));
    }
    match asked {
        LedgerArrangement::SetTerms(it) => terms::set_in_tx(tx, it, account, now).await,
        LedgerArrangement::SetMonitor(it) => monitors::set_in_tx(tx, it, account).await,
        LedgerArrangement::RemoveMonitor(it) => monitors::remove_in_tx(tx, it).await,
        LedgerArrangement::SetOrder(it) => {
            orders::set_in_tx(tx, it, account, (now, calendar)).await
        }
        LedgerArrangement::CancelOrder(it) => orders::cancel_in_tx(tx, it, now).await,
    }
}

const fn account_of(asked: &LedgerArrangement) -> AccountId {
    match asked {
        LedgerArrangement::SetTerms(it) => it.account_id,
        LedgerArrangement::SetMonitor(it) => it.account_id,
        LedgerArrangement::RemoveMonitor(it) => it.account_id,
        LedgerArrangement::SetOrder(it) => it.account_id,
        LedgerArrangement::CancelOrder(it) => it.account_id,
    }
}

const fn type_of(asked: &LedgerArrangement) -> &'static str {
    match asked {
        LedgerArrangement::SetTerms(_) => SetTerms::TYPE,
        LedgerArrangement::SetMonitor(_) => SetMonitor::TYPE,
        LedgerArrangement::RemoveMonitor(_) => RemoveMonitor::TYPE,
        LedgerArrangement::SetOrder(_) => SetOrder::TYPE,
        LedgerArrangement::CancelOrder(_) => CancelOrder::TYPE,
    }
}

fn rejected(command_id: MessageId, asked: &LedgerArrangement, refusal: Refusal) -> Outcome {
    let Refusal { reason, field, message } = refusal;
    Outcome::announce(&ArrangementRejected {
        command_id,
        command_type: type_of(asked).to_owned(),
        account_id: account_of(asked),
        reason,
        field: field.map(str::to_owned),
        message,
    })
}
