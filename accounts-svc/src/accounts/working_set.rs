//! The accounts of one batch, in memory. Promise: each request sees the changes of those before it,
//! so that a batch decides and stores the same as its requests one by one.

use std::collections::{BTreeMap, BTreeSet};

use shared_events::{
    AccountId, Iban,
    access::{Act, Rights, Verdict},
};

use super::{
    change::{self, AccountChange, Decision},
    closing,
    entity::Account,
    erasing, freezing, opening,
    opening::CheckedOpening,
    refusal::Refusal,
    request::{AccountRequest, ChangeRequest, LedgerAnswer, LedgerDecision},
};
use crate::fields::InvalidField;

/// The effect of a ledger's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LedgerReaction {
    Changed(Box<AccountChange>),
    /// The account has moved on: the answer is a duplicate, or late.
    Outdated,
    /// The account is not known here, or not yet.
    UnknownAccount,
}

impl LedgerReaction {
    /// The change, where there is one.
    pub(super) const fn change(&self) -> Option<&AccountChange> {
        match self {
            Self::Changed(change) => Some(change),
            Self::Outdated | Self::UnknownAccount => None,
        }
    }
}

/// The difference between an account in memory and the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    None,
    Changed,
    New,
}

/// The loaded accounts with all changes since.
#[derive(Debug)]
pub(crate) struct WorkingSet {
    accounts: BTreeMap<AccountId, (Account, Difference)>,
    openings: std::vec::IntoIter<Result<Iban, Refusal>>,
    erasable: BTreeSet<AccountId>,
}

impl WorkingSet {
    /// A working set of these accounts. `openings` has, for each request that opens an account in
    /// their order, the new account's IBAN, or the refusal by [`opening::admit`].
    pub(crate) fn new(accounts: Vec<Account>, openings: Vec<Result<Iban, Refusal>>) -> Self {
        let entry = |account: Account| (account.id, (account, Difference::None));
        let accounts = accounts.into_iter().map(entry).collect();
        Self { accounts, openings: openings.into_iter(), erasable: BTreeSet::new() }
    }

    /// The same working set, with the accounts that have been closed for long enough to be erased.
    pub(crate) fn with_erasable(self, erasable: impl IntoIterator<Item = AccountId>) -> Self {
        Self { erasable: erasable.into_iter().collect(), ..self }
    }

    /// Decides a request and applies the change. The order of checks: the account exists, the
    /// sender has a right for its branch, the fields keep the rules, the status allows the step.
    pub(crate) fn decide(&mut self, request: &AccountRequest, rights: &Rights) -> Decision {
        let change = match request {
            AccountRequest::Open { opening, .. } => self.open(opening),
            AccountRequest::Change { account_id, change } => {
                self.change(*account_id, change, rights)
            }
        }?;
        self.apply(&change);
        Ok(change)
    }

    /// Follows an answer of the ledger and applies the change.
    pub(crate) fn follow(&mut self, answer: &LedgerAnswer) -> LedgerReaction {
        let Some((account, _)) = self.accounts.get(&answer.account_id) else {
            return LedgerReaction::UnknownAccount;
        };
        let change = match &answer.content {
            LedgerDecision::Opened => opening::activate(account).ok(),
            LedgerDecision::Locked { closing_version } => closing::close(account, *closing_version),
            LedgerDecision::CloseRefused { reason, balance, closing_version } => {
                closing::give_up(account, *closing_version, reason.clone(), *balance)
            }
        };
        match change {
            Some(change) => {
                self.apply(&change);
                LedgerReaction::Changed(change.into())
            }
            None => LedgerReaction::Outdated,
        }
    }

    /// Accounts that are not stored yet, in the order of their ids.
    pub(crate) fn new_accounts(&self) -> Vec<&Account> {
        self.accounts_with(Difference::New)
    }

    /// Stored accounts that have changed, in the order of their ids.
    pub(crate) fn changed_accounts(&self) -> Vec<&Account> {
        self.accounts_with(Difference::Changed)
    }

    fn accounts_with(&self, difference: Difference) -> Vec<&Account> {
        let entries = self.accounts.values().filter(|entry| entry.1 == difference);
        entries.map(|(account, _)| account).collect()
    }

    fn open(&mut self, opening: &CheckedOpening) -> Decision {
        let iban = self.openings.next().expect("the caller has admitted or refused each opening");
        let opening = opening.as_ref().map_err(Clone::clone)?;
        Ok(opening.open(iban?))
    }

    fn change(
        &self,
        account_id: AccountId,
        request: &Result<ChangeRequest, InvalidField>,
        rights: &Rights,
    ) -> Decision {
        let found = self.accounts.get(&account_id).map(|(account, _)| account);
        let account = found.ok_or(Refusal::UnknownAccount(account_id))?;
        let of_branch = rights.judge(&Act::OnBranch(&account.branch));
        if of_branch == Verdict::NotPermitted {
            return Err(Refusal::NotPermitted(account.branch.clone()));
        }
        let request = request.as_ref().map_err(Clone::clone)?;
        let debit = match request {
            ChangeRequest::Close(closing) => closing.debit(account).map(Act::Debit),
            _ => None,
        };
        let acts = [Act::OnBranch(&account.branch)].into_iter().chain(debit);
        let change = self.changed(account, request);
        // A command that is refused anyway needs no approval.
        match rights.judge_all(acts) {
            Verdict::Permitted => change,
            Verdict::NeedsApproval(needs) => change.and(Err(Refusal::NeedsApproval(needs))),
            Verdict::NotPermitted => Err(Refusal::PayoutNotPermitted),
        }
    }

    fn changed(&self, account: &Account, request: &ChangeRequest) -> Decision {
        match request {
            ChangeRequest::Freeze(freeze) => freeze.freeze(account),
            ChangeRequest::Unfreeze => freezing::unfreeze(account),
            ChangeRequest::Close(closing) => closing.begin(account),
            ChangeRequest::SetLimits(limits) => limits.set(account),
            ChangeRequest::ChangeLimits(limits) => limits.apply(account),
            ChangeRequest::UpdateHolder(holder) => change::update_holder(account, holder),
            ChangeRequest::Erase => erasing::erase(account, self.erasable.contains(&account.id)),
        }
    }

    fn apply(&mut self, change: &AccountChange) {
        let account = change.account.clone();
        let difference = match self.accounts.get(&account.id) {
            None | Some((_, Difference::New)) => Difference::New,
            Some((_, Difference::None | Difference::Changed)) => Difference::Changed,
        };
        self.accounts.insert(account.id, (account, difference));
    }
}

#[cfg(test)]
mod tests;
