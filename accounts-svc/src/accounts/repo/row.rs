//! A row of `accounts` as an account.

use rust_decimal::Decimal;
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};
use shared_events::{
    AccountId, Amount, Iban,
    accounts::{Account, AccountStatus, Blocks, Holder, SpendingLimits},
};
use uuid::Uuid;

/// The columns that an account is made of.
pub(crate) struct Row {
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
    pub(crate) version: i64,
}

impl Row {
    /// Fails where somebody has written a row that this service would not.
    pub(crate) fn read(self) -> sqlx::Result<Account> {
        let holder = Holder {
            name: self.holder_name,
            email: self.holder_email,
            webhook: self.holder_webhook,
            language: self.holder_language,
        };
        let spending = SpendingLimits {
            transfer: self.transfer_limit.map(Amount),
            daily: self.daily_limit.map(Amount),
            monthly: self.monthly_limit.map(Amount),
            minimum_balance: self.minimum_balance.map(Amount),
        };
        let blocks = self.blocks.as_deref().map(blocks).transpose()?;
        let (status, blocks) = state(status(&self.status)?, blocks);
        Ok(Account {
            account_id: AccountId(self.id),
            iban: Iban::try_from(self.iban).map_err(unreadable)?,
            holder,
            product: self.product,
            currency: self.currency.parse().map_err(unreadable)?,
            overdraft_limit: Amount(self.overdraft_limit),
            spending: Some(spending).filter(|it| *it != SpendingLimits::default()),
            blocks,
            external_reference: self.external_reference,
            status,
            closing_version: self.closing_version.filter(|_| status == AccountStatus::Closing),
            version: self.version,
        })
    }
}

/// What a row says, whichever version of the service wrote it: the first knew one freeze only, and
/// one that activates an account, or gives up closing it, may not know that it was frozen.
const fn state(status: AccountStatus, blocks: Option<Blocks>) -> (AccountStatus, Option<Blocks>) {
    match (status, blocks) {
        (AccountStatus::Active, Some(_)) => (AccountStatus::Frozen, blocks),
        (AccountStatus::Frozen, None) => (status, Some(Blocks::Both)),
        (AccountStatus::Closed, _) => (status, None),
        (_, _) => (status, blocks),
    }
}

/// Reads the name that the contract gives a status, so that the two cannot differ.
fn status(text: &str) -> sqlx::Result<AccountStatus> {
    let name: value::StrDeserializer<'_, value::Error> = text.into_deserializer();
    AccountStatus::deserialize(name).map_err(unreadable)
}

/// Reads the name of what a frozen account refuses.
fn blocks(text: &str) -> sqlx::Result<Blocks> {
    let unknown = || sqlx::Error::Decode(format!("{text} is nothing to refuse").into());
    Blocks::from_name(text).ok_or_else(unknown)
}

pub(crate) fn read_all(rows: Vec<Row>) -> sqlx::Result<Vec<Account>> {
    rows.into_iter().map(Row::read).collect()
}

pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

#[cfg(test)]
mod tests {
    use shared_events::accounts::{
        AccountStatus::{Active, Closed, Closing, Frozen, Pending},
        Blocks::{Both, Debits},
    };

    use super::*;

    #[test]
    fn what_older_instances_wrote_means_what_the_ledger_has() {
        for (written, read) in [
            ((Active, None), (Active, None)),
            // Activated, or given back to use, by one that overlooked the freeze.
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
