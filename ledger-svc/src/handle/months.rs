//! The months of the journal. Promise: a month has its table before its first record; where it has
//! none, because the database would not make it, records lie in `journal_rest`, and are moved.

use std::time::Duration;

use shared_events::{
    bus::{HandleError, Worker, Workshop},
    envelope::chain,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::journal;

/// How often it is looked whether a month is missing: there are months of time.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);

/// Makes room in the journal for the months to come.
pub(crate) struct Months;

impl Worker for Months {
    fn name(&self) -> String {
        "months".to_owned()
    }

    async fn run(&mut self, workshop: Workshop, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = workshop.bounded(keep(&workshop)).await {
                warn!(error = %chain(&error), "the journal has no tables for months to come");
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}

async fn keep(workshop: &Workshop) -> Result<(), HandleError> {
    let mut work = workshop.begin().await?;
    journal::keep_in_tx(&mut work.tx()).await?;
    work.commit().await
}
