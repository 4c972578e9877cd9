//! The months of the journal. Promise: a month has its table before its first record; where it has
//! none, because the database would not make it, records lie in a rest, and are moved.

use std::time::Duration;

use shared_events::{
    envelope::chain,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::legacy::store::journal;

/// How often it is looked whether a month is missing: there are months of time.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon it is tried again where it failed: mostly a lock was not to be had in half a second.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Makes room in the journal for the months to come.
pub(crate) struct Months;

impl BackgroundJob for Months {
    fn name(&self) -> String {
        "months".to_owned()
    }

    async fn run(&mut self, workshop: JobContext, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match workshop.bounded(keep(&workshop)).await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    warn!(error = %chain(&error), "the journal has no tables for months to come");
                    TRY_AGAIN_AFTER
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

async fn keep(workshop: &JobContext) -> Result<(), HandleError> {
    let mut work = workshop.begin().await?;
    journal::keep_in_tx(&mut work.tx()).await?;
    work.commit().await
}
