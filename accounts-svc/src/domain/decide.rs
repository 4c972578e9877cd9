//! One command or event, one account: how it changes, or why not.
//!
//! A command is checked in this order: is there such an account, are its fields right, does the
//! account's status allow it.

use shared_events::{
    AccountId, Amount, Iban,
    accounts::{
        Account, AccountStatus, ChangeLimits, CloseAccount, CloseRefusal, FreezeAccount,
        OpenAccount, SetLimits, SpendingLimit, SpendingLimits, UnfreezeAccount, UpdateHolder,
    },
    ledger::LedgerAccountEvent,
};

use super::{lifecycle::Step, refusal::Refusal, rules};

/// What happened to an account, beyond what the account itself shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Activated,
    Frozen { reason: String },
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
        version: 1,
    };
    Changed { account, change: Change::Opened }
}

pub(super) fn freeze(account: &Account, command: &FreezeAccount) -> Decision {
    rules::reason(&command.reason)?;
    let reason = command.reason.clone();
    let mut changed = take(account, Step::Freeze, Change::Frozen { reason })?;
    changed.account.blocks = Some(command.blocks);
    Ok(changed)
}

pub(super) fn unfreeze(account: &Account, _: &UnfreezeAccount) -> Decision {
    let mut changed = take(account, Step::Unfreeze, Change::Unfrozen)?;
    changed.account.blocks = None;
    Ok(changed)
}

/// Whether the payout account can be paid, only the ledger knows.
pub(super) fn close(account: &Account, command: &CloseAccount) -> Decision {
    rules::payout(command)?;
    take(account, Step::BeginClosing, Change::Closing { payout: command.payout })
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

/// The ledger's half of opening or closing. Refused where the account has moved on.
pub(super) fn follow(account: &Account, event: &LedgerAccountEvent) -> Decision {
    match event {
        LedgerAccountEvent::Opened(_) => take(account, Step::Activate, Change::Activated),
        LedgerAccountEvent::Locked(_) => take(account, Step::Close, Change::Closed),
        LedgerAccountEvent::CloseRefused(it) => {
            let change = Change::CloseRefused { reason: it.reason, balance: it.balance };
            take(account, Step::GiveUpClosing, change)
        }
    }
}

fn take(account: &Account, step: Step, change: Change) -> Decision {
    let status = step.from(account.status)?;
    let account = Account { status, version: account.version + 1, ..account.clone() };
    Ok(Changed { account, change })
}

#[cfg(test)]
mod tests;
