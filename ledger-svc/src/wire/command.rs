//! The handlers of `ledger.commands` and `ledger.arrangements`. Promise: a refused arrangement
//! changes nothing; each arrangement takes effect under the lock of its account.

use std::collections::BTreeMap;

use shared_events::{
    AccountId, Money,
    access::{Act, Debit, Debited, Rights, Verdict},
    ledger::{self as contract, LedgerArrangement, LedgerCommand},
    messaging::{HandleError, Handler, Idempotency, Outcome, Received, Tx},
};
use uuid::Uuid;

use super::{
    inbound::requests::{request, submission},
    outbound::{
        arrangements,
        events::{batch_outcome, command_conflict},
    },
    values::{condition, interest_terms, order_terms},
};
use crate::{
    accounting_periods,
    accounts::{self, Account, Status},
    balance_monitors,
    bank_calendar::{self, BankTime, Calendar, Now},
    command_batch::command::decide_in_tx,
    interest,
    posting::Author,
    refusals::{ArrangementError, ArrangementReason, Refusal},
    standing_orders,
};

/// Handles `ledger.commands.<n>`.
pub(crate) struct CommandHandler {
    time: BankTime,
}

impl CommandHandler {
    pub(crate) const fn new(time: BankTime) -> Self {
        Self { time }
    }
}

impl Handler for CommandHandler {
    type Message = LedgerCommand;
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;
    const REFUSES_ITSELF: bool = true;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let requests = batch.iter().map(|received| {
            let (id, rights) = (received.id(), received.rights.clone());
            let author = Author::new(id, rights, received.authorship());
            (author, request(received.message()))
        });
        let decided = decide_in_tx(tx, requests.collect(), self.time).await?;
        let outcomes = batch.iter().zip(&decided.decisions).map(|(received, (id, decision))| {
            batch_outcome(&decided, *id, decision, submission(received.message()))
        });
        Ok(outcomes.collect())
    }

    fn conflict(&self, received: &Received<LedgerCommand>) -> Outcome {
        command_conflict(received.id(), &received.envelope.kind)
    }
}

/// Handles `ledger.arrangements`.
pub(crate) struct ArrangementHandler {
    time: BankTime,
    calendar: Calendar,
}

impl ArrangementHandler {
    pub(crate) const fn new(time: BankTime, calendar: Calendar) -> Self {
        Self { time, calendar }
    }
}

type Accounts = BTreeMap<AccountId, Account>;

impl Handler for ArrangementHandler {
    type Message = LedgerArrangement;

    /// A few statements for each command: arrangements are rare.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerArrangement>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let ids = batch.iter().filter_map(|received| account_of(received.message()));
        let ids: Vec<Uuid> = ids.map(AccountId::uuid).collect();
        let locked = accounts::repo::lock_in_tx(tx, &ids).await?.into_iter();
        let accounts: Accounts = locked.map(|account| (account.id, account)).collect();
        let now = self.time.now(bank_calendar::repo::clock(tx).await?);
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let (id, arrangement) = (received.id(), received.message());
            outcomes.push(match self.arrange_in_tx(tx, received, &accounts, now).await {
                Ok(outcome) => outcome,
                Err(ArrangementError::Refused(refusal)) => {
                    arrangements::refused(id, arrangement, refusal)
                }
                Err(ArrangementError::NeedsApproval(needs)) => Outcome::NeedsApproval(needs),
                Err(ArrangementError::Failed(error)) => return Err(error),
            });
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<LedgerArrangement>) -> Outcome {
        let rule = "this command id was used before, with other content";
        let refusal = Refusal::new(ArrangementReason::IdempotencyConflict, rule);
        arrangements::refused(received.id(), received.message(), refusal)
    }

    fn not_permitted(&self, received: &Received<LedgerArrangement>, why: &str) -> Outcome {
        let refusal = Refusal::new(ArrangementReason::NotPermitted, why);
        arrangements::refused(received.id(), received.message(), refusal)
    }
}

impl ArrangementHandler {
    async fn arrange_in_tx(
        &self,
        tx: &mut Tx<'_>,
        received: &Received<LedgerArrangement>,
        accounts: &Accounts,
        now: Now,
    ) -> Result<Outcome, ArrangementError> {
        let (id, arrangement) = (received.id(), received.message());
        let open = |id| open_account(accounts, id, None, &received.rights);
        match arrangement {
            LedgerArrangement::SetTerms(set) => {
                let terms = interest_terms(&set.terms);
                let account = open(set.account_id)?;
                interest::command::set_terms_in_tx(tx, account, &terms, now).await?;
                let contract::SetTerms { account_id, terms } = set.clone();
                Ok(Outcome::announce(&contract::TermsChanged { account_id, terms }))
            }
            LedgerArrangement::SetMonitor(set) => {
                let contract::SetMonitor { account_id, monitor_id, condition: published } = *set;
                let monitor = (monitor_id, condition(published));
                let account = open(account_id)?;
                let balance = balance_monitors::command::set_in_tx(tx, account, monitor).await?;
                let condition = published;
                let changed =
                    contract::MonitorChanged { account_id, monitor_id, condition, balance };
                Ok(Outcome::announce(&changed))
            }
            LedgerArrangement::RemoveMonitor(remove) => {
                let contract::RemoveMonitor { account_id, monitor_id } = *remove;
                open(account_id)?;
                balance_monitors::command::remove_in_tx(tx, account_id, monitor_id).await?;
                Ok(Outcome::announce(&contract::MonitorRemoved { account_id, monitor_id }))
            }
            LedgerArrangement::SetOrder(set) => {
                let terms = order_terms(&set.terms);
                let account =
                    open_account(accounts, set.account_id, Some(terms.money), &received.rights)?;
                let order = (set.order_id, &terms);
                let calendar = &self.calendar;
                let (order, abandoned) =
                    standing_orders::command::set_in_tx(tx, account, order, now, calendar).await?;
                Ok(arrangements::order_set(order, abandoned))
            }
            LedgerArrangement::CancelOrder(cancel) => {
                open(cancel.account_id)?;
                let (account, order) = (cancel.account_id, cancel.order_id);
                let abandoned =
                    standing_orders::command::cancel_in_tx(tx, account, order, now).await?;
                Ok(arrangements::order_cancelled(cancel, abandoned))
            }
            LedgerArrangement::ClosePeriod(close) => {
                let through = close.through;
                let closed = accounting_periods::command::close_in_tx(tx, id, through, now).await?;
                Ok(arrangements::period(id, close, closed))
            }
        }
    }
}

/// A customer's account for which an arrangement can be made, which debits the account by so much
/// at a time.
fn open_account<'a>(
    accounts: &'a Accounts,
    id: AccountId,
    debit: Option<Money>,
    rights: &Rights,
) -> Result<&'a Account, ArrangementError> {
    let Some(account) = accounts.get(&id).filter(|account| account.code.is_none()) else {
        let message = format!("account {id} is not known");
        return Err(Refusal::new(ArrangementReason::UnknownAccount, message).into());
    };
    let verdict = judge(account, debit, rights);
    if let Verdict::NotPermitted = verdict {
        let message = match debit {
            Some(Money { amount, currency }) if rights.hold_for_branch(account.branch()) => {
                format!("no grant of the sender permits orders of {amount} {currency}")
            }
            _ => format!("no grant of the sender is for the branch {}", account.branch()),
        };
        return Err(Refusal::new(ArrangementReason::NotPermitted, message).into());
    }
    if matches!(account.status, Status::Closed | Status::Locked) {
        let message = "the account is closed, or about to be";
        return Err(Refusal::new(ArrangementReason::AccountClosed, message).into());
    }
    match verdict {
        Verdict::NeedsApproval(needs) => Err(ArrangementError::NeedsApproval(needs)),
        Verdict::Permitted | Verdict::NotPermitted => Ok(account),
    }
}

fn judge(account: &Account, debit: Option<Money>, rights: &Rights) -> Verdict {
    let customer = Debited::Customer { branch: account.branch() };
    let debit = debit.map(|money| {
        Act::Debit(Debit { account: customer, money: Some(money), is_reversal: false })
    });
    rights.judge_all([Act::OnBranch(account.branch())].into_iter().chain(debit))
}

/// The account of an arrangement. `None`: the arrangement is the bank's.
const fn account_of(arrangement: &LedgerArrangement) -> Option<AccountId> {
    match arrangement {
        LedgerArrangement::SetTerms(set) => Some(set.account_id),
        LedgerArrangement::SetMonitor(set) => Some(set.account_id),
        LedgerArrangement::RemoveMonitor(remove) => Some(remove.account_id),
        LedgerArrangement::SetOrder(set) => Some(set.account_id),
        LedgerArrangement::CancelOrder(cancel) => Some(cancel.account_id),
        LedgerArrangement::ClosePeriod(_) => None,
    }
}
