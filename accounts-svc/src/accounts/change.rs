//! A change of one account, and the decision about a command. Promise: every change counts the
//! version up by one.

use shared_events::{AccountId, Amount};

use super::{
    entity::{Account, AccountStatus, Blocks, CloseRefusal},
    lifecycle::Step,
    refusal::Refusal,
};
use crate::holders::Holder;

/// An account after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountChange {
    pub(crate) account: Account,
    pub(crate) kind: ChangeKind,
}

/// The kind of a change, with the facts that the account itself does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Opened,
    Activated,
    Frozen { reason: String, previous_blocks: Option<Blocks> },
    Unfrozen,
    Closing { payout: Option<AccountId> },
    Closed,
    CloseRefused { reason: CloseRefusal, balance: Amount },
    LimitsChanged,
    HolderUpdated,
    Erased,
}

impl AccountChange {
    /// The account, where its holder's data are erased.
    pub(super) fn erased(&self) -> Option<AccountId> {
        (self.kind == ChangeKind::Erased).then_some(self.account.id)
    }
}

/// The decision about a command.
pub(crate) type Decision = Result<AccountChange, Refusal>;

/// The account one step further in its life, its version counted up.
pub(super) fn advance(account: &Account, step: Step, kind: ChangeKind) -> Decision {
    let (status, blocks) = step.from((account.status, account.blocks))?;
    let closing_version = account.closing_version.filter(|_| status == AccountStatus::Closing);
    let version = account.version + 1;
    let account = Account { status, blocks, closing_version, version, ..account.clone() };
    Ok(AccountChange { account, kind })
}

/// The account with another holder.
pub(super) fn update_holder(account: &Account, holder: &Holder) -> Decision {
    let mut change = advance(account, Step::UpdateHolder, ChangeKind::HolderUpdated)?;
    change.account.holder = holder.clone();
    Ok(change)
}

#[cfg(test)]
mod tests;
