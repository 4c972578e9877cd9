//! The tables of the journal's months. Promise: a month has its table before its first record. While
//! the database cannot make the table, the month's records lie in the rest table, and are moved.

use std::time::Duration;

use shared_events::{
    envelope::chain,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::repo;

/// The pause between two checks for missing months: the tables are made months ahead.
const CHECK_EVERY: Duration = Duration::from_secs(60 * 60);
/// The pause after a failure, which is mostly a lock that was not free within half a second.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Makes the tables of the months to come.
pub(crate) struct JournalMonths;

impl BackgroundJob for JournalMonths {
    fn name(&self) -> String {
        "months".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match context.bounded(make_months(&context)).await {
                Ok(()) => CHECK_EVERY,
                Err(error) => {
                    warn!(error = %chain(&error), "the journal has no tables for months to come");
                    RETRY_AFTER
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

async fn make_months(context: &JobContext) -> Result<(), HandleError> {
    let mut unit = context.begin().await?;
    repo::make_months_in_tx(&mut unit.tx()).await?;
    unit.commit().await
}
