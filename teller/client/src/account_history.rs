//! The history of one account, page by page.

use shared_events::{
    AccountId,
    accounts::{ChainedChange, GetHistory, HISTORY_PAGE_MAX},
};

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// The records of an account, from its opening on, over as many pages as it takes.
    pub async fn account_history(
        &self,
        account_id: AccountId,
    ) -> Result<Vec<ChainedChange>, TellerError> {
        let mut records: Vec<ChainedChange> = Vec::new();
        loop {
            let (account_id, limit) = (Some(account_id), Some(HISTORY_PAGE_MAX));
            let after = records.last().map(|last| last.place);
            let page = self.ask(GetHistory { account_id, after, limit }).await?;
            let Some(first) = page.records.first() else { return Ok(records) };
            if after.is_some_and(|after| first.place <= after) {
                return Err(TellerError::NoAnswer("the pages of the history go back".into()));
            }
            records.extend(page.records);
        }
    }
}
