//! Capitalises the months that are over.
//!
//! Terms and entries are read, and the months computed, while nothing is locked; then the accounts,
//! the internal accounts and a chain are locked, the entries since are read, and the month is posted.
//! So a long history delays nobody else's posting.

use shared_events::{
    AccountId,
    messaging::{HandleError, Tx},
};
use tracing::info;
use uuid::Uuid;

use super::{
    capitalisation::{Capitalised, capitalise},
    repo, repo_due,
};
use crate::{
    accounts::Status,
    bank_calendar::{self, BankTime},
    due_work::{DueItem, DueItems, DueKind, ItemKey},
    posting::{LockSet, PostingSession, PostingState, count_outcomes},
};

/// The most accounts of which one transaction capitalises a month.
const ACCOUNTS_MAX: usize = 50;

/// Capitalises a month of each account that has one due. Of each account one month at a time, since
/// the next month's balances depend on it.
pub(crate) struct InterestJob {
    pub(crate) time: BankTime,
}

/// The capitalised months of one transaction.
pub(crate) struct CapitalisedMonths {
    pub(crate) state: PostingState,
    pub(crate) months: Vec<Capitalised>,
}

impl DueKind for InterestJob {
    type Item = AccountId;
    type Done = CapitalisedMonths;
    const NAME: &'static str = "interest";

    async fn due(&self, tx: &mut Tx<'_>) -> Result<DueItems<AccountId>, HandleError> {
        let today = self.time.now(bank_calendar::repo::clock(tx).await?).today;
        let due = repo::due(tx, today, ACCOUNTS_MAX).await?;
        let more = !due.is_empty();
        let items = due.into_iter().map(|(id, failed)| {
            let key = ItemKey { kind: Self::NAME, about: id.uuid(), part: Uuid::nil() };
            DueItem { key, item: Ok(id), failed }
        });
        Ok(DueItems { items: items.collect(), more })
    }

    async fn handle_in_tx(
        &self,
        tx: &mut Tx<'_>,
        due: &[AccountId],
    ) -> Result<CapitalisedMonths, HandleError> {
        let ids: Vec<Uuid> = due.iter().map(|id| id.uuid()).collect();
        let mut readings = repo_due::read(tx, &ids).await?;
        let mut set = LockSet::default();
        for reading in &mut readings {
            reading.compute().map_err(unreadable)?;
            reading.add_to(&mut set);
        }
        let mut session = PostingSession::open_in_tx(tx, set, self.time).await?;

        let is_active = |id: &AccountId| {
            session.state.account(*id).is_some_and(|account| account.status == Status::Active)
        };
        let (active, waiting): (Vec<AccountId>, Vec<AccountId>) =
            due.iter().copied().partition(is_active);
        let waiting: Vec<Uuid> = waiting.iter().map(|id| id.uuid()).collect();
        if !waiting.is_empty() {
            repo::wait_in_tx(tx, &waiting).await?;
        }
        // Another instance may have been faster: a month that has changed is read again.
        let active: Vec<Uuid> = active.iter().map(|id| id.uuid()).collect();
        let mut readings = repo_due::refresh_in_tx(tx, readings, &active).await?;
        let mut months = Vec::with_capacity(readings.len());
        for reading in &mut readings {
            let month = reading.compute().map_err(unreadable)?;
            months.extend(capitalise(&mut session.state, month, session.now));
        }

        repo::capitalised_in_tx(tx, months.iter(), session.now.instant).await?;
        Ok(CapitalisedMonths { state: session.save_in_tx(tx).await?, months })
    }

    fn log(done: &CapitalisedMonths) {
        count_outcomes(&done.state);
        info!(accounts = done.months.len(), "capitalised interest");
    }
}

fn unreadable(why: String) -> HandleError {
    HandleError::Hopeless(why.into())
}
