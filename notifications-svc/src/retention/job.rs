//! Deletes what is old. Promise: the tables grow with what is told in some months, and not with the
//! age of the bank; a step is short, and what is still to be delivered stays.

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

use crate::time_limit::in_time;
use crate::{domain::first_id_of, settings::Retention, store::old};

/// How often it is looked for what has become old.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// After a fault it is looked again sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How many notifications one step looks at: its transaction takes some milliseconds.
const STEP_ROWS_MAX: i64 = 1_000;
/// A notification may be made so long after its event, whose time its id begins with, and is still
/// found when it is old; one that is made later yet is found by the next walk from the start.
const LATE_BY_MAX: TimeDelta = TimeDelta::days(1);
/// Every so many rounds the walk begins at the start: about once a week.
const ROUNDS_MAX: u32 = 168;
/// The pause after a step that deleted something, so that the disk is there for others, too.
const PAUSE: Duration = Duration::from_millis(50);

const FIRST: NotificationId = NotificationId(Uuid::nil());

/// Deletes what was told so long ago.
pub(crate) struct Pruner {
    retention: Retention,
    /// The ids up to which everything was looked at since the start: of what nobody was told, and
    /// of everything.
    untold: NotificationId,
    told: NotificationId,
    rounds: u32,
}

impl BackgroundJob for Pruner {
    fn name(&self) -> String {
        "old notifications".to_owned()
    }

    async fn run(&mut self, workshop: JobContext, shutdown: CancellationToken) {
        loop {
            let round = AssertUnwindSafe(self.round(&workshop, &shutdown)).catch_unwind();
            let pause = match round.await {
                Ok(Ok(())) => LOOK_EVERY,
                Ok(Err(error)) => {
                    warn!(error = %chain(&error), "old notifications were not deleted");
                    AGAIN_AFTER
                }
                Err(_) => {
                    error!("a round of deleting panicked; going on");
                    AGAIN_AFTER
                }
            };
            if timeout(pause, shutdown.cancelled()).await.is_ok() {
                return;
            }
        }
    }
}

impl Pruner {
    pub(crate) const fn new(retention: Retention) -> Self {
        Self { retention, untold: FIRST, told: FIRST, rounds: 0 }
    }

    async fn round(
        &mut self,
        workshop: &JobContext,
        shutdown: &CancellationToken,
    ) -> Result<(), HandleError> {
        let Retention { told_days, untold_days } = self.retention;
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            *self = Self::new(self.retention);
        }
        let untold = walk(workshop, shutdown, &mut self.untold, untold_days, true).await?;
        let told = walk(workshop, shutdown, &mut self.told, told_days, false).await?;
        if untold + told > 0 {
            info!(untold, told, "deleted old notifications");
        }
        Ok(())
    }
}

/// Walks from where the last walk ended to what is younger than so many days.
async fn walk(
    workshop: &JobContext,
    shutdown: &CancellationToken,
    after: &mut NotificationId,
    days: i32,
    only_untold: bool,
) -> Result<u64, HandleError> {
    let mut all = 0;
    let before = Utc::now() - TimeDelta::days(days.into()) - LATE_BY_MAX;
    let before = NotificationId(first_id_of(before));
    while !shutdown.is_cancelled() {
        let step = in_time(step(workshop, (*after, before), days, only_untold)).await?;
        all += step.deleted;
        counter!("notifications_pruned_total").increment(step.deleted);
        let Some(last) = step.last else { break };
        *after = last;
        if step.deleted > 0 {
            let _ = timeout(PAUSE, shutdown.cancelled()).await;
        }
    }
    Ok(all)
}

async fn step(
    workshop: &JobContext,
    between: (NotificationId, NotificationId),
    days: i32,
    only_untold: bool,
) -> Result<old::Step, HandleError> {
    let mut work = workshop.begin().await?;
    let step = old::delete_in_tx(&mut work.tx(), between, days, only_untold, STEP_ROWS_MAX).await?;
    work.commit().await?;
    Ok(step)
}
