//! What operators see of what is due: how much is set aside, and whether the clock is right.

use std::time::Duration;

use metrics::gauge;
use shared_events::{
    envelope::chain,
    messaging::{HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::legacy::due::{holds::Holds, interest::Interest, orders::Orders, round::Kind};
use crate::legacy::store::{periods, set_aside};

/// How often it is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// A clock that is further behind than this was set wrong, or is another server's.
const BEHIND_SECONDS_MAX: f64 = 1.0;

/// Measures until `shutdown`.
pub(crate) async fn measure(workshop: &JobContext, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = workshop.bounded(measure_once(workshop)).await {
            warn!(error = %chain(&error), "what is set aside was not counted");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(MEASURE_EVERY) => {}
        }
    }
}

async fn measure_once(workshop: &JobContext) -> Result<(), HandleError> {
    let mut work = workshop.begin().await?;
    let tx = &mut work.tx();
    for kind in [Holds::NAME, Interest::NAME, Orders::NAME] {
        let count = set_aside::count_in_tx(tx, kind).await?;
        gauge!("ledger_set_aside", "kind" => kind)
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
    let behind = periods::clock_behind(tx).await?;
    gauge!("ledger_clock_behind_seconds").set(behind);
    if behind > BEHIND_SECONDS_MAX {
        warn!(seconds = behind, "the database's clock is behind the ledger's last decision");
    }
    work.commit().await
}
