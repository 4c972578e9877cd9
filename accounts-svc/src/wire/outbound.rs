//! Outcomes as messages of the contract. Promise: every change and every refusal is one event, and
//! a page of accounts fits a message.

use shared_events::{
    AccountId, CommandId,
    access::Rights,
    accounts as contract,
    accounts::{
        AccountActivated, AccountCloseRefused, AccountClosed, AccountClosing, AccountFound,
        AccountFrozen, AccountOpened, AccountUnfrozen, AccountsCommandRejected, AccountsListed,
        AccountsReason, HolderCurrent, HolderErased, HolderUpdated, LimitsChanged, v1,
    },
    code::Open,
    messaging::{Answer, Event, Outcome},
    page::page,
    refusal::MessageRefused,
};

use crate::{
    accounts::{
        Account, AccountChange, AccountStatus, Blocks, ChangeKind, CloseRefusal, LedgerReaction,
        Refusal, SpendingLimits,
    },
    directory::AccountKey,
    fields::InvalidField,
    holders::Holder,
};

/// The event of a change.
pub(super) fn changed(AccountChange { account, kind }: &AccountChange) -> Outcome {
    let (account_id, version) = (account.id, account.version);
    match kind {
        ChangeKind::Opened => opened(account),
        ChangeKind::Activated => Outcome::announce(&AccountActivated { account_id, version }),
        ChangeKind::Frozen { reason, previous_blocks } => Outcome::announce(&AccountFrozen {
            account_id,
            reason: reason.clone(),
            blocks: account.blocks.map(blocks).unwrap_or_default(),
            previous_blocks: previous_blocks.map(blocks),
            version,
        }),
        ChangeKind::Unfrozen => Outcome::announce(&AccountUnfrozen { account_id, version }),
        ChangeKind::Closing { payout } => {
            let payout = *payout;
            Outcome::announce(&AccountClosing { account_id, payout, version })
        }
        ChangeKind::Closed => Outcome::announce(&AccountClosed { account_id, version }),
        ChangeKind::CloseRefused { reason, balance } => {
            let (reason, balance) = (close_refusal(reason), *balance);
            Outcome::announce(&AccountCloseRefused { account_id, reason, balance, version })
        }
        ChangeKind::LimitsChanged => {
            let overdraft_limit = account.overdraft_limit;
            let spending = spending_limits(account.spending_limits);
            Outcome::announce(&LimitsChanged { account_id, overdraft_limit, spending, version })
        }
        ChangeKind::HolderUpdated => {
            let old = v1::HolderUpdated { account_id, holder: holder(&account.holder), version };
            let new = HolderUpdated::from(old.clone());
            Outcome::announce_all(vec![
                Event::new(&old),
                Event::new(&new),
                Event::new(&holder_current(account)),
            ])
        }
        ChangeKind::Erased => Outcome::announce(&HolderErased { account_id, version }),
    }
}

/// The events of an opening. Readers of version 1 hear of it until that version is retired.
fn opened(account: &Account) -> Outcome {
    let old = v1::AccountOpened {
        account_id: account.id,
        iban: account.iban.clone(),
        holder: holder(&account.holder),
        product: account.product.clone(),
        currency: account.currency,
        overdraft_limit: account.overdraft_limit,
        external_reference: account.external_reference.clone(),
        branch: branch(account),
        version: account.version,
    };
    let new = AccountOpened::from(old.clone());
    Outcome::announce_all(vec![
        Event::new(&old),
        Event::new(&new),
        Event::new(&holder_current(account)),
    ])
}

fn holder_current(account: &Account) -> HolderCurrent {
    HolderCurrent {
        account_id: account.id,
        iban: account.iban.clone(),
        branch: branch(account),
        holder: holder(&account.holder),
        version: account.version,
    }
}

/// The event of a refused command.
pub(super) fn refused(
    command_id: CommandId,
    command_type: &str,
    account_id: AccountId,
    refusal: &Refusal,
) -> Outcome {
    Outcome::announce(&AccountsCommandRejected {
        command_id,
        command_type: command_type.to_owned(),
        account_id,
        reason: reason(refusal).into(),
        field: refusal.field().map(str::to_owned),
        message: refusal.to_string(),
    })
}

/// The event of a command that no grant of its sender permits.
pub(super) fn not_permitted(
    command_id: CommandId,
    command_type: &str,
    account_id: AccountId,
    why: &str,
) -> Outcome {
    Outcome::announce(&AccountsCommandRejected {
        command_id,
        command_type: command_type.to_owned(),
        account_id,
        reason: AccountsReason::NotPermitted.into(),
        field: None,
        message: why.to_owned(),
    })
}

/// The outcome of a ledger's answer: an answer for an unknown account waits for the account.
pub(super) fn reacted(account_id: AccountId, reaction: &LedgerReaction) -> Outcome {
    match reaction {
        LedgerReaction::Changed(change) => changed(change),
        LedgerReaction::Outdated => Outcome::silent(),
        LedgerReaction::UnknownAccount => {
            Outcome::Later { why: format!("account {account_id} is not known here yet") }
        }
    }
}

/// The answer to a search for one account.
pub(super) fn found(key: &AccountKey, found: Option<&Account>, rights: &Rights) -> Answer {
    match found {
        Some(found) if !rights.hold_for_branch(&found.branch) => {
            Answer::refused(&MessageRefused::not_permitted(format!("no grant is for {key}")))
        }
        Some(found) => Answer::found(&AccountFound { account: account(found) }),
        None => Answer::refused(&MessageRefused::not_found(format!("there is no {key}"))),
    }
}

/// A page of at most `limit` of these accounts. More than `limit` accounts mean a next page.
pub(super) fn listed(found: &[Account], limit: u32) -> Answer {
    Answer::found(&page_of(found, limit))
}

fn page_of(found: &[Account], limit: u32) -> AccountsListed {
    let (accounts, has_next) = page(found.iter().map(account), limit as usize);
    let next = accounts.last().filter(|_| has_next).map(|last| last.account_id);
    AccountsListed { accounts, next }
}

/// The refusal of a query whose field breaks a rule.
pub(super) fn invalid(invalid: InvalidField) -> Answer {
    Answer::refused(&MessageRefused::invalid(invalid.field, invalid.rule))
}

fn account(account: &Account) -> contract::Account {
    contract::Account {
        account_id: account.id,
        iban: account.iban.clone(),
        holder: holder(&account.holder),
        product: account.product.clone(),
        currency: account.currency,
        overdraft_limit: account.overdraft_limit,
        spending: spending_limits(account.spending_limits),
        blocks: account.blocks.map(blocks),
        external_reference: account.external_reference.clone(),
        branch: branch(account),
        status: status(account.status).into(),
        closing_version: account.closing_version,
        version: account.version,
    }
}

/// `None` for the main branch.
fn branch(account: &Account) -> Option<String> {
    Some(account.branch.clone()).filter(|branch| branch != contract::MAIN_BRANCH)
}

fn holder(holder: &Holder) -> contract::Holder {
    contract::Holder {
        name: holder.name.clone(),
        email: holder.email.clone(),
        webhook: holder.webhook.clone(),
        language: holder.language.clone(),
    }
}

/// `None` where the account has none of these limits.
fn spending_limits(limits: SpendingLimits) -> Option<contract::SpendingLimits> {
    let SpendingLimits { transfer, daily, monthly, minimum_balance } = limits;
    let is_limited = limits != SpendingLimits::default();
    is_limited.then_some(contract::SpendingLimits { transfer, daily, monthly, minimum_balance })
}

const fn blocks(blocks: Blocks) -> contract::Blocks {
    match blocks {
        Blocks::Debits => contract::Blocks::Debits,
        Blocks::Credits => contract::Blocks::Credits,
        Blocks::Both => contract::Blocks::Both,
    }
}

const fn status(status: AccountStatus) -> contract::AccountStatus {
    match status {
        AccountStatus::Pending => contract::AccountStatus::Pending,
        AccountStatus::Active => contract::AccountStatus::Active,
        AccountStatus::Frozen => contract::AccountStatus::Frozen,
        AccountStatus::Closing => contract::AccountStatus::Closing,
        AccountStatus::Closed => contract::AccountStatus::Closed,
        AccountStatus::Erased => contract::AccountStatus::Erased,
    }
}

fn close_refusal(reason: &CloseRefusal) -> Open<contract::CloseRefusal> {
    let known = match reason {
        CloseRefusal::BalanceNotZero => contract::CloseRefusal::BalanceNotZero,
        CloseRefusal::HoldsOpen => contract::CloseRefusal::HoldsOpen,
        CloseRefusal::PayoutRejected => contract::CloseRefusal::PayoutRejected,
        CloseRefusal::AccountFrozen => contract::CloseRefusal::AccountFrozen,
        CloseRefusal::InterestOwed => contract::CloseRefusal::InterestOwed,
        CloseRefusal::InterestNotSettled => contract::CloseRefusal::InterestNotSettled,
        CloseRefusal::Other(code) => return Open::Unknown(code.clone()),
    };
    Open::Known(known)
}

const fn reason(refusal: &Refusal) -> AccountsReason {
    match refusal {
        Refusal::UnknownAccount(_) => AccountsReason::UnknownAccount,
        Refusal::AccountExists(_) => AccountsReason::AccountExists,
        Refusal::ExternalReferenceTaken(_) => AccountsReason::ExternalReferenceTaken,
        Refusal::WrongStatus { .. } | Refusal::ClosedTooRecently => AccountsReason::WrongStatus,
        Refusal::InvalidField(_) => AccountsReason::InvalidField,
        // A command that needs an approval is set aside and not refused.
        Refusal::NotPermitted(_) | Refusal::PayoutNotPermitted | Refusal::NeedsApproval(_) => {
            AccountsReason::NotPermitted
        }
        Refusal::IdempotencyConflict => AccountsReason::IdempotencyConflict,
    }
}

#[cfg(test)]
mod tests {
    use shared_events::page::PAGE_BYTES_MAX;

    use super::*;
    use crate::accounts::samples;

    #[test]
    fn the_code_in_logs_is_the_name_of_the_reason_in_the_contract() {
        let id = samples::id(1);
        let invalid = InvalidField { field: "product", rule: String::new() };
        for refusal in [
            Refusal::UnknownAccount(id),
            Refusal::AccountExists(id),
            Refusal::ExternalReferenceTaken(String::new()),
            Refusal::WrongStatus { is: AccountStatus::Closed, needs: &[] },
            Refusal::ClosedTooRecently,
            Refusal::InvalidField(invalid),
            Refusal::NotPermitted(String::new()),
            Refusal::IdempotencyConflict,
        ] {
            let name = serde_json::to_value(reason(&refusal)).expect("a reason has a name");
            assert_eq!(name, refusal.code());
        }
    }

    #[test]
    fn names_in_the_database_are_those_of_the_contract() {
        for own in [
            AccountStatus::Pending,
            AccountStatus::Active,
            AccountStatus::Frozen,
            AccountStatus::Closing,
            AccountStatus::Closed,
            AccountStatus::Erased,
        ] {
            assert_eq!(own.as_str(), status(own).as_str());
            assert_eq!(AccountStatus::from_name(own.as_str()), Some(own));
        }
        for own in [Blocks::Debits, Blocks::Credits, Blocks::Both] {
            assert_eq!(own.as_str(), blocks(own).as_str());
            assert_eq!(Blocks::from_name(own.as_str()), Some(own));
        }
        for own in [
            CloseRefusal::BalanceNotZero,
            CloseRefusal::HoldsOpen,
            CloseRefusal::PayoutRejected,
            CloseRefusal::AccountFrozen,
            CloseRefusal::InterestOwed,
            CloseRefusal::InterestNotSettled,
        ] {
            assert_eq!(own.as_str(), close_refusal(&own).as_str());
        }
    }

    #[test]
    fn the_next_page_starts_after_the_last_account_of_this_one() {
        let accounts = |count: u8, webhook_chars: usize| {
            let webhook = Some("x".repeat(webhook_chars));
            let mut accounts: Vec<Account> = (1..=count).map(samples::account).collect();
            accounts.iter_mut().for_each(|account| account.holder.webhook = webhook.clone());
            accounts
        };
        let half = PAGE_BYTES_MAX / 2 - 1_000;
        for (found, limit, length, next) in [
            (accounts(0, 0), 3, 0, None),
            (accounts(3, 0), 3, 3, None),
            (accounts(4, 0), 3, 3, Some(3)),
            (accounts(4, half), 3, 2, Some(2)),
            (accounts(2, half), 3, 2, None),
            (accounts(2, PAGE_BYTES_MAX), 3, 1, Some(1)),
        ] {
            let page = page_of(&found, limit);
            assert_eq!((page.accounts.len(), page.next), (length, next.map(samples::id)));
        }
    }
}
