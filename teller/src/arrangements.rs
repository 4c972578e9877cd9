//! What can be arranged for an account.

use shared_events::{
    MessageId,
    ledger::{GetInterest, InterestFound, SetTerms, TermsChanged},
};

use crate::{bank::Teller, error::TellerError};

impl Teller {
    /// Sets on which terms an account bears interest and fees.
    pub async fn set_terms(
        &self,
        id: MessageId,
        command: SetTerms,
    ) -> Result<TermsChanged, TellerError> {
        self.send(id, command).await
    }

    /// What interest accrued on each day of a period, and what was capitalised.
    pub async fn interest(&self, query: GetInterest) -> Result<InterestFound, TellerError> {
        self.ask(query).await
    }
}
