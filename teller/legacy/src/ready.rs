//! Makes an export's accounts ready for its rows: opened, active, with overdraft enough.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use serde::Serialize;
use shared_events::{
    AccountId, Amount, MessageId,
    accounts::{Account, AccountKey, AccountStatus, ListAccounts, SetLimits},
    code::Open,
    ledger::Party,
};
use teller_client::{AT_ONCE, Backoff, Teller, TellerError, input::InvalidInput};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    customers::ACCOUNT_FILE,
    lines::BadRow,
    plan::{NAMESPACE, PlannedAccount},
};

/// The accounts of an export after their preparation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountCounts {
    /// Opened now.
    pub opened: usize,
    /// There before.
    pub already_there: usize,
    /// There before, with a lower overdraft limit than the rows need now; it was raised.
    pub raised: usize,
    /// Cannot take rows; the reason is among the bad rows.
    pub unusable: usize,
}

/// The accounts of an export, made ready.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) counts: AccountCounts,
    /// The accounts that cannot take rows.
    pub(super) unusable: HashSet<AccountId>,
    /// Why they cannot.
    pub(super) bad_rows: Vec<BadRow>,
}

/// The result of one account's preparation.
enum Found {
    Opened,
    Usable,
    Raised,
    Unusable(String),
}

/// Opens what is missing and raises the limits that are too low, then waits until the ledger
/// has followed.
pub(super) async fn prepare_accounts(
    bank: &Teller,
    accounts: Vec<PlannedAccount>,
    mut each: impl FnMut(usize),
) -> Result<Ready, TellerError> {
    let ids: HashSet<AccountId> =
        accounts.iter().map(|account| account.command.account_id).collect();
    let mut prepared = stream::iter(accounts)
        .map(async |account| (prepare_account(bank, &account).await, account))
        .buffer_unordered(AT_ONCE)
        .enumerate();
    let mut ready = Ready::default();
    while let Some((done, (found, account))) = prepared.next().await {
        ready.note(&account, found?);
        each(done + 1);
    }
    until_none_pending(bank, &ids).await?;
    Ok(ready)
}

async fn prepare_account(bank: &Teller, planned: &PlannedAccount) -> Result<Found, TellerError> {
    let key = AccountKey::AccountId(planned.command.account_id);
    if let Some(account) = bank.find_account(key).await? {
        return check_account(bank, &account, planned.command.overdraft_limit).await;
    }
    match bank.open_account(planned.command_id, planned.command.clone()).await {
        Ok(_) => Ok(Found::Opened),
        Err(TellerError::Refused(refusal)) => Ok(Found::Unusable(refusal.to_string())),
        Err(error) => Err(error),
    }
}

async fn check_account(
    bank: &Teller,
    account: &Account,
    limit: Amount,
) -> Result<Found, TellerError> {
    let is_usable = match account.status {
        Open::Known(AccountStatus::Pending | AccountStatus::Active) => true,
        Open::Known(
            AccountStatus::Frozen
            | AccountStatus::Closing
            | AccountStatus::Closed
            | AccountStatus::Erased,
        )
        | Open::Unknown(_) => false,
    };
    match is_usable {
        true if account.overdraft_limit < limit => raise_limit(bank, account, limit).await,
        true => Ok(Found::Usable),
        false => Ok(Found::Unusable(format!("is {}", account.status.as_str()))),
    }
}

/// Later exports of the same bank may need more than the first.
async fn raise_limit(
    bank: &Teller,
    account: &Account,
    limit: Amount,
) -> Result<Found, TellerError> {
    let account_id = account.account_id;
    bank.until_active(account_id).await?;
    let name = format!("limits:{account_id}:{}:{limit}", account.version);
    let id = MessageId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
    let command = SetLimits { spending: None, account_id, overdraft_limit: limit };
    match bank.set_limits(id, command).await {
        Ok(_) => {}
        Err(TellerError::Refused(refusal)) => {
            return Ok(Found::Unusable(refusal.to_string()));
        }
        Err(error) => return Err(error),
    }
    let (until, mut backoff) = (bank.until(), Backoff::start());
    loop {
        let balance = bank.balance(Party::AccountId(account_id), None).await?;
        if balance.overdraft_limit.is_none_or(|known| known >= limit) {
            return Ok(Found::Raised);
        }
        if Instant::now() >= until {
            let late = format!("the ledger has not heard of the limit of {account_id}");
            return Err(TellerError::NoAnswer(late.into()));
        }
        backoff.wait().await;
    }
}

/// Only pending accounts are queried: few, and in the end none.
async fn until_none_pending(bank: &Teller, ids: &HashSet<AccountId>) -> Result<(), TellerError> {
    let (mut until, mut backoff) = (bank.until(), Backoff::start());
    let mut before = usize::MAX;
    loop {
        let status = Some(AccountStatus::Pending);
        let filter = ListAccounts { status, ..ListAccounts::default() };
        let (pending, _) = bank.list_accounts(filter, usize::MAX).await?;
        let ours = pending.iter().filter(|account| ids.contains(&account.account_id)).count();
        if ours == 0 {
            return Ok(());
        }
        if ours < before {
            (before, until) = (ours, bank.until());
        }
        if Instant::now() >= until {
            let late = format!("{ours} accounts are still waiting for the ledger");
            return Err(TellerError::NoAnswer(late.into()));
        }
        backoff.wait().await;
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
