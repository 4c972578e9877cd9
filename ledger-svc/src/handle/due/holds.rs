//! Holds whose time is over.

use chrono_tz::Tz;
use shared_events::{
    CorrelationId, MessageId, TransferId,
    bus::{HandleError, Workshop},
};
use tracing::info;

use crate::{
    handle::{announce::Told, desk::Named, post::count},
    store::holds,
};

/// The most holds that end in one transaction.
const HOLDS_MAX: usize = 250;

/// Ends holds whose time is over, and says whether there may be more.
pub(super) async fn expire(workshop: &Workshop, zone: Tz) -> Result<bool, HandleError> {
    let mut work = workshop.begin().await?;
    let due = holds::due_in_tx(&mut work.tx(), HOLDS_MAX).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let mut named = Named::default();
    due.iter().for_each(|id| named.hold(TransferId(*id)));
    let mut desk = named.lock_in_tx(&mut work.tx(), zone).await?;
    // Another instance, or a capture, may have been faster.
    let now = desk.now;
    let mut expired = Vec::new();
    for id in &due {
        if let Some(expiry) = desk.books.expire(TransferId(*id), now) {
            expired.push((MessageId(*id), expiry));
        }
    }
    let books = desk.save_in_tx(&mut work.tx()).await?;
    for (cause, id) in &expired {
        let mut told = Told::default();
        told.decided(&books, *id);
        for event in told.into_expiries() {
            work.announce(*cause, CorrelationId(cause.0), event);
        }
    }
    work.commit().await?;
    count(&books);
    info!(holds = expired.len(), "expired holds");
    Ok(due.len() == HOLDS_MAX)
}
