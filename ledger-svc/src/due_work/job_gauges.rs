//! Metrics of due work for operators: the number of postponed items, and the lag of the clock.

use std::time::Duration;

use metrics::gauge;
use shared_events::{
    envelope::chain,
    messaging::{HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::repo;
use crate::bank_calendar;

/// The pause between two measurements.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// A clock with a longer lag was set wrong, or is another server's.
const BEHIND_SECONDS_MAX: f64 = 1.0;

/// Measures until `shutdown`.
pub(crate) async fn measure(
    kinds: &[&'static str],
    context: &JobContext,
    shutdown: &CancellationToken,
) {
    while !shutdown.is_cancelled() {
        if let Err(error) = context.bounded(measure_once(kinds, context)).await {
            warn!(error = %chain(&error), "cannot count the postponed items");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(MEASURE_EVERY) => {}
        }
    }
}

async fn measure_once(kinds: &[&'static str], context: &JobContext) -> Result<(), HandleError> {
    let mut work = context.begin().await?;
    let tx = &mut work.tx();
    for kind in kinds.iter().copied() {
        let count = repo::count_in_tx(tx, kind).await?;
        gauge!("ledger_set_aside", "kind" => kind)
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
    let behind = bank_calendar::repo::clock_behind(tx).await?;
    gauge!("ledger_clock_behind_seconds").set(behind);
    if behind > BEHIND_SECONDS_MAX {
        warn!(seconds = behind, "the database's clock is behind the ledger's last decision");
    }
    work.commit().await
}
