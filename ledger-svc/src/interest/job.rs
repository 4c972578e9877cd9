//! Months that are over: their interest and fees are posted.
//!
//! Shape: read terms and entries, and work the months out, while nothing is locked -> lock the
//! accounts, the bank's own accounts and a chain -> read what has come since -> post. So a long
//! history delays nobody else's posting.

use shared_events::{
    AccountId, CorrelationId,
    messaging::{HandleError, JobContext},
};
use tracing::info;
use uuid::Uuid;

use crate::legacy::due::round::{Found, Kind, Turn};
use crate::{
    legacy::domain::{Charge, Status, charge_id},
    legacy::handle::{
        announce,
        bank_time::BankTime,
        desk::Named,
        post::count,
        unsettled::{self, Unsettled},
    },
    legacy::store::{interest, periods, set_aside::Key},
};

/// The most accounts of which a month is capitalised in one transaction.
const ACCOUNTS_MAX: usize = 50;

/// Capitalises a month of accounts that have one due. Of each account one month at a time: the next
/// one's balances depend on it.
pub(crate) struct Interest {
    pub(crate) time: BankTime,
}

impl Kind for Interest {
    type Item = AccountId;
    const NAME: &'static str = "interest";

    async fn due(&self, workshop: &JobContext) -> Result<Found<AccountId>, HandleError> {
        let mut work = workshop.begin().await?;
        let today = self.time.now(periods::clock(&mut work.tx()).await?).today;
        let due = interest::due(&mut work.tx(), today, ACCOUNTS_MAX).await?;
        let more = !due.is_empty();
        let turns = due.into_iter().map(|(id, failed)| {
            let key = Key { kind: Self::NAME, about: id.uuid(), part: Uuid::nil() };
            Turn { key, item: Ok(id), failed }
        });
        Ok(Found { turns: turns.collect(), more })
    }

    async fn handle(&self, workshop: &JobContext, due: &[AccountId]) -> Result<(), HandleError> {
        let ids: Vec<Uuid> = due.iter().map(|id| id.uuid()).collect();
        let mut work = workshop.begin().await?;
        let mut all = unsettled::read(&mut work.tx(), &ids).await?;
        let mut named = Named::default();
        for it in &mut all {
            it.work_out().map_err(unreadable)?;
            name(&mut named, it);
        }
        let mut desk = named.lock_in_tx(&mut work.tx(), self.time).await?;

        let is_active = |id| desk.books.account(id).is_some_and(|it| it.status == Status::Active);
        let (active, waiting): (Vec<AccountId>, Vec<AccountId>) =
            due.iter().copied().partition(|id| is_active(*id));
        let waiting: Vec<Uuid> = waiting.iter().map(|id| id.uuid()).collect();
        if !waiting.is_empty() {
            interest::wait_in_tx(&mut work.tx(), &waiting).await?;
        }
        // Another instance may have been faster: what has changed is read again under the lock.
        let active: Vec<Uuid> = active.iter().map(|id| id.uuid()).collect();
        let mut all = unsettled::refresh_in_tx(&mut work.tx(), all, &active).await?;
        let mut done = Vec::with_capacity(all.len());
        for it in &mut all {
            done.extend(desk.books.capitalise(it.work_out().map_err(unreadable)?, desk.now));
        }

        interest::capitalised_in_tx(&mut work.tx(), done.iter(), desk.now.instant).await?;
        let books = desk.save_in_tx(&mut work.tx()).await?;
        for month in &done {
            for event in announce::capitalised(&books, month) {
                work.announce(month.cause, CorrelationId(month.cause.0), event);
            }
        }
        work.commit().await?;
        count(&books);
        info!(accounts = done.len(), "capitalised interest");
        Ok(())
    }
}

/// The account, the bank's own accounts of its currency, and the ids that a month's postings have.
fn name(named: &mut Named, it: &Unsettled) {
    let (account, month) = (it.next.account, it.next.month);
    named.account(account);
    named.charges(it.next.currency);
    Charge::ALL.iter().for_each(|charge| named.id(charge_id(account, *charge, month)));
}

fn unreadable(why: String) -> HandleError {
    HandleError::Hopeless(why.into())
}
