//! The party that a person's name for an account means.

use shared_events::{
    accounts::{Account, AccountKey},
    ledger::Party,
};

use crate::{error::TellerError, input::PartyName, teller::Teller};

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
