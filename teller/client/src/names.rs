//! From what a person calls an account to its id.

use shared_events::{
    accounts::{Account, AccountKey},
    ledger::Party,
};

use crate::{bank::Teller, error::TellerError, input::PartyName};

impl Teller {
    /// The party that goes by this name. Asks the bank only where the name is no id.
    pub async fn resolve(&self, name: &PartyName) -> Result<Party, TellerError> {
        match name {
            PartyName::Code(code) => Ok(Party::Code(code.clone())),
            PartyName::Account(AccountKey::AccountId(id)) => Ok(Party::AccountId(*id)),
            PartyName::Account(key) => {
                let account: Account = self.account(key.clone()).await?;
                Ok(Party::AccountId(account.account_id))
            }
        }
    }
}
