//! Balances that an old version of the ledger has left with more digits than can be told.

use std::time::Duration;

use shared_events::{
    CorrelationId, MessageId,
    envelope::chain,
    ledger::{AccountCode, Party},
    messaging::{HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::legacy::due::round::attempt;
use crate::{
    legacy::handle::{announce::Told, bank_time::BankTime, desk::Named, post::count},
    legacy::store::accounts,
};

/// How soon it is tried again where it failed.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Takes the digits that cannot be told off each such balance, when the ledger starts: none comes
/// after that.
pub(crate) async fn keep_trying(
    time: BankTime,
    workshop: &JobContext,
    shutdown: &CancellationToken,
) {
    while !shutdown.is_cancelled() {
        match attempt(workshop, Box::pin(take_off(workshop, time))).await {
            Ok(()) => return,
            Err(error) => warn!(error = %chain(&error), "cannot take digits off"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(TRY_AGAIN_AFTER) => {}
        }
    }
}

async fn take_off(workshop: &JobContext, time: BankTime) -> Result<(), HandleError> {
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
    let mut desk = named.lock_in_tx(&mut work.tx(), time).await?;
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
