//! Shows erasures that are not completed.

use std::time::Duration;

use metrics::gauge;
use shared_events::{
    envelope::chain,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::repo;

/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// An erasure is late when it is not completed after a day.
const LATE_AFTER_SECONDS: f64 = 86_400.0;

/// Counts the erasures that are not completed: the other services have their parts to do.
pub(crate) struct ErasureGauges;

impl BackgroundJob for ErasureGauges {
    fn name(&self) -> String {
        "erasures".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = context.bounded(look(&context)).await {
                warn!(error = %chain(&error), "erasures were not counted");
            }
            let _ = timeout(LOOK_EVERY, shutdown.cancelled()).await;
        }
    }
}

async fn look(context: &JobContext) -> Result<(), HandleError> {
    let mut work = context.begin().await?;
    let (count, seconds) = repo::waiting_in_tx(&mut work.tx()).await?;
    work.commit().await?;
    gauge!("accounts_erasures_waiting").set(count);
    gauge!("accounts_erasure_age_seconds").set(seconds);
    if seconds > LATE_AFTER_SECONDS {
        warn!(count, seconds, "a holder's data are not erased everywhere after a day");
    }
    Ok(())
}
