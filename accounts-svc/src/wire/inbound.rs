//! Messages as requests of this service. Promise: each field is checked here, once.

use shared_events::{
    accounts as contract,
    accounts::{
        ChangeLimits, CloseAccount, EraseHolder, FreezeAccount, GetAccount, GetAccountBooks,
        GetHistory, ListAccess, ListAccounts, OpenAccount, SetLimits, UnfreezeAccount,
        UpdateHolder,
    },
    code::Open,
    ledger::{LedgerAccountCloseRefused, LedgerAccountLocked, LedgerAccountOpened},
};

use crate::{
    accounts::{
        AccountRequest, AccountStatus, Blocks, ChangeRequest, CloseRefusal, Closing, Freeze,
        LedgerAnswer, LedgerDecision, LimitChange, NewLimits, Opening, SpendingLimit,
        SpendingLimits,
    },
    directory::{AccountKey, AccountListing},
    fields::InvalidField,
    holders::Holder,
};

shared_events::message_set! {
    /// The commands on `accounts.commands`.
    pub(crate) enum AccountsCommand {
        Open(OpenAccount),
        Freeze(FreezeAccount),
        Unfreeze(UnfreezeAccount),
        Close(CloseAccount),
        SetLimits(SetLimits),
        ChangeLimits(ChangeLimits),
        UpdateHolder(UpdateHolder),
        Erase(EraseHolder),
    }
}

shared_events::message_set! {
    /// The ledger's events on `accounts.events`.
    pub(crate) enum LedgerAccountEvent {
        Opened(LedgerAccountOpened),
        Locked(LedgerAccountLocked),
        CloseRefused(LedgerAccountCloseRefused),
    }
}

shared_events::message_set! {
    /// The queries on `accounts.queries`.
    pub(crate) enum AccountsQuery {
        Get(GetAccount),
        List(ListAccounts),
        ListAccess(ListAccess),
        GetHistory(GetHistory),
        GetBooks(GetAccountBooks),
    }
}

/// A command as a request.
pub(super) fn request(command: &AccountsCommand) -> AccountRequest {
    match command {
        AccountsCommand::Open(open) => {
            let opening = opening(open).map(Box::new);
            AccountRequest::Open { account_id: open.account_id, opening }
        }
        AccountsCommand::Freeze(freeze) => {
            let change = Freeze::try_new(blocks(freeze.blocks), freeze.reason.clone());
            let change = change.map(ChangeRequest::Freeze);
            AccountRequest::Change { account_id: freeze.account_id, change }
        }
        AccountsCommand::Unfreeze(UnfreezeAccount { account_id }) => {
            let (account_id, change) = (*account_id, Ok(ChangeRequest::Unfreeze));
            AccountRequest::Change { account_id, change }
        }
        AccountsCommand::Close(CloseAccount { account_id, payout }) => {
            let account_id = *account_id;
            let change = Closing::try_new(account_id, *payout).map(ChangeRequest::Close);
            AccountRequest::Change { account_id, change }
        }
        AccountsCommand::SetLimits(SetLimits { account_id, overdraft_limit, spending }) => {
            let (account_id, overdraft_limit) = (*account_id, *overdraft_limit);
            let limits = NewLimits { overdraft_limit, spending: spending.map(spending_limits) };
            AccountRequest::Change { account_id, change: Ok(ChangeRequest::SetLimits(limits)) }
        }
        AccountsCommand::ChangeLimits(command) => {
            let change = limit_change(command).checked().map(ChangeRequest::ChangeLimits);
            AccountRequest::Change { account_id: command.account_id, change }
        }
        AccountsCommand::UpdateHolder(UpdateHolder { account_id, holder: new }) => {
            let change = holder(new).checked().map(ChangeRequest::UpdateHolder);
            AccountRequest::Change { account_id: *account_id, change }
        }
        AccountsCommand::Erase(EraseHolder { account_id }) => {
            AccountRequest::Change { account_id: *account_id, change: Ok(ChangeRequest::Erase) }
        }
    }
}

/// An event of the ledger as its answer.
pub(super) fn ledger_answer(event: &LedgerAccountEvent) -> LedgerAnswer {
    match event {
        LedgerAccountEvent::Opened(LedgerAccountOpened { account_id, .. }) => {
            LedgerAnswer { account_id: *account_id, content: LedgerDecision::Opened }
        }
        LedgerAccountEvent::Locked(LedgerAccountLocked { account_id, closing_version, .. }) => {
            let content = LedgerDecision::Locked { closing_version: *closing_version };
            LedgerAnswer { account_id: *account_id, content }
        }
        LedgerAccountEvent::CloseRefused(refused) => {
            let content = LedgerDecision::CloseRefused {
                reason: close_refusal(&refused.reason),
                balance: refused.balance,
                closing_version: refused.closing_version,
            };
            LedgerAnswer { account_id: refused.account_id, content }
        }
    }
}

/// The key of a query.
pub(super) fn account_key(GetAccount { key }: &GetAccount) -> Result<AccountKey, InvalidField> {
    let key = match key {
        contract::AccountKey::AccountId(id) => AccountKey::Id(*id),
        contract::AccountKey::Iban(iban) => AccountKey::Iban(iban.clone()),
        contract::AccountKey::ExternalReference(reference) => {
            AccountKey::ExternalReference(reference.clone())
        }
    };
    key.checked()
}

/// The page of a query.
pub(super) fn listing(list: &ListAccounts) -> Result<AccountListing, InvalidField> {
    let listing = AccountListing {
        status: list.status.map(status),
        external_reference_prefix: list.external_reference_prefix.clone(),
        after: list.after,
        limit: AccountListing::limit_or_default(list.limit),
    };
    listing.checked(contract::ACCOUNTS_PAGE_MAX)
}

fn opening(command: &OpenAccount) -> Result<Opening, InvalidField> {
    let opening = Opening {
        account_id: command.account_id,
        holder: holder(&command.holder),
        product: command.product.clone(),
        currency: command.currency,
        overdraft_limit: command.overdraft_limit,
        external_reference: command.external_reference.clone(),
        branch: command.branch.clone().unwrap_or_else(|| contract::MAIN_BRANCH.to_owned()),
    };
    opening.checked()
}

fn holder(holder: &contract::Holder) -> Holder {
    Holder {
        name: holder.name.clone(),
        email: holder.email.clone(),
        webhook: holder.webhook.clone(),
        language: holder.language.clone(),
    }
}

fn limit_change(command: &ChangeLimits) -> LimitChange {
    LimitChange {
        overdraft_limit: command.overdraft_limit,
        given: SpendingLimits {
            transfer: command.transfer,
            daily: command.daily,
            monthly: command.monthly,
            minimum_balance: command.minimum_balance,
        },
        lifted: command.lift.iter().copied().map(spending_limit).collect(),
    }
}

const fn spending_limits(limits: contract::SpendingLimits) -> SpendingLimits {
    let contract::SpendingLimits { transfer, daily, monthly, minimum_balance } = limits;
    SpendingLimits { transfer, daily, monthly, minimum_balance }
}

const fn spending_limit(limit: contract::SpendingLimit) -> SpendingLimit {
    match limit {
        contract::SpendingLimit::Transfer => SpendingLimit::Transfer,
        contract::SpendingLimit::Daily => SpendingLimit::Daily,
        contract::SpendingLimit::Monthly => SpendingLimit::Monthly,
        contract::SpendingLimit::MinimumBalance => SpendingLimit::MinimumBalance,
    }
}

const fn blocks(blocks: contract::Blocks) -> Blocks {
    match blocks {
        contract::Blocks::Debits => Blocks::Debits,
        contract::Blocks::Credits => Blocks::Credits,
        contract::Blocks::Both => Blocks::Both,
    }
}

const fn status(status: contract::AccountStatus) -> AccountStatus {
    match status {
        contract::AccountStatus::Pending => AccountStatus::Pending,
        contract::AccountStatus::Active => AccountStatus::Active,
        contract::AccountStatus::Frozen => AccountStatus::Frozen,
        contract::AccountStatus::Closing => AccountStatus::Closing,
        contract::AccountStatus::Closed => AccountStatus::Closed,
        contract::AccountStatus::Erased => AccountStatus::Erased,
    }
}

fn close_refusal(reason: &Open<contract::CloseRefusal>) -> CloseRefusal {
    let known = match reason {
        Open::Known(known) => known,
        Open::Unknown(code) => return CloseRefusal::Other(code.clone()),
    };
    match known {
        contract::CloseRefusal::BalanceNotZero => CloseRefusal::BalanceNotZero,
        contract::CloseRefusal::HoldsOpen => CloseRefusal::HoldsOpen,
        contract::CloseRefusal::PayoutRejected => CloseRefusal::PayoutRejected,
        contract::CloseRefusal::AccountFrozen => CloseRefusal::AccountFrozen,
        contract::CloseRefusal::InterestOwed => CloseRefusal::InterestOwed,
        contract::CloseRefusal::InterestNotSettled => CloseRefusal::InterestNotSettled,
    }
}

#[cfg(test)]
mod tests {
    use shared_events::{
        message::MessageSet,
        messaging::Outcome,
        topology::{ACCOUNTS_COMMANDS, ACCOUNTS_EVENTS, ACCOUNTS_QUERIES},
    };

    use super::*;
    use crate::{
        accounts::{LedgerReaction, WorkingSet, samples},
        wire::outbound,
    };

    #[test]
    fn each_set_has_the_types_that_its_queue_carries() {
        assert_eq!(AccountsCommand::TYPES, ACCOUNTS_COMMANDS.types);
        assert_eq!(LedgerAccountEvent::TYPES, ACCOUNTS_EVENTS.types);
        assert_eq!(AccountsQuery::TYPES, ACCOUNTS_QUERIES.types);
    }

    #[test]
    fn a_page_has_1_to_1000_accounts() {
        let limit = |limit| listing(&ListAccounts { limit, ..ListAccounts::default() });
        assert_eq!(limit(None).map(|listing| listing.limit), Ok(100));
        assert_eq!(limit(Some(1_000)).map(|listing| listing.limit), Ok(1_000));
        for wrong in [0, 1_001] {
            assert_eq!(limit(Some(wrong)).expect_err("the limit is wrong").field, "limit");
        }
    }

    #[test]
    fn a_text_that_the_database_cannot_search_for_is_refused_with_its_path() {
        let external_reference_prefix = Some("a\0".to_owned());
        let list = ListAccounts { external_reference_prefix, ..ListAccounts::default() };
        let refused = listing(&list).expect_err("NUL");
        assert_eq!(refused.field, "external_reference_prefix");
        let key = contract::AccountKey::ExternalReference("a\nb".to_owned());
        let refused = account_key(&GetAccount { key }).expect_err("a line break");
        assert_eq!(refused.field, "key.external_reference");
    }

    #[test]
    fn a_refusal_for_a_reason_of_a_later_ledger_is_followed_and_announced_with_its_code() {
        let golden = include_str!(
            "../../../shared-events/tests/golden/ledger.account.close_refused.v1.json"
        );
        let envelope: serde_json::Value = serde_json::from_str(golden).expect("a golden file");
        let mut data = envelope["data"].clone();
        data["reason"] = "of_tomorrow".into();
        let kind = "ledger.account.close_refused.v1";
        let event = LedgerAccountEvent::decode(kind, &data.to_string()).expect("a known event");

        let answer = ledger_answer(&event);
        let mut closing = samples::account(1);
        closing.id = answer.account_id;
        closing.status = AccountStatus::Closing;
        let mut working_set = WorkingSet::new(vec![closing], vec![]);
        let LedgerReaction::Changed(change) = working_set.follow(&answer) else {
            panic!("the closing does not end")
        };
        assert_eq!(change.account.status, AccountStatus::Active);
        let Outcome::Done { announce, .. } = outbound::changed(&change) else {
            panic!("the change is not announced")
        };
        let announced = format!("{announce:?}");
        assert!(announced.contains("accounts.account.close_refused.v1"), "{announced}");
        assert!(announced.contains("of_tomorrow"), "{announced}");
    }
}
