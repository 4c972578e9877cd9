//! Walks through old notifications and deletes them, once an hour.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::{TimeDelta, Utc};
use futures_util::FutureExt;
use metrics::counter;
use shared_events::{
    envelope::chain,
    ids::NotificationId,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::repo::{self, StepResult};
use crate::{ids::first_id_of, settings::Retention, time_limit::within_limit};

/// The interval of the walks.
const WALK_EVERY: Duration = Duration::from_secs(3_600);
/// The pause after a walk that failed.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The most notifications that one step reads: its transaction takes some milliseconds.
const STEP_ROWS_MAX: i64 = 1_000;
/// An id begins with the time of the event. A notification that is made this long after its event
/// is still found when it is old; one that is made even later is found by the next walk from the
/// start.
const LATE_BY_MAX: TimeDelta = TimeDelta::days(1);
/// After so many rounds the walk begins at the start: about once a week.
const ROUNDS_MAX: u32 = 168;
/// The pause after a step that deleted rows, so that other work gets its share of the disk.
const PAUSE: Duration = Duration::from_millis(50);

const FIRST: NotificationId = NotificationId(Uuid::nil());

/// Deletes notifications that are older than the settings allow.
pub(crate) struct RetentionJob {
    retention: Retention,
    /// The ids that the walks have reached: the one over notifications without delivery, and the
    /// one over all notifications.
    untold: NotificationId,
    told: NotificationId,
    rounds: u32,
}

impl BackgroundJob for RetentionJob {
    fn name(&self) -> String {
        "retention of notifications".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        loop {
            let round = AssertUnwindSafe(self.round(&context, &shutdown)).catch_unwind();
            let pause = match round.await {
                Ok(Ok(())) => WALK_EVERY,
                Ok(Err(error)) => {
                    warn!(error = %chain(&error), "could not delete old notifications");
                    RETRY_AFTER
                }
                Err(_) => {
                    error!("a round of deleting old notifications panicked; the next one follows");
                    RETRY_AFTER
                }
            };
            if timeout(pause, shutdown.cancelled()).await.is_ok() {
                return;
            }
        }
    }
}

impl RetentionJob {
    pub(crate) const fn new(retention: Retention) -> Self {
        Self { retention, untold: FIRST, told: FIRST, rounds: 0 }
    }

    async fn round(
        &mut self,
        context: &JobContext,
        shutdown: &CancellationToken,
    ) -> Result<(), HandleError> {
        let Retention { told_days, untold_days } = self.retention;
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            *self = Self::new(self.retention);
        }
        let untold = walk(context, shutdown, &mut self.untold, untold_days, true).await?;
        let told = walk(context, shutdown, &mut self.told, told_days, false).await?;
        if untold + told > 0 {
            info!(untold, told, "deleted old notifications");
        }
        Ok(())
    }
}

/// Walks on from the last walk to the notifications that are younger than so many days. Returns the
/// number of deleted notifications.
async fn walk(
    context: &JobContext,
    shutdown: &CancellationToken,
    after: &mut NotificationId,
    days: i32,
    only_untold: bool,
) -> Result<u64, HandleError> {
    let mut deleted = 0;
    let before = Utc::now() - TimeDelta::days(days.into()) - LATE_BY_MAX;
    let before = NotificationId(first_id_of(before));
    while !shutdown.is_cancelled() {
        let step = within_limit(step(context, (*after, before), days, only_untold)).await?;
        deleted += step.deleted;
        counter!("notifications_pruned_total").increment(step.deleted);
        let Some(last) = step.last else { break };
        *after = last;
        if step.deleted > 0 {
            let _ = timeout(PAUSE, shutdown.cancelled()).await;
        }
    }
    Ok(deleted)
}

async fn step(
    context: &JobContext,
    between: (NotificationId, NotificationId),
    days: i32,
    only_untold: bool,
) -> Result<StepResult, HandleError> {
    let mut work = context.begin().await?;
    let step =
        repo::delete_in_tx(&mut work.tx(), between, days, only_untold, STEP_ROWS_MAX).await?;
    work.commit().await?;
    Ok(step)
}
