//! Balances that an old version of the ledger has left with more digits than can be told.

use chrono_tz::Tz;
use shared_events::{
    CorrelationId, MessageId,
    bus::{HandleError, Workshop},
    ledger::{AccountCode, Party},
};
use tracing::{info, warn};

use crate::{
    handle::{announce::Told, desk::Named, post::count},
    store::accounts,
};

/// Takes the digits that cannot be told off each such balance. Looked for once, when the ledger
/// starts: none comes after that.
pub(super) async fn take_off(workshop: &Workshop, zone: Tz) -> Result<(), HandleError> {
    let mut work = workshop.begin().await?;
    let long = accounts::too_long_in_tx(&mut work.tx()).await?;
    if long.is_empty() {
        return Ok(());
    }
    let mut named = Named::default();
    for (_, code, currency) in &long {
        for code in [code.clone(), AccountCode::fx_rounding()] {
            named.party(&Party::Code(code), *currency);
        }
    }
    let mut desk = named.lock_in_tx(&mut work.tx(), zone).await?;
    // Another instance may have been faster.
    let now = desk.now;
    let mut done = Vec::new();
    for (id, code, currency) in &long {
        done.extend(desk.books.take_digits_off(*id, now));
        if desk.books.account(*id).is_none_or(|account| account.after().is_none()) {
            warn!(account.id = %id, code = code.0, %currency, "its balance cannot be told");
        }
    }
    let books = desk.save_in_tx(&mut work.tx()).await?;
    for transfer in &done {
        let cause = MessageId(transfer.uuid());
        let mut told = Told::default();
        told.decided(&books, *transfer);
        for event in told.into_events(cause) {
            work.announce(cause, CorrelationId(cause.0), event);
        }
    }
    work.commit().await?;
    count(&books);
    info!(accounts = done.len(), "took digits off balances that could not be told");
    Ok(())
}
