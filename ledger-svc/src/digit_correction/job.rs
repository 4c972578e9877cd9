//! Corrects the overlong balances when the ledger starts: none comes later.

use std::time::Duration;

use shared_events::{
    CorrelationId, MessageId, TransferId,
    envelope::chain,
    ledger::AccountCode,
    messaging::{Event, HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::rules::correct;
use crate::{
    accounts,
    bank_calendar::BankTime,
    due_work::attempt,
    posting::{LockSet, Party, PostingSession, PostingState, count_outcomes},
};

/// The pause after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The corrections of one transaction.
pub(crate) struct CorrectedBalances {
    pub(crate) state: PostingState,
    pub(crate) transfers: Vec<TransferId>,
}

/// Corrects all overlong balances, and announces the transfers.
pub(crate) async fn correct_balances(
    time: BankTime,
    announce: fn(&CorrectedBalances) -> Vec<(MessageId, Event)>,
    context: &JobContext,
    shutdown: &CancellationToken,
) {
    while !shutdown.is_cancelled() {
        match attempt(context, Box::pin(correct_once(context, time, announce))).await {
            Ok(()) => return,
            Err(error) => warn!(error = %chain(&error), "cannot correct overlong balances"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    }
}

async fn correct_once(
    context: &JobContext,
    time: BankTime,
    announce: fn(&CorrectedBalances) -> Vec<(MessageId, Event)>,
) -> Result<(), HandleError> {
    let mut work = context.begin().await?;
    let overlong = accounts::repo::overlong_in_tx(&mut work.tx()).await?;
    if overlong.is_empty() {
        return work.commit().await;
    }
    let mut set = LockSet::default();
    for (_, code, currency) in &overlong {
        for code in [code.clone(), AccountCode::fx_rounding()] {
            set.party(&Party::Code(code), *currency);
        }
    }
    let mut session = PostingSession::open_in_tx(&mut work.tx(), set, time).await?;
    // Another instance may have been faster.
    let mut transfers = Vec::new();
    for (id, code, currency) in &overlong {
        transfers.extend(correct(&mut session.state, *id, session.now));
        if session.state.account(*id).is_none_or(|account| account.after().is_none()) {
            warn!(account.id = %id, code = code.0, %currency, "its balance has too many digits");
        }
    }
    let state = session.save_in_tx(&mut work.tx()).await?;
    let done = CorrectedBalances { state, transfers };
    for (cause, event) in announce(&done) {
        work.announce(cause, CorrelationId(cause.0), event);
    }
    work.commit().await?;
    count_outcomes(&done.state);
    info!(accounts = done.transfers.len(), "corrected overlong balances");
    Ok(())
}
