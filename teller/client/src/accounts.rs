//! Commands and queries about accounts.

use shared_events::{
    AccountId, Amount, MessageId, Money,
    accounts::{
        ACCOUNTS_PAGE_MAX, Account, AccountClosing, AccountFrozen, AccountKey, AccountOpened,
        AccountStatus, AccountUnfrozen, ChangeLimits, CloseAccount, CloseRefusal, EraseHolder,
        FreezeAccount, GetAccount, HolderErased, HolderUpdated, LimitsChanged, ListAccounts,
        OpenAccount, SetLimits, UnfreezeAccount, UpdateHolder, v1,
    },
    code::Open,
    ledger::Party,
};
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    error::{Refusal, TellerError},
    teller::Teller,
};

impl Teller {
    /// Opens an account. Money can move on it once it is [active](Self::until_active).
    pub async fn open_account(
        &self,
        id: MessageId,
        command: OpenAccount,
    ) -> Result<AccountOpened, TellerError> {
        self.send_to_any::<_, v1::AccountOpened, _>(id, command).await
    }

    /// Lets no money move on an account; on a frozen one, changes what it refuses.
    pub async fn freeze(
        &self,
        id: MessageId,
        command: FreezeAccount,
    ) -> Result<AccountFrozen, TellerError> {
        self.send(id, command).await
    }

    /// Lets money move again on a frozen account.
    pub async fn unfreeze(
        &self,
        id: MessageId,
        command: UnfreezeAccount,
    ) -> Result<AccountUnfrozen, TellerError> {
        self.send(id, command).await
    }

    /// Asks to close an account; whether it [was closed](Self::until_closed) the ledger decides.
    pub async fn close(
        &self,
        id: MessageId,
        command: CloseAccount,
    ) -> Result<AccountClosing, TellerError> {
        self.send(id, command).await
    }

    /// Erases the holder's data of a closed account, for ever. Another principal has to approve the
    /// command first. The accounts service has erased its data with the answer; the other services
    /// follow by themselves, and `accounts.holder.erasure_completed.v1` tells when all are done.
    pub async fn erase_holder(
        &self,
        id: MessageId,
        command: EraseHolder,
    ) -> Result<HolderErased, TellerError> {
        self.send(id, command).await
    }

    /// Changes some of an account's limits; the others stay.
    pub async fn change_limits(
        &self,
        id: MessageId,
        command: ChangeLimits,
    ) -> Result<LimitsChanged, TellerError> {
        self.send(id, command).await
    }

    /// Changes how far below zero an account may go.
    pub async fn set_limits(
        &self,
        id: MessageId,
        command: SetLimits,
    ) -> Result<LimitsChanged, TellerError> {
        self.send(id, command).await
    }

    /// Changes who an account belongs to, and how to reach them.
    pub async fn update_holder(
        &self,
        id: MessageId,
        command: UpdateHolder,
    ) -> Result<HolderUpdated, TellerError> {
        self.send_to_any::<_, v1::HolderUpdated, _>(id, command).await
    }

    /// Looks up one account. Refused (`not_found`) where there is none.
    pub async fn account(&self, key: AccountKey) -> Result<Account, TellerError> {
        Ok(self.ask(GetAccount { key }).await?.account)
    }

    /// Looks up one account that may not exist.
    pub async fn find_account(&self, key: AccountKey) -> Result<Option<Account>, TellerError> {
        match self.account(key).await {
            Ok(account) => Ok(Some(account)),
            Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The accounts that `filter` asks for, over as many pages as it takes, at most `limit`. Also
    /// says whether there are more.
    pub async fn list_accounts(
        &self,
        mut filter: ListAccounts,
        limit: usize,
    ) -> Result<(Vec<Account>, bool), TellerError> {
        let mut accounts = Vec::new();
        loop {
            let wanted = u32::try_from(limit - accounts.len()).unwrap_or(u32::MAX);
            if wanted == 0 {
                return Ok((accounts, true));
            }
            filter.limit = Some(wanted.min(ACCOUNTS_PAGE_MAX));
            let page = self.ask(filter.clone()).await?;
            accounts.extend(page.accounts);
            filter.after = page.next;
            if page.next.is_none() {
                return Ok((accounts, false));
            }
        }
    }

    /// Waits until the ledger has opened its side of an account.
    pub async fn until_active(&self, account_id: AccountId) -> Result<Account, TellerError> {
        self.until_account(account_id, |account| account.status != AccountStatus::Pending).await
    }

    /// Waits until a closing account is closed. Refused where the ledger refuses.
    pub async fn until_closed(&self, closing: &AccountClosing) -> Result<Account, TellerError> {
        let decided = |account: &Account| {
            account.version > closing.version && account.status != AccountStatus::Closing
        };
        let account = self.until_account(closing.account_id, decided).await?;
        if matches!(account.status, Open::Known(AccountStatus::Closed | AccountStatus::Erased)) {
            return Ok(account);
        }
        let found = self.balance(Party::AccountId(account.account_id), None).await?;
        let balance = Money { amount: found.balance, currency: found.currency };
        let reason = if [found.pending_debits, found.pending_credits] != [Amount::ZERO; 2] {
            CloseRefusal::HoldsOpen
        } else if account.status == AccountStatus::Frozen && closing.payout.is_some() {
            CloseRefusal::AccountFrozen
        } else if closing.payout.is_some() && found.balance > Amount::ZERO {
            CloseRefusal::PayoutRejected
        } else if found.balance == Amount::ZERO {
            // Interest and fees of the month that has begun are booked with the closing only.
            CloseRefusal::InterestNotSettled
        } else {
            CloseRefusal::BalanceNotZero
        };
        Err(Refusal::new(reason, format!("the balance is {balance}")).into())
    }

    async fn until_account(
        &self,
        account_id: AccountId,
        holds: impl Fn(&Account) -> bool,
    ) -> Result<Account, TellerError> {
        let (until, mut backoff) = (self.until(), Backoff::start());
        loop {
            let account = self.account(AccountKey::AccountId(account_id)).await?;
            if holds(&account) {
                return Ok(account);
            }
            if Instant::now() >= until {
                let status = account.status.as_str();
                let late = format!("account {account_id} is still {status}; look again later");
                return Err(TellerError::NoAnswer(late.into()));
            }
            backoff.wait().await;
        }
    }
}
