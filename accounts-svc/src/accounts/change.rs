//! One command or event, one account: how it changes, or why not.
//!
//! A command is checked in this order: is there such an account, are its fields right, does the
//! account's status allow it.

use shared_events::{
    AccountId, Amount, Iban,
    accounts::{
        Account, AccountStatus, Blocks, ChangeLimits, CloseAccount, CloseRefusal, FreezeAccount,
        OpenAccount, SetLimits, SpendingLimit, SpendingLimits, UnfreezeAccount, UpdateHolder,
    },
    ledger::LedgerAccountEvent,
};

use super::{lifecycle::Step, refusal::Refusal};
use crate::holders::rules;

/// What happened to an account, beyond what the account itself shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Activated,
    Frozen { reason: String, previous_blocks: Option<Blocks> },
    Unfrozen,
    Closing { payout: Option<AccountId> },
    Closed,
    CloseRefused { reason: CloseRefusal, balance: Amount },
    LimitsChanged,
    HolderUpdated,
}

/// An account after a change, its version counted up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) account: Account,
    pub(crate) change: Change,
}

/// What becomes of a command.
pub(crate) type Decision = Result<Changed, Refusal>;

/// The account that the command asks for, once its fields are known to be right.
pub(super) fn open(command: &OpenAccount, iban: Iban) -> Changed {
    let account = Account {
        account_id: command.account_id,
        iban,
        holder: command.holder.clone(),
        product: command.product.clone(),
        currency: command.currency,
        overdraft_limit: command.overdraft_limit,
        spending: None,
        blocks: None,
        external_reference: command.external_reference.clone(),
        status: AccountStatus::Pending,
        closing_version: None,
        version: 1,
    };
    Changed { account, change: Change::Opened }
}

/// The last freeze holds, whatever the one before refused: an officer widens or narrows it without
/// a gap in which money moves. One that changes nothing but the reason is kept for the file.
pub(super) fn freeze(account: &Account, command: &FreezeAccount) -> Decision {
    rules::reason(&command.reason)?;
    let (reason, previous_blocks) = (command.reason.clone(), account.blocks);
    let change = Change::Frozen { reason, previous_blocks };
    take(account, Step::Freeze(command.blocks), change)
}

pub(super) fn unfreeze(account: &Account, _: &UnfreezeAccount) -> Decision {
    take(account, Step::Unfreeze, Change::Unfrozen)
}

/// Whether the payout account can be paid, only the ledger knows.
pub(super) fn close(account: &Account, command: &CloseAccount) -> Decision {
    rules::payout(command)?;
    let change = Change::Closing { payout: command.payout };
    let mut changed = take(account, Step::BeginClosing, change)?;
    changed.account.closing_version = Some(changed.account.version);
    Ok(changed)
}

pub(super) fn set_limits(account: &Account, command: &SetLimits) -> Decision {
    rules::overdraft_limit(command.overdraft_limit, account.currency)?;
    let spending = match command.spending {
        Some(spending) => spending,
        None => account.spending.unwrap_or_default(),
    };
    rules::spending(&spending, account.currency)?;
    limited(account, command.overdraft_limit, spending)
}

/// What is neither given nor lifted stays.
pub(super) fn change_limits(account: &Account, command: &ChangeLimits) -> Decision {
    rules::lifted(command)?;
    let overdraft = command.overdraft_limit.unwrap_or(account.overdraft_limit);
    rules::overdraft_limit(overdraft, account.currency)?;
    let given = SpendingLimits {
        transfer: command.transfer,
        daily: command.daily,
        monthly: command.monthly,
        minimum_balance: command.minimum_balance,
    };
    rules::changed_spending(&given, account.currency)?;
    let before = account.spending.unwrap_or_default();
    let after = |limit, given: Option<Amount>, before| match command.lift.contains(&limit) {
        true => None,
        false => given.or(before),
    };
    let spending = SpendingLimits {
        transfer: after(SpendingLimit::Transfer, given.transfer, before.transfer),
        daily: after(SpendingLimit::Daily, given.daily, before.daily),
        monthly: after(SpendingLimit::Monthly, given.monthly, before.monthly),
        minimum_balance: after(
            SpendingLimit::MinimumBalance,
            given.minimum_balance,
            before.minimum_balance,
        ),
    };
    limited(account, overdraft, spending)
}

fn limited(account: &Account, overdraft: Amount, spending: SpendingLimits) -> Decision {
    let mut changed = take(account, Step::SetLimits, Change::LimitsChanged)?;
    changed.account.overdraft_limit = overdraft;
    changed.account.spending = Some(spending).filter(|it| *it != SpendingLimits::default());
    Ok(changed)
}

pub(super) fn update_holder(account: &Account, command: &UpdateHolder) -> Decision {
    rules::holder(&command.holder)?;
    let mut changed = take(account, Step::UpdateHolder, Change::HolderUpdated)?;
    changed.account.holder = command.holder.clone();
    Ok(changed)
}

/// The ledger's half of opening or closing. `None` where the account has moved on.
pub(super) fn follow(account: &Account, event: &LedgerAccountEvent) -> Option<Changed> {
    let (step, change) = match event {
        LedgerAccountEvent::Opened(_) => (Step::Activate, Change::Activated),
        LedgerAccountEvent::Locked(locked) if is_answer(account, locked.closing_version) => {
            (Step::Close, Change::Closed)
        }
        LedgerAccountEvent::CloseRefused(refused)
            if is_answer(account, refused.closing_version) =>
        {
            let (reason, balance) = (refused.reason, refused.balance);
            (Step::GiveUpClosing, Change::CloseRefused { reason, balance })
        }
        LedgerAccountEvent::Locked(_) | LedgerAccountEvent::CloseRefused(_) => return None,
    };
    take(account, step, change).ok()
}

/// Whether the ledger answers this closing, and not a closing before it: late once more. Ledgers
/// of before did not say which.
fn is_answer(account: &Account, closing_version: Option<i64>) -> bool {
    match (account.closing_version, closing_version) {
        (Some(asked), Some(answered)) => answered >= asked,
        (None, _) | (_, None) => true,
    }
}

fn take(account: &Account, step: Step, change: Change) -> Decision {
    let (status, blocks) = step.from((account.status, account.blocks))?;
    let closing_version = account.closing_version.filter(|_| status == AccountStatus::Closing);
    let version = account.version + 1;
    let account = Account { status, blocks, closing_version, version, ..account.clone() };
    Ok(Changed { account, change })
}

#[cfg(test)]
mod tests;
