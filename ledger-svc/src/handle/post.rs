//! Posts a batch: transfers, and the account events that the ledger follows, in their order.
//!
//! Shape: lock accounts -> load what was decided before -> fold all commands in memory (no I/O) ->
//! store transfers, entries, balances as arrays. Cost: six statements for a batch of any size.
//! Duplicates: a transfer's id is its idempotency; there is no inbox here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use chrono_tz::Tz;
use metrics::counter;
use shared_events::{
    AccountId, CommandId, Currency,
    bus::{HandleError, Handler, Idempotency, Outcome, Received, Tx},
    ledger::{
        AccountCode, LedgerCommand, LedgerReason, Party, SubmitTransfers, TRANSFERS_MAX, Transfer,
    },
};
use tracing::info;
use uuid::Uuid;

use super::announce;
use crate::{
    domain::{AccountEvent, Books, Followed, own_account_id},
    store::{accounts, entries, transfers},
};

/// Handles `ledger.commands.<n>`.
pub(crate) struct Post {
    time_zone: Tz,
}

impl Post {
    pub(crate) const fn new(time_zone: Tz) -> Self {
        Self { time_zone }
    }
}

impl Handler for Post {
    type Message = LedgerCommand;
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        // Load.
        let named = Named::by(batch);
        let mut books = named.load_in_tx(tx).await?;

        // Decide.
        let now = Utc::now();
        let today = now.with_timezone(&self.time_zone).date_naive();
        let outcomes = batch
            .iter()
            .map(|received| match Change::of(received.message()) {
                Ok(submit) => submit_all(&mut books, received.id(), submit, today),
                Err((id, version, event)) => follow(&mut books, id, version, &event),
            })
            .collect();

        // Save.
        accounts::insert_in_tx(tx, books.opened()).await?;
        accounts::update_in_tx(tx, books.changed()).await?;
        transfers::insert_in_tx(tx, books.decided(), now).await?;
        entries::append_in_tx(tx, books.postings()).await?;
        count(&books);
        Ok(outcomes)
    }
}

/// A message of the queue: transfers, or a change of an account.
struct Change;

impl Change {
    fn of(message: &LedgerCommand) -> Result<&SubmitTransfers, (AccountId, i64, AccountEvent)> {
        use LedgerCommand::{Closed, Closing, Frozen, LimitsChanged, Opened, Submit, Unfrozen};
        Err(match message {
            Submit(submit) => return Ok(submit),
            Opened(it) => {
                let overdraft_limit = it.overdraft_limit.decimal();
                let event = AccountEvent::Opened { currency: it.currency, overdraft_limit };
                (it.account_id, it.version, event)
            }
            Frozen(it) => (it.account_id, it.version, AccountEvent::Frozen),
            Unfrozen(it) => (it.account_id, it.version, AccountEvent::Unfrozen),
            Closing(it) => (it.account_id, it.version, AccountEvent::Closing),
            Closed(it) => (it.account_id, it.version, AccountEvent::Closed),
            LimitsChanged(it) => {
                let overdraft_limit = it.overdraft_limit.decimal();
                (it.account_id, it.version, AccountEvent::LimitsChanged { overdraft_limit })
            }
        })
    }
}

fn submit_all(
    books: &mut Books,
    id: CommandId,
    submit: &SubmitTransfers,
    today: chrono::NaiveDate,
) -> Outcome {
    if let Some(reason) = refusal(submit) {
        return announce::refused(id, reason);
    }
    let outcomes = submit.transfers.iter().map(|transfer| books.submit(id, transfer, today));
    announce::outcomes(id, outcomes.collect())
}

/// Why a command is refused as a whole.
fn refusal(submit: &SubmitTransfers) -> Option<LedgerReason> {
    match submit.transfers.len() {
        0 => Some(LedgerReason::NoTransfers),
        1..=TRANSFERS_MAX => None,
        _ => Some(LedgerReason::TooManyTransfers),
    }
}

fn follow(books: &mut Books, id: AccountId, version: i64, event: &AccountEvent) -> Outcome {
    match books.follow(id, version, event) {
        Followed::Opened(account) => {
            info!(account.id = %id, "opened account");
            announce::opened(&account)
        }
        Followed::Locked(account) => {
            info!(account.id = %id, "locked account");
            announce::locked(&account)
        }
        Followed::CloseRefused(account) => announce::close_refused(&account),
        Followed::Quietly => Outcome::silent(),
        Followed::Early => Outcome::Later { why: format!("account {id} is not open here yet") },
    }
}

/// What a batch names: every account and transfer that it can touch.
#[derive(Default)]
struct Named {
    accounts: BTreeSet<Uuid>,
    own: BTreeMap<Uuid, (AccountCode, Currency)>,
    transfers: Vec<Uuid>,
}

impl Named {
    fn by(batch: &[Received<LedgerCommand>]) -> Self {
        let mut named = Self::default();
        for received in batch {
            match Change::of(received.message()) {
                // What is refused as a whole touches nothing, and opens no account.
                Ok(submit) if refusal(submit).is_some() => {}
                Ok(submit) => submit.transfers.iter().for_each(|it| named.transfer(it)),
                Err((id, ..)) => {
                    named.accounts.insert(id.uuid());
                }
            }
        }
        named
    }

    fn transfer(&mut self, transfer: &Transfer) {
        self.transfers.push(transfer.transfer_id.uuid());
        for party in [&transfer.debtor, &transfer.creditor] {
            match party {
                Party::AccountId(id) => {
                    self.accounts.insert(id.uuid());
                }
                Party::Code(code) if code.is_known() => {
                    let currency = transfer.money.currency;
                    let id = own_account_id(code, currency).uuid();
                    self.accounts.insert(id);
                    self.own.entry(id).or_insert_with(|| (code.clone(), currency));
                }
                Party::Code(_) => {}
            }
        }
    }

    /// Locks the accounts, opening those of the bank's own that are used for the first time; then
    /// loads what was decided before. In this order, so that a transfer that another instance is
    /// deciding now is waited for, and then seen.
    async fn load_in_tx(self, tx: &mut Tx<'_>) -> sqlx::Result<Books> {
        let ids: Vec<Uuid> = self.accounts.into_iter().collect();
        let mut locked = accounts::lock_in_tx(tx, &ids).await?;
        let mut missing = self.own;
        locked.iter().for_each(|account| drop(missing.remove(&account.id.uuid())));
        if !missing.is_empty() {
            let ids: Vec<Uuid> = missing.keys().copied().collect();
            let codes: Vec<&str> = missing.values().map(|(code, _)| code.0.as_str()).collect();
            let currencies: Vec<&str> = missing.values().map(|(_, it)| it.code()).collect();
            accounts::open_own_in_tx(tx, &ids, &codes, &currencies).await?;
            locked.extend(accounts::lock_in_tx(tx, &ids).await?);
        }
        let known = transfers::decided_in_tx(tx, &self.transfers).await?;
        Ok(Books::new(locked, known))
    }
}

fn count(books: &Books) {
    let (mut posted, mut rejected) = (0_u64, 0_u64);
    for decided in books.decided() {
        match &decided.decision {
            crate::domain::Decision::Posted { .. } => posted += 1,
            crate::domain::Decision::Rejected { reason, .. } => {
                rejected += 1;
                info!(transfer.id = %decided.transfer.transfer_id, reason = reason.as_str(),
                    "rejected transfer");
            }
        }
    }
    counter!("ledger_transfers_total", "outcome" => "posted").increment(posted);
    counter!("ledger_transfers_total", "outcome" => "rejected").increment(rejected);
}
