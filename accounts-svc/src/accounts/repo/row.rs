//! A row of `accounts` as an account.

use rust_decimal::Decimal;
use shared_events::{AccountId, Amount, Iban};
use uuid::Uuid;

use crate::{
    accounts::entity::{Account, AccountStatus, Blocks, SpendingLimits},
    holders::Holder,
};

/// The columns of an account.
pub(crate) struct AccountRow {
    pub(crate) id: Uuid,
    pub(crate) iban: String,
    pub(crate) holder_name: String,
    pub(crate) holder_email: Option<String>,
    pub(crate) holder_webhook: Option<String>,
    pub(crate) holder_language: String,
    pub(crate) product: String,
    pub(crate) currency: String,
    pub(crate) overdraft_limit: Decimal,
    pub(crate) transfer_limit: Option<Decimal>,
    pub(crate) daily_limit: Option<Decimal>,
    pub(crate) monthly_limit: Option<Decimal>,
    pub(crate) minimum_balance: Option<Decimal>,
    pub(crate) blocks: Option<String>,
    pub(crate) external_reference: Option<String>,
    pub(crate) status: String,
    pub(crate) closing_version: Option<i64>,
    pub(crate) branch: String,
    pub(crate) version: i64,
}

impl AccountRow {
    /// Fails where the row was not written by this service.
    pub(crate) fn read(self) -> sqlx::Result<Account> {
        let holder = Holder {
            name: self.holder_name,
            email: self.holder_email,
            webhook: self.holder_webhook,
            language: self.holder_language,
        };
        let spending_limits = SpendingLimits {
            transfer: self.transfer_limit.map(Amount),
            daily: self.daily_limit.map(Amount),
            monthly: self.monthly_limit.map(Amount),
            minimum_balance: self.minimum_balance.map(Amount),
        };
        let blocks = self.blocks.as_deref().map(read_blocks).transpose()?;
        let (status, blocks) = state(read_status(&self.status)?, blocks);
        Ok(Account {
            id: AccountId(self.id),
            iban: Iban::try_from(self.iban).map_err(unreadable)?,
            holder,
            product: self.product,
            currency: self.currency.parse().map_err(unreadable)?,
            overdraft_limit: Amount(self.overdraft_limit),
            spending_limits,
            blocks,
            external_reference: self.external_reference,
            branch: self.branch,
            status,
            closing_version: self.closing_version.filter(|_| status == AccountStatus::Closing),
            version: self.version,
        })
    }
}

/// Reads a row of any version of the service: the first one had one kind of freeze only, and a
/// version that activates an account, or gives up closing it, may have overlooked the freeze.
const fn state(status: AccountStatus, blocks: Option<Blocks>) -> (AccountStatus, Option<Blocks>) {
    match (status, blocks) {
        (AccountStatus::Active, Some(_)) => (AccountStatus::Frozen, blocks),
        (AccountStatus::Frozen, None) => (status, Some(Blocks::Both)),
        (AccountStatus::Closed, _) => (status, None),
        (_, _) => (status, blocks),
    }
}

fn read_status(name: &str) -> sqlx::Result<AccountStatus> {
    let unknown = || sqlx::Error::Decode(format!("{name} is no status").into());
    AccountStatus::from_name(name).ok_or_else(unknown)
}

fn read_blocks(name: &str) -> sqlx::Result<Blocks> {
    let unknown = || sqlx::Error::Decode(format!("{name} is no direction of a freeze").into());
    Blocks::from_name(name).ok_or_else(unknown)
}

pub(crate) fn read_all(rows: Vec<AccountRow>) -> sqlx::Result<Vec<Account>> {
    rows.into_iter().map(AccountRow::read).collect()
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

#[cfg(test)]
mod tests {
    use super::{
        AccountStatus::{Active, Closed, Closing, Frozen, Pending},
        Blocks::{Both, Debits},
        *,
    };

    #[test]
    fn rows_of_older_instances_mean_the_state_that_the_ledger_has() {
        for (written, read) in [
            ((Active, None), (Active, None)),
            // Activated, or active again, by an instance that overlooked the freeze.
            ((Active, Some(Debits)), (Frozen, Some(Debits))),
            ((Frozen, None), (Frozen, Some(Both))),
            ((Frozen, Some(Debits)), (Frozen, Some(Debits))),
            ((Closed, Some(Both)), (Closed, None)),
            ((Pending, Some(Both)), (Pending, Some(Both))),
            ((Closing, Some(Both)), (Closing, Some(Both))),
        ] {
            assert_eq!(state(written.0, written.1), read, "{written:?}");
        }
    }
}
