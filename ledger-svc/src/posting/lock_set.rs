//! The lock set: all that a posting transaction names. Promise: every account, hold and transfer
//! that the transaction's instructions can touch is in the set before anything is locked, or is
//! added by the set's own holds and transfers.

use std::collections::{BTreeMap, BTreeSet};

use shared_events::{AccountId, Currency, TransferId, ledger::AccountCode};
use uuid::Uuid;

use super::{outcome::PostedLeg, party::Party};
use crate::{accounts::Account, holds::Hold};

/// The accounts, holds and transfers that a transaction names.
#[derive(Debug, Default)]
pub(crate) struct LockSet {
    accounts: BTreeSet<Uuid>,
    internal: BTreeMap<Uuid, (AccountCode, Currency)>,
    instructions: Vec<Uuid>,
    holds: Vec<Uuid>,
    originals: BTreeSet<Uuid>,
}

impl LockSet {
    /// Adds an account.
    pub(crate) fn account(&mut self, id: AccountId) {
        self.accounts.insert(id.uuid());
    }

    /// Adds the account of a party.
    pub(crate) fn party(&mut self, party: &Party, currency: Currency) {
        let Some(id) = party.account_id(currency) else { return };
        self.accounts.insert(id.uuid());
        if let Party::Code(code) = party {
            self.internal.entry(id.uuid()).or_insert_with(|| (code.clone(), currency));
        }
    }

    /// Adds an id under which an instruction may have been decided.
    pub(crate) fn id(&mut self, id: TransferId) {
        self.instructions.push(id.uuid());
    }

    /// Adds a hold, and with it the accounts of the hold.
    pub(crate) fn hold(&mut self, id: TransferId) {
        self.holds.push(id.uuid());
    }

    /// Adds a posted transfer, and with it the accounts of the transfer.
    pub(crate) fn original(&mut self, id: TransferId) {
        self.originals.insert(id.uuid());
    }

    /// Whether the set names holds or transfers, whose accounts are not known yet.
    pub(super) fn has_references(&self) -> bool {
        !self.holds.is_empty() || !self.originals.is_empty()
    }

    /// Adds the accounts of loaded holds and transfers, and says whether any is new. Which accounts
    /// these are never changes.
    pub(super) fn add_referenced<'a>(
        &mut self,
        holds: &[Hold],
        transfers: impl Iterator<Item = (TransferId, &'a [PostedLeg])>,
    ) -> bool {
        let before = self.accounts.len();
        for hold in holds {
            self.account(hold.debtor);
            self.account(hold.creditor);
        }
        for (id, legs) in transfers {
            if self.originals.contains(&id.uuid()) {
                legs.iter().for_each(|leg| self.account(leg.account.account_id));
            }
        }
        self.accounts.len() > before
    }

    /// The ids of the accounts, in their order.
    pub(super) fn account_ids(&self) -> Vec<Uuid> {
        self.accounts.iter().copied().collect()
    }

    /// The ids of the holds.
    pub(super) fn hold_ids(&self) -> &[Uuid] {
        &self.holds
    }

    /// The ids of the transfers that are to be reversed, in their order.
    pub(super) fn original_ids(&self) -> Vec<Uuid> {
        self.originals.iter().copied().collect()
    }

    /// The ids of the instructions that may have been decided before.
    pub(super) fn decided_ids(&self) -> Vec<Uuid> {
        self.instructions.iter().chain(&self.originals).copied().collect()
    }

    /// The internal accounts of the set that are not among these.
    pub(super) fn unopened(&self, there: &[Account]) -> BTreeMap<Uuid, &(AccountCode, Currency)> {
        let there: BTreeSet<Uuid> = there.iter().map(|account| account.id.uuid()).collect();
        let unopened = self.internal.iter().filter(|(id, _)| !there.contains(id));
        unopened.map(|(id, internal)| (*id, internal)).collect()
    }

    /// Whether an account is the one that the set names. The ids of internal accounts follow from
    /// their codes, so anybody can know them: an account that a client has opened under such an id
    /// is a customer's account, and no internal posting goes there.
    pub(super) fn is_meant(&self, account: &Account) -> bool {
        let internal = self.internal.get(&account.id.uuid());
        internal.is_none_or(|(code, _)| account.code.as_ref() == Some(code))
    }
}
