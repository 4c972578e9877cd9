//! The posting session: the one owner of the posting protocol (see [the module](super)). Promise: a
//! fixed number of statements for work of any size; accounts are locked in the order of
//! their ids, before anything that depends on them is read; a change that another transaction
//! commits while this one waits for its locks is seen whole, with the accounts that it names.

use std::collections::BTreeMap;

use metrics::counter;
use shared_events::messaging::Tx;
use tracing::info;
use uuid::Uuid;

use super::{
    lock_set::LockSet,
    outcome::InstructionOutcome,
    record::Decided,
    repo,
    state::{Loaded, PostingState},
    stored_record,
    texts::Salts,
};
use crate::{
    accounts::{self, Account},
    balance_monitors,
    bank_calendar::{BankTime, Now},
    holds::{self, Hold},
    journal::{self, ChainEnd, repo::StoredRecord},
    repo::undecodable,
};

/// An open posting transaction: its accounts are locked, and it extends one chain.
pub(crate) struct PostingSession {
    /// The state, in which instructions are decided.
    pub(crate) state: PostingState,
    /// The time of all decisions of the session.
    pub(crate) now: Now,
    chain: ChainEnd,
    /// The internal accounts that this transaction has opened.
    opened: Vec<Uuid>,
}

impl PostingSession {
    /// Opens a session: locks the accounts, opening internal accounts at their first use, then
    /// takes the end of a chain and loads the earlier decisions.
    ///
    /// A hold or a transfer that another transaction commits meanwhile may name accounts that are
    /// not locked yet. Then all locks are returned and taken again with these accounts, since only
    /// locks taken in the order of ids never wait in a circle. The lock set never shrinks, so this
    /// ends.
    pub(crate) async fn open_in_tx(
        tx: &mut Tx<'_>,
        mut set: LockSet,
        time: BankTime,
    ) -> sqlx::Result<Self> {
        if set.has_references() {
            let referenced = referenced_in_tx(tx, &set).await?;
            set.add_referenced(&referenced.holds, referenced.transfers());
            accounts::repo::savepoint_in_tx(tx).await?;
        }
        loop {
            let (locked, opened) = lock_in_tx(tx, &set).await?;
            let (chain, known) = journal::repo::extend_in_tx(tx, &set.decided_ids()).await?;
            let mut loaded = load_in_tx(tx, &set, locked, known).await?;
            loaded.salts = Salts::random();
            if !set.add_referenced(&loaded.holds, loaded.transfers()) {
                let now = time.now(chain.clock);
                return Ok(Self { state: PostingState::new(loaded), now, chain, opened });
            }
            accounts::repo::unlock_in_tx(tx).await?;
        }
    }

    /// Loads the state for a preview, in a transaction that sees one instant: nothing is locked,
    /// and nothing can be stored.
    pub(crate) async fn preview_in_tx(
        tx: &mut Tx<'_>,
        mut set: LockSet,
    ) -> sqlx::Result<PostingState> {
        if set.has_references() {
            let referenced = referenced_in_tx(tx, &set).await?;
            set.add_referenced(&referenced.holds, referenced.transfers());
        }
        let mut accounts = accounts::repo::read_in_tx(tx, &set.account_ids()).await?;
        let unopened = set.unopened(&accounts).into_values();
        let unopened =
            unopened.map(|(code, currency)| Account::open_internal(code.clone(), *currency));
        let unopened: Vec<Account> = unopened.collect();
        accounts.extend(unopened);
        accounts.retain(|account| set.is_meant(account));
        let known = journal::repo::records_in_tx(tx, &set.decided_ids()).await?;
        Ok(PostingState::new(load_in_tx(tx, &set, accounts, known).await?))
    }

    /// Stores every change of the session. Returns the state, from which the outcomes are
    /// announced.
    pub(crate) async fn save_in_tx(self, tx: &mut Tx<'_>) -> sqlx::Result<PostingState> {
        let Self { state, chain, mut opened, .. } = self;
        opened.retain(|id| !state.changed().any(|account| account.id.uuid() == *id));
        if !opened.is_empty() {
            accounts::repo::remove_in_tx(tx, &opened).await?;
        }
        accounts::repo::insert_in_tx(tx, state.opened()).await?;
        accounts::repo::put_limits_in_tx(tx, state.terms_changed()).await?;
        holds::repo::put_in_tx(tx, state.changed_holds()).await?;
        holds::repo::put_reversed_in_tx(tx, state.changed_reversed()).await?;
        balance_monitors::repo::put_in_tx(tx, state.changed_monitors()).await?;
        let balances = state.opened().chain(state.changed());
        repo::post_in_tx(tx, chain, state.decided(), balances).await?;
        Ok(state)
    }
}

/// The holds and transfers of the set, as far as they are there.
async fn referenced_in_tx(tx: &mut Tx<'_>, set: &LockSet) -> sqlx::Result<Loaded> {
    let holds = holds_in_tx(tx, set).await?;
    let originals = set.original_ids();
    let known = match originals.is_empty() {
        true => vec![],
        false => decided(journal::repo::records_in_tx(tx, &originals).await?)?,
    };
    Ok(Loaded { holds, known, ..Loaded::default() })
}

/// Locks the accounts of the set, and opens internal accounts that are not open yet. Returns the
/// ids of these, too.
async fn lock_in_tx(tx: &mut Tx<'_>, set: &LockSet) -> sqlx::Result<(Vec<Account>, Vec<Uuid>)> {
    let mut locked = accounts::repo::lock_in_tx(tx, &set.account_ids()).await?;
    let (unopened, mut opened) = (set.unopened(&locked), vec![]);
    if !unopened.is_empty() {
        let ids: Vec<Uuid> = unopened.keys().copied().collect();
        let codes: Vec<&str> = unopened.values().map(|(code, _)| code.0.as_str()).collect();
        let currencies: Vec<&str> =
            unopened.values().map(|(_, currency)| currency.code()).collect();
        opened = accounts::repo::open_internal_in_tx(tx, &ids, &codes, &currencies).await?;
        locked.extend(accounts::repo::lock_in_tx(tx, &ids).await?);
    }
    locked.retain(|account| set.is_meant(account));
    Ok((locked, opened))
}

async fn load_in_tx(
    tx: &mut Tx<'_>,
    set: &LockSet,
    accounts: Vec<Account>,
    known: Vec<StoredRecord>,
) -> sqlx::Result<Loaded> {
    let (known, holds) = (decided(known)?, holds_in_tx(tx, set).await?);
    let originals = set.original_ids();
    let reversed = match originals.is_empty() {
        true => vec![],
        false => holds::repo::reversed_in_tx(tx, &originals).await?,
    };
    // Most accounts have no monitors.
    let monitored = accounts.iter().filter(|account| account.monitored);
    let monitored: Vec<Uuid> = monitored.map(|account| account.id.uuid()).collect();
    let monitors = match monitored.is_empty() {
        true => BTreeMap::new(),
        false => balance_monitors::repo::read_in_tx(tx, &monitored).await?,
    };
    Ok(Loaded { accounts, known, holds, reversed, monitors, ..Loaded::default() })
}

async fn holds_in_tx(tx: &mut Tx<'_>, set: &LockSet) -> sqlx::Result<Vec<Hold>> {
    match set.hold_ids() {
        [] => Ok(vec![]),
        ids => holds::repo::read_in_tx(tx, ids).await,
    }
}

fn decided(records: Vec<StoredRecord>) -> sqlx::Result<Vec<Decided>> {
    let decided = records.into_iter().map(stored_record::decided);
    decided.collect::<Result<_, _>>().map_err(undecodable)
}

/// Counts the outcomes of a session for the metrics, and logs the rejections.
pub(crate) fn count_outcomes(state: &PostingState) {
    let (mut posted, mut held, mut released, mut rejected) = (0_u64, 0_u64, 0_u64, 0_u64);
    for decided in state.decided() {
        match &decided.record.outcome {
            InstructionOutcome::Posted(_) => posted += 1,
            InstructionOutcome::Held(_) => held += 1,
            InstructionOutcome::Released(_) => released += 1,
            InstructionOutcome::Rejected(rejection) => {
                rejected += 1;
                info!(transfer.id = %decided.record.instruction.transfer_id,
                    reason = rejection.reason.as_str(), "rejected instruction");
            }
        }
    }
    for (outcome, count) in
        [("posted", posted), ("held", held), ("released", released), ("rejected", rejected)]
    {
        counter!("ledger_transfers_total", "outcome" => outcome).increment(count);
    }
}
