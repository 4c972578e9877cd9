//! Makes an export's accounts ready for its rows: opened, active, with overdraft enough.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use shared_events::{
    AccountId, Amount, MessageId,
    accounts::{Account, AccountKey, AccountStatus, ListAccounts, SetLimits},
    code::Open,
    ledger::Party,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    customers::ACCOUNT_FILE,
    import::AccountCounts,
    lines::BadRow,
    plan::{NAMESPACE, PlannedAccount},
};
use crate::{Teller, TellerError, bank::AT_ONCE, input::InvalidInput, pause::Pause};

/// The accounts of an export, made ready.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) counts: AccountCounts,
    /// Those that cannot take rows.
    pub(super) unusable: HashSet<AccountId>,
    /// Why they cannot.
    pub(super) bad_rows: Vec<BadRow>,
}

/// What was found or done about one account.
enum Found {
    Opened,
    Usable,
    Raised,
    Unusable(String),
}

impl Teller {
    /// Opens what is missing and raises the limits that are too low, then waits until the ledger
    /// has followed.
    pub(super) async fn prepare_accounts(
        &self,
        accounts: Vec<PlannedAccount>,
        mut each: impl FnMut(usize),
    ) -> Result<Ready, TellerError> {
        let ids: HashSet<AccountId> = accounts.iter().map(|it| it.command.account_id).collect();
        let mut prepared = stream::iter(accounts)
            .map(async |account| (self.prepare_account(&account).await, account))
            .buffer_unordered(AT_ONCE)
            .enumerate();
        let mut ready = Ready::default();
        while let Some((done, (found, account))) = prepared.next().await {
            ready.note(&account, found?);
            each(done + 1);
        }
        self.until_none_pending(&ids).await?;
        Ok(ready)
    }

    async fn prepare_account(&self, planned: &PlannedAccount) -> Result<Found, TellerError> {
        let key = AccountKey::AccountId(planned.command.account_id);
        if let Some(account) = self.find_account(key).await? {
            return self.check_account(&account, planned.command.overdraft_limit).await;
        }
        match self.open_account(planned.command_id, planned.command.clone()).await {
            Ok(_) => Ok(Found::Opened),
            Err(TellerError::Refused(refusal)) => Ok(Found::Unusable(refusal.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn check_account(&self, account: &Account, limit: Amount) -> Result<Found, TellerError> {
        let is_usable = match account.status {
            Open::Known(AccountStatus::Pending | AccountStatus::Active) => true,
            Open::Known(AccountStatus::Frozen | AccountStatus::Closing | AccountStatus::Closed)
            | Open::Unknown(_) => false,
        };
        match is_usable {
            true if account.overdraft_limit < limit => self.raise_limit(account, limit).await,
            true => Ok(Found::Usable),
            false => Ok(Found::Unusable(format!("is {}", account.status.as_str()))),
        }
    }

    /// Later exports of the same bank may need more than the first.
    async fn raise_limit(&self, account: &Account, limit: Amount) -> Result<Found, TellerError> {
        let account_id = account.account_id;
        self.until_active(account_id).await?;
        let name = format!("limits:{account_id}:{}:{limit}", account.version);
        let id = MessageId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        let command = SetLimits { spending: None, account_id, overdraft_limit: limit };
        match self.set_limits(id, command).await {
            Ok(_) => {}
            Err(TellerError::Refused(refusal)) => {
                return Ok(Found::Unusable(refusal.to_string()));
            }
            Err(error) => return Err(error),
        }
        let (until, mut pause) = (self.until(), Pause::new());
        loop {
            let balance = self.balance(Party::AccountId(account_id), None).await?;
            if balance.overdraft_limit.is_none_or(|known| known >= limit) {
                return Ok(Found::Raised);
            }
            if Instant::now() >= until {
                let late = format!("the ledger has not heard of the limit of {account_id}");
                return Err(TellerError::NoAnswer(late.into()));
            }
            pause.wait().await;
        }
    }

    /// Only pending accounts are asked for: few, and in the end none.
    async fn until_none_pending(&self, ids: &HashSet<AccountId>) -> Result<(), TellerError> {
        let (mut until, mut pause) = (self.until(), Pause::new());
        let mut before = usize::MAX;
        loop {
            let status = Some(AccountStatus::Pending);
            let filter = ListAccounts { status, ..ListAccounts::default() };
            let (pending, _) = self.list_accounts(filter, usize::MAX).await?;
            let ours = pending.iter().filter(|it| ids.contains(&it.account_id)).count();
            if ours == 0 {
                return Ok(());
            }
            if ours < before {
                (before, until) = (ours, self.until());
            }
            if Instant::now() >= until {
                let late = format!("{ours} accounts are still waiting for the ledger");
                return Err(TellerError::NoAnswer(late.into()));
            }
            pause.wait().await;
        }
    }
}

impl Ready {
    fn note(&mut self, account: &PlannedAccount, found: Found) {
        match found {
            Found::Opened => self.counts.opened += 1,
            Found::Usable => self.counts.already_there += 1,
            Found::Raised => {
                self.counts.already_there += 1;
                self.counts.raised += 1;
            }
            Found::Unusable(why) => {
                self.counts.unusable += 1;
                self.unusable.insert(account.command.account_id);
                let why = InvalidInput::new("account_id", format!("{why}; its rows are not sent"));
                self.bad_rows.push(BadRow::new(ACCOUNT_FILE, account.line, why));
            }
        }
    }
}
