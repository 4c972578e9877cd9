//! The closed days, and the days that can be booked on.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::messaging::Tx;

use super::repo;
use crate::bank_calendar::{self, BankTime, Now};

/// The days that can be booked on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenPeriod {
    pub(crate) closed_through: Option<NaiveDate>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) today: NaiveDate,
    pub(crate) latest: NaiveDate,
}

/// The days that can be booked on now.
pub(crate) async fn open_period(tx: &mut Tx<'_>, time: BankTime) -> sqlx::Result<OpenPeriod> {
    let Now { today, bookable, .. } = time.now(bank_calendar::repo::clock(tx).await?);
    let closed_through = bookable.closed_through;
    let closed_at = match closed_through {
        Some(through) => repo::closed_at(tx, through).await?,
        None => None,
    };
    Ok(OpenPeriod { closed_through, closed_at, today, latest: bookable.latest(today) })
}
