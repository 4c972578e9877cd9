//! Months that are over: their interest and fees are posted.

use chrono_tz::Tz;
use shared_events::{
    CorrelationId,
    bus::{HandleError, Workshop},
    ledger::Party,
};
use tracing::info;
use uuid::Uuid;

use crate::{
    domain::{Charge, DueMonth, charge_id},
    handle::{
        announce::Told,
        desk::{Named, now},
        post::count,
    },
    store::{interest, queries},
};

/// The most accounts of which a month is capitalised in one transaction.
const ACCOUNTS_MAX: usize = 50;

/// Capitalises a month of accounts that have one due, and says whether there may be more. Of each
/// account one month at a time: the next one's balances depend on it.
pub(super) async fn capitalise(workshop: &Workshop, zone: Tz) -> Result<bool, HandleError> {
    let mut work = workshop.begin().await?;
    let today = now(queries::now(&mut work.tx()).await?, zone).today;
    let accounts = interest::due_in_tx(&mut work.tx(), today, ACCOUNTS_MAX).await?;
    if accounts.is_empty() {
        return Ok(false);
    }
    let ids: Vec<Uuid> = accounts.iter().map(|(id, _)| id.uuid()).collect();
    let mut named = Named::default();
    let months = interest::months_in_tx(&mut work.tx(), &ids).await?;
    for (id, currency) in &accounts {
        named.account(*id);
        for charge in Charge::ALL {
            named.party(&Party::Code(charge.own_account()), *currency);
        }
    }
    for (id, month) in months {
        Charge::ALL.iter().for_each(|charge| named.id(charge_id(id, *charge, month)));
    }
    let mut desk = named.lock_in_tx(&mut work.tx(), zone).await?;

    // Another instance may have been faster: the months are read again under the lock.
    let months = interest::months_in_tx(&mut work.tx(), &ids).await?;
    let until = (desk.now.today, None);
    let mut bearing = interest::bearing(&mut work.tx(), &ids, until).await?;
    let sums = interest::sums_in_tx(&mut work.tx(), &ids).await?;
    let mut done = Vec::with_capacity(months.len());
    for (account, month) in months {
        let bearing = bearing.remove(&account).unwrap_or_default();
        let (credited, debited) = sums.get(&account).copied().unwrap_or_default();
        let due = DueMonth { account, month, bearing, credited, debited };
        done.extend(desk.books.capitalise(&due, desk.now));
    }

    interest::capitalised_in_tx(&mut work.tx(), &done, desk.now.instant).await?;
    let books = desk.save_in_tx(&mut work.tx()).await?;
    for month in &done {
        let mut told = Told::default();
        month.transfers.iter().for_each(|id| told.decided(&books, *id));
        for event in told.into_events(month.cause) {
            work.announce(month.cause, CorrelationId(month.cause.0), event);
        }
    }
    work.commit().await?;
    count(&books);
    info!(accounts = done.len(), "capitalised interest");
    Ok(true)
}
