//! The accounts of one batch. Promise: each command sees what those before it did, so a batch
//! decides and leaves what the same commands do one by one.

use std::collections::{BTreeMap, HashSet};

use shared_events::{
    AccountId, Iban,
    accounts::{Account, AccountsCommand, OpenAccount},
    ledger::LedgerAccountEvent,
};

use super::{
    change::{self, Changed, Decision},
    refusal::Refusal,
};
use crate::holders::rules;

/// The account that a command names.
pub(crate) const fn account_of(command: &AccountsCommand) -> AccountId {
    match command {
        AccountsCommand::Open(it) => it.account_id,
        AccountsCommand::Freeze(it) => it.account_id,
        AccountsCommand::Unfreeze(it) => it.account_id,
        AccountsCommand::Close(it) => it.account_id,
        AccountsCommand::SetLimits(it) => it.account_id,
        AccountsCommand::ChangeLimits(it) => it.account_id,
        AccountsCommand::UpdateHolder(it) => it.account_id,
    }
}

/// The account that an event of the ledger is about.
pub(crate) const fn followed_by(event: &LedgerAccountEvent) -> AccountId {
    match event {
        LedgerAccountEvent::Opened(it) => it.account_id,
        LedgerAccountEvent::Locked(it) => it.account_id,
        LedgerAccountEvent::CloseRefused(it) => it.account_id,
    }
}

/// Which of the commands that open accounts are refused, in their order. What else stands in a
/// batch decides nothing here: ids and references are never given back. So a serial number is drawn
/// for those alone that are not refused, and refusals cannot use the numbers up.
pub(crate) fn openings<'c>(
    commands: impl IntoIterator<Item = &'c OpenAccount>,
    accounts: &[Account],
    taken_references: Vec<String>,
) -> Vec<Result<(), Refusal>> {
    let mut ids: HashSet<AccountId> = accounts.iter().map(|account| account.account_id).collect();
    let mut references: HashSet<String> = taken_references.into_iter().collect();
    let check = |command: &OpenAccount| {
        rules::open(command)?;
        if ids.contains(&command.account_id) {
            return Err(Refusal::AccountExists(command.account_id));
        }
        if let Some(reference) = &command.external_reference
            && !references.insert(reference.clone())
        {
            return Err(Refusal::ExternalReferenceTaken(reference.clone()));
        }
        ids.insert(command.account_id);
        Ok(())
    };
    commands.into_iter().map(check).collect()
}

/// What an event of the ledger leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Changed(Box<Changed>),
    /// The account has moved on: a duplicate that came late.
    Ignored,
    /// No such account here, or not yet.
    Unknown,
}

/// How an account in memory differs from the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    None,
    Changed,
    New,
}

/// Accounts, and what was done to them since they were loaded.
#[derive(Debug)]
pub(crate) struct Book {
    accounts: BTreeMap<AccountId, (Account, Difference)>,
    openings: std::vec::IntoIter<Result<Iban, Refusal>>,
}

impl Book {
    /// A book of these accounts. `openings` has, for each command that opens an account in their
    /// order, the new account's IBAN, or why [`openings`] refuses the command.
    pub(crate) fn new(accounts: Vec<Account>, openings: Vec<Result<Iban, Refusal>>) -> Self {
        let entry = |account: Account| (account.account_id, (account, Difference::None));
        Self { accounts: accounts.into_iter().map(entry).collect(), openings: openings.into_iter() }
    }

    /// Decides a command, and takes the change in.
    pub(crate) fn decide(&mut self, command: &AccountsCommand) -> Decision {
        let changed = match command {
            AccountsCommand::Open(it) => self.open(it),
            AccountsCommand::Freeze(it) => change::freeze(self.known(it.account_id)?, it),
            AccountsCommand::Unfreeze(it) => change::unfreeze(self.known(it.account_id)?, it),
            AccountsCommand::Close(it) => change::close(self.known(it.account_id)?, it),
            AccountsCommand::SetLimits(it) => change::set_limits(self.known(it.account_id)?, it),
            AccountsCommand::ChangeLimits(it) => {
                change::change_limits(self.known(it.account_id)?, it)
            }
            AccountsCommand::UpdateHolder(it) => {
                change::update_holder(self.known(it.account_id)?, it)
            }
        }?;
        self.take_in(&changed);
        Ok(changed)
    }

    /// Follows an event of the ledger, and takes the change in.
    pub(crate) fn follow(&mut self, event: &LedgerAccountEvent) -> Reaction {
        let Some((account, _)) = self.accounts.get(&followed_by(event)) else {
            return Reaction::Unknown;
        };
        match change::follow(account, event) {
            Some(changed) => {
                self.take_in(&changed);
                Reaction::Changed(changed.into())
            }
            None => Reaction::Ignored,
        }
    }

    /// Accounts that are not stored yet, as they are now, in the order of their ids.
    pub(crate) fn new_accounts(&self) -> Vec<&Account> {
        self.that_are(Difference::New)
    }

    /// Stored accounts that differ from what is stored, in the order of their ids.
    pub(crate) fn changed_accounts(&self) -> Vec<&Account> {
        self.that_are(Difference::Changed)
    }

    fn that_are(&self, difference: Difference) -> Vec<&Account> {
        let entries = self.accounts.values().filter(|entry| entry.1 == difference);
        entries.map(|(account, _)| account).collect()
    }

    fn known(&self, id: AccountId) -> Result<&Account, Refusal> {
        let found = self.accounts.get(&id).map(|(account, _)| account);
        found.ok_or(Refusal::UnknownAccount(id))
    }

    fn open(&mut self, command: &OpenAccount) -> Decision {
        let opening = self.openings.next().expect("each command that opens one was looked at");
        Ok(change::open(command, opening?))
    }

    fn take_in(&mut self, changed: &Changed) {
        let account = changed.account.clone();
        let difference = match self.accounts.get(&account.account_id) {
            None | Some((_, Difference::New)) => Difference::New,
            Some((_, Difference::None | Difference::Changed)) => Difference::Changed,
        };
        self.accounts.insert(account.account_id, (account, difference));
    }
}

#[cfg(test)]
mod tests;
