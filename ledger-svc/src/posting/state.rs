//! The state of one posting transaction: the accounts that it has locked, with all that the
//! instructions name. Promise: nothing is read while instructions are decided, so a batch leaves
//! the same state as its commands one by one; exactly the values that changed are stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use shared_events::{AccountId, TransferId};

use super::{
    outcome::{Posted, PostedLeg},
    record::Decided,
    texts::Salts,
    tracked::{Saved, Tracked},
    view::PostingView,
};
use crate::{
    accounts::Account,
    balance_monitors::{self, Monitor, MonitorRaised},
    holds::Hold,
};

/// The values before a group, which return if the group fails.
#[derive(Clone, Debug, Default)]
struct BeforeGroup {
    accounts: HashMap<AccountId, Saved<Account>>,
    holds: HashMap<TransferId, Saved<Hold>>,
    reversed: HashMap<TransferId, Saved<Decimal>>,
    monitors: HashMap<AccountId, Saved<Vec<Monitor>>>,
}

/// The state of one posting transaction.
#[derive(Clone, Debug)]
pub struct PostingState {
    accounts: Tracked<AccountId, Account>,
    /// The accounts whose status or limits have changed.
    terms_changed: BTreeSet<AccountId>,
    holds: Tracked<TransferId, Hold>,
    reversed: Tracked<TransferId, Decimal>,
    monitors: Tracked<AccountId, Vec<Monitor>>,
    raised: HashMap<TransferId, Vec<MonitorRaised>>,
    known: HashMap<TransferId, Decided>,
    decided: Vec<TransferId>,
    salts: Salts,
    before_group: Option<BeforeGroup>,
}

/// The values that a posting transaction loads.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The accounts, locked.
    pub accounts: Vec<Account>,
    /// The earlier decisions under the ids of the batch, and of transfers that are to be reversed.
    pub known: Vec<Decided>,
    /// The holds that the batch names.
    pub holds: Vec<Hold>,
    /// The reversed amounts of the transfers that are to be reversed.
    pub reversed: Vec<(TransferId, Decimal)>,
    /// The monitors of the accounts that have any.
    pub monitors: BTreeMap<AccountId, Vec<Monitor>>,
    /// The salts of the commitments to texts; those of a preview are stored nowhere.
    pub salts: Salts,
}

impl Loaded {
    /// The loaded transfers with their legs.
    pub(super) fn transfers(&self) -> impl Iterator<Item = (TransferId, &[PostedLeg])> {
        let records = self.known.iter().map(|known| &known.record);
        records.map(|record| (record.instruction.transfer_id, record.posted_legs()))
    }
}

impl PostingState {
    /// The state at the beginning of the transaction.
    #[must_use]
    pub fn new(loaded: Loaded) -> Self {
        let accounts = loaded.accounts.into_iter().map(|account| (account.id, account));
        let holds = loaded.holds.into_iter().map(|hold| (hold.id, hold));
        let known = loaded.known.into_iter();
        Self {
            accounts: Tracked::loaded(accounts),
            terms_changed: BTreeSet::new(),
            holds: Tracked::loaded(holds),
            reversed: Tracked::loaded(loaded.reversed),
            monitors: Tracked::loaded(loaded.monitors),
            raised: HashMap::new(),
            known: known.map(|known| (known.record.instruction.transfer_id, known)).collect(),
            decided: Vec::new(),
            salts: loaded.salts,
            before_group: None,
        }
    }

    /// An account, if the transaction has locked it.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// A hold, if the transaction has loaded it.
    #[must_use]
    pub fn hold(&self, id: TransferId) -> Option<&Hold> {
        self.holds.get(id)
    }

    /// The reversed amount of a transfer.
    #[must_use]
    pub fn reversed(&self, id: TransferId) -> Decimal {
        self.reversed.get(id).copied().unwrap_or_default()
    }

    /// The decision under an id, made before or now.
    #[must_use]
    pub fn known(&self, id: TransferId) -> Option<&Decided> {
        self.known.get(&id)
    }

    /// The monitors that a transfer has raised, in the order of its legs.
    #[must_use]
    pub fn raised(&self, id: TransferId) -> &[MonitorRaised] {
        self.raised.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Puts an account after a posting or a hold.
    ///
    /// # Panics
    /// If the version does not grow by one: a reader would miss a change, or read it twice.
    pub(super) fn put_posted(&mut self, account: Account) {
        let before = self.account(account.id).map(|known| known.version);
        let next = account.version.checked_sub(1);
        assert_eq!(before, next, "the version of account {} grows by one", account.id);
        self.put_account(account);
    }

    /// Puts an account whose status or limits have changed.
    pub(crate) fn put_terms(&mut self, account: Account) {
        self.terms_changed.insert(account.id);
        self.put_account(account);
    }

    fn put_account(&mut self, account: Account) {
        let id = account.id;
        if let Some(before) = &mut self.before_group {
            before.accounts.entry(id).or_insert_with(|| self.accounts.saved(id));
        }
        self.accounts.put(id, account);
    }

    /// Puts a hold.
    pub(super) fn put_hold(&mut self, hold: Hold) {
        let id = hold.id;
        if let Some(before) = &mut self.before_group {
            before.holds.entry(id).or_insert_with(|| self.holds.saved(id));
        }
        self.holds.put(id, hold);
    }

    /// Puts the reversed amount of a transfer.
    pub(super) fn put_reversed(&mut self, id: TransferId, amount: Decimal) {
        if let Some(before) = &mut self.before_group {
            before.reversed.entry(id).or_insert_with(|| self.reversed.saved(id));
        }
        self.reversed.put(id, amount);
    }

    /// Updates the monitors of the accounts of a posting.
    pub(super) fn observe(&mut self, transfer_id: TransferId, posted: &Posted) {
        for leg in &posted.legs {
            let account = leg.account.account_id;
            let Some(before) = self.monitors.get(account) else { continue };
            let mut monitors = before.clone();
            let (balance, version) = (leg.account.balance, leg.account.version);
            let raised = balance_monitors::observe(&mut monitors, transfer_id, balance, version);
            if monitors != *before {
                if let Some(before) = &mut self.before_group {
                    let saved = || self.monitors.saved(account);
                    before.monitors.entry(account).or_insert_with(saved);
                }
                self.monitors.put(account, monitors);
            }
            if !raised.is_empty() {
                self.raised.entry(transfer_id).or_default().extend(raised);
            }
        }
    }

    /// The salts of this transaction's records.
    pub(super) const fn salts(&self) -> &Salts {
        &self.salts
    }

    /// Puts a decision, to be stored.
    pub(super) fn put_decided(&mut self, decided: Decided) {
        self.decided.push(decided.record.instruction.transfer_id);
        self.reinstate_decided(decided);
    }

    /// Puts a decision again that was forgotten, at its old place among the decisions.
    pub(super) fn reinstate_decided(&mut self, decided: Decided) {
        let id = decided.record.instruction.transfer_id;
        let other = self.known.insert(id, decided);
        assert!(other.is_none(), "instruction {id} has one outcome");
    }

    /// Forgets a decision of a group that failed.
    pub(super) fn forget_decided(&mut self, id: TransferId) -> Option<Decided> {
        self.raised.remove(&id);
        self.known.remove(&id)
    }

    /// Begins a group: every value that changes is saved.
    pub(super) fn begin_group(&mut self) {
        self.before_group = Some(BeforeGroup::default());
    }

    /// Ends a group that has succeeded.
    pub(super) fn keep_group(&mut self) {
        self.before_group = None;
    }

    /// Ends a group that has failed: every value is as it was before.
    pub(super) fn undo_group(&mut self) {
        let Some(before) = self.before_group.take() else { return };
        before.accounts.into_iter().for_each(|(id, saved)| self.accounts.restore(id, saved));
        before.holds.into_iter().for_each(|(id, saved)| self.holds.restore(id, saved));
        before.reversed.into_iter().for_each(|(id, saved)| self.reversed.restore(id, saved));
        before.monitors.into_iter().for_each(|(id, saved)| self.monitors.restore(id, saved));
    }

    /// The decisions of this transaction, in their order.
    pub fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.decided.iter().filter_map(|id| self.known.get(id))
    }

    /// The accounts that are new, in the order of their ids.
    pub fn opened(&self) -> impl Iterator<Item = &Account> {
        self.accounts.touched(true).map(|(_, account)| account)
    }

    /// The accounts that were there and have changed, in the order of their ids.
    pub fn changed(&self) -> impl Iterator<Item = &Account> {
        self.accounts.touched(false).map(|(_, account)| account)
    }

    /// The accounts whose status or limits have changed, in the order of their ids.
    pub fn terms_changed(&self) -> impl Iterator<Item = &Account> {
        self.terms_changed.iter().filter_map(|id| self.account(*id))
    }

    /// The holds that are new or have changed, in the order of their ids.
    pub fn changed_holds(&self) -> impl Iterator<Item = &Hold> {
        let all = self.holds.touched(true).chain(self.holds.touched(false));
        all.map(|(_, hold)| hold)
    }

    /// The transfers of which more was reversed, with the sums, in the order of their ids.
    pub fn changed_reversed(&self) -> impl Iterator<Item = (TransferId, Decimal)> {
        let all = self.reversed.touched(true).chain(self.reversed.touched(false));
        all.map(|(id, amount)| (id, *amount))
    }

    /// The monitors of accounts of which a posting has changed any.
    pub fn changed_monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.monitors.touched(false).flat_map(|(_, monitors)| monitors)
    }
}

impl PostingView for PostingState {
    fn account(&self, id: AccountId) -> Option<&Account> {
        self.account(id)
    }

    fn hold(&self, id: TransferId) -> Option<&Hold> {
        self.hold(id)
    }

    fn reversed(&self, id: TransferId) -> Decimal {
        self.reversed(id)
    }

    fn posted(&self, id: TransferId) -> Option<&Posted> {
        self.known(id)?.record.outcome.posted()
    }
}
