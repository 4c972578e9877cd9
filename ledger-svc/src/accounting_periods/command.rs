//! Closed periods. Promise: once a closing is answered, nothing is booked on its days or before
//! them any more, whoever is posting meanwhile: every posting holds one of the chains' ends, where
//! it reads what is closed, and a closing holds them all.

use chrono::Datelike;
use shared_events::{
    CommandId,
    ledger::{ClosePeriod, LedgerCommandRejected, LedgerReason, PeriodClosed, PeriodFound},
    message::Message,
    messaging::{Answer, HandleError, Outcome, Tx},
};
use tracing::info;

use crate::{
    legacy::domain::{BOOKING_YEARS, Now},
    legacy::handle::{answer::Answered, bank_time::BankTime},
    legacy::store::periods,
};

/// Closes a period. The same day again is answered again.
pub(crate) async fn close_in_tx(
    tx: &mut Tx<'_>,
    command: CommandId,
    asked: &ClosePeriod,
    now: Now,
) -> Result<Outcome, HandleError> {
    let through = asked.through;
    if !BOOKING_YEARS.contains(&through.year()) {
        let rule = "through: in the years 1900 to 2199";
        return Ok(refused(command, LedgerReason::InvalidPeriod, rule));
    }
    if through >= now.today {
        let rule = "through: at the latest yesterday";
        return Ok(refused(command, LedgerReason::PeriodNotOver, rule));
    }
    let closed = periods::hold_in_tx(tx).await?;
    if closed.is_some_and(|closed| through < closed) {
        let rule = "through: a later day is closed already";
        return Ok(refused(command, LedgerReason::PeriodNotForward, rule));
    }
    if closed != Some(through) {
        // After all that was being posted, and before all that will be.
        let at = periods::clock(tx).await?.instant;
        periods::close_in_tx(tx, through, command, at).await?;
        info!(%through, "closed period");
    }
    Ok(Outcome::announce(&PeriodClosed { command_id: command, through }))
}

/// A closing that was refused, and changed nothing.
pub(crate) fn refused(command_id: CommandId, reason: LedgerReason, rule: &str) -> Outcome {
    let command_type = ClosePeriod::TYPE.to_owned();
    let message = rule.to_owned();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The days on which can be booked.
pub(crate) async fn found(tx: &mut Tx<'_>, time: BankTime) -> Answered {
    let Now { today, bookable, .. } = time.now(periods::clock(tx).await?);
    let closed_through = bookable.closed_through;
    let closed_at = match closed_through {
        Some(through) => periods::closed_at(tx, through).await?,
        None => None,
    };
    let latest = bookable.latest(today);
    Ok(Ok(Answer::found(&PeriodFound { closed_through, closed_at, today, latest })))
}
