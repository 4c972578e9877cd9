//! Closes a period. Promise: once a closing is answered, nothing is booked on its days or before
//! them any more, also by concurrent postings: every posting locks the end of a chain, where the
//! closed day stands, and a closing locks the ends of all chains.

use chrono::{Datelike, NaiveDate};
use shared_events::{CommandId, messaging::Tx};
use tracing::info;

use super::repo;
use crate::bank_calendar::{self, BOOKING_YEARS, Now};

/// Why a period is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeriodRefusal {
    /// The day is in no valid year.
    InvalidPeriod,
    /// The day is not over.
    NotOver,
    /// A later day is closed already.
    NotForward,
}

impl PeriodRefusal {
    /// The rule, in words.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::InvalidPeriod => "through: in the years 1900 to 2199",
            Self::NotOver => "through: at the latest yesterday",
            Self::NotForward => "through: a later day is closed already",
        }
    }
}

/// Closes all days up to this one. Closing the same day again succeeds again.
pub(crate) async fn close_in_tx(
    tx: &mut Tx<'_>,
    command: CommandId,
    through: NaiveDate,
    now: Now,
) -> sqlx::Result<Result<(), PeriodRefusal>> {
    if !BOOKING_YEARS.contains(&through.year()) {
        return Ok(Err(PeriodRefusal::InvalidPeriod));
    }
    if through >= now.today {
        return Ok(Err(PeriodRefusal::NotOver));
    }
    let closed = repo::lock_chains_in_tx(tx).await?;
    if closed.is_some_and(|closed| through < closed) {
        return Ok(Err(PeriodRefusal::NotForward));
    }
    if closed != Some(through) {
        // After all open postings, and before all later ones.
        let at = bank_calendar::repo::clock(tx).await?.instant;
        repo::close_in_tx(tx, through, command, at).await?;
        info!(%through, "closed period");
    }
    Ok(Ok(()))
}
