//! Arrangements for accounts, or for the bank: what is to happen later, or each time. Promise: one
//! that breaks a rule changes nothing, and is told which rule; each takes effect under its
//! account's lock.

use std::collections::BTreeMap;

use crate::{
    accounting_periods::command as periods, balance_monitors::command as monitors,
    interest::command as terms, standing_orders::command as orders,
};

use shared_events::{
    AccountId,
    ledger::{
        ArrangementReason, ArrangementRejected, CancelOrder, LedgerArrangement, LedgerReason,
        RemoveMonitor, SetMonitor, SetOrder, SetTerms,
    },
    message::Message,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
};
use uuid::Uuid;

use crate::legacy::handle::bank_time::BankTime;
use crate::{
    legacy::domain::{Account, Calendar, Now, Status},
    legacy::store::{accounts, periods::clock},
};

/// Handles `ledger.arrangements`.
pub(crate) struct Arrange {
    time: BankTime,
    calendar: Calendar,
}

impl Arrange {
    pub(crate) const fn new(time: BankTime, calendar: Calendar) -> Self {
        Self { time, calendar }
    }
}

/// Why an arrangement is refused.
pub(crate) struct Refusal {
    reason: ArrangementReason,
    field: Option<&'static str>,
    message: String,
}

impl Refusal {
    pub(crate) fn new(reason: ArrangementReason, message: impl Into<String>) -> Self {
        Self { reason, field: None, message: message.into() }
    }

    pub(crate) fn invalid(field: &'static str, rule: impl Into<String>) -> Self {
        let reason = ArrangementReason::InvalidField;
        Self { field: Some(field), ..Self::new(reason, rule) }
    }
}

/// Why an arrangement did not come about.
pub(crate) enum Arranged {
    /// It is refused, and changes nothing.
    Refused(Refusal),
    /// It could not be handled.
    Failed(HandleError),
}

impl From<Refusal> for Arranged {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HandleError> for Arranged {
    fn from(error: HandleError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Arranged {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

type Accounts = BTreeMap<AccountId, Account>;

impl Handler for Arrange {
    type Message = LedgerArrangement;

    /// A few statements a command: arrangements are rare.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerArrangement>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let ids = batch.iter().filter_map(|received| account_of(received.message()));
        let ids: Vec<Uuid> = ids.map(AccountId::uuid).collect();
        let locked = accounts::lock_in_tx(tx, &ids).await?.into_iter();
        let accounts: Accounts = locked.map(|account| (account.id, account)).collect();
        let now = self.time.now(clock(tx).await?);
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let when = (now, &self.calendar);
            outcomes.push(match arrange_in_tx(tx, received, &accounts, when).await {
                Ok(outcome) => outcome,
                Err(Arranged::Refused(refusal)) => rejected(received, refusal),
                Err(Arranged::Failed(error)) => return Err(error),
            });
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<LedgerArrangement>) -> Outcome {
        let rule = "this command id was used before, with other content";
        rejected(received, Refusal::new(ArrangementReason::IdempotencyConflict, rule))
    }
}

async fn arrange_in_tx(
    tx: &mut Tx<'_>,
    received: &Received<LedgerArrangement>,
    accounts: &Accounts,
    (now, calendar): (Now, &Calendar),
) -> Result<Outcome, Arranged> {
    let open = |id| open_account(accounts, id);
    match received.message() {
        LedgerArrangement::SetTerms(it) => {
            terms::set_in_tx(tx, it, open(it.account_id)?, now).await
        }
        LedgerArrangement::SetMonitor(it) => {
            monitors::set_in_tx(tx, it, open(it.account_id)?).await
        }
        LedgerArrangement::RemoveMonitor(it) => {
            open(it.account_id)?;
            monitors::remove_in_tx(tx, it).await
        }
        LedgerArrangement::SetOrder(it) => {
            orders::set_in_tx(tx, it, open(it.account_id)?, (now, calendar)).await
        }
        LedgerArrangement::CancelOrder(it) => {
            open(it.account_id)?;
            orders::cancel_in_tx(tx, it, now).await
        }
        LedgerArrangement::ClosePeriod(it) => {
            Ok(periods::close_in_tx(tx, received.id(), it, now).await?)
        }
    }
}

/// A customer's account for which something can be arranged.
fn open_account(accounts: &Accounts, id: AccountId) -> Result<&Account, Refusal> {
    let Some(account) = accounts.get(&id).filter(|account| account.code.is_none()) else {
        let message = format!("account {id} is not known");
        return Err(Refusal::new(ArrangementReason::UnknownAccount, message));
    };
    match account.status {
        Status::Closed | Status::Locked => {
            let message = "the account is closed, or about to be";
            Err(Refusal::new(ArrangementReason::AccountClosed, message))
        }
        Status::Active | Status::Frozen => Ok(account),
    }
}

/// The account that an arrangement is for. `None`: for the bank.
const fn account_of(asked: &LedgerArrangement) -> Option<AccountId> {
    match asked {
        LedgerArrangement::SetTerms(it) => Some(it.account_id),
        LedgerArrangement::SetMonitor(it) => Some(it.account_id),
        LedgerArrangement::RemoveMonitor(it) => Some(it.account_id),
        LedgerArrangement::SetOrder(it) => Some(it.account_id),
        LedgerArrangement::CancelOrder(it) => Some(it.account_id),
        LedgerArrangement::ClosePeriod(_) => None,
    }
}

fn rejected(received: &Received<LedgerArrangement>, refusal: Refusal) -> Outcome {
    let (command_id, Refusal { reason, field, message }) = (received.id(), refusal);
    let (account_id, command_type) = match received.message() {
        LedgerArrangement::SetTerms(it) => (it.account_id, SetTerms::TYPE),
        LedgerArrangement::SetMonitor(it) => (it.account_id, SetMonitor::TYPE),
        LedgerArrangement::RemoveMonitor(it) => (it.account_id, RemoveMonitor::TYPE),
        LedgerArrangement::SetOrder(it) => (it.account_id, SetOrder::TYPE),
        LedgerArrangement::CancelOrder(it) => (it.account_id, CancelOrder::TYPE),
        LedgerArrangement::ClosePeriod(_) => {
            return periods::refused(command_id, LedgerReason::IdempotencyConflict, &message);
        }
    };
    Outcome::announce(&ArrangementRejected {
        command_id,
        command_type: command_type.to_owned(),
        account_id,
        reason,
        field: field.map(str::to_owned),
        message,
    })
}
