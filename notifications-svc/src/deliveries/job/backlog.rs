//! Shows what waits. Promise: a number that operators see is at most some seconds old, or the log
//! says why.

use std::time::Duration;

use metrics::gauge;
use shared_events::{
    envelope::chain,
    messaging::{BackgroundJob, HandleError, JobContext},
    notifications::Channel,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::recording::channel_label;
use crate::store::claims;
use crate::time_limit::in_time;

/// How often is counted: the count reads every pending delivery.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts what waits on these channels.
pub(crate) struct Gauges {
    pub(crate) channels: [Channel; 2],
}

impl BackgroundJob for Gauges {
    fn name(&self) -> String {
        "gauges".to_owned()
    }

    async fn run(&mut self, workshop: JobContext, shutdown: CancellationToken) {
        loop {
            for channel in self.channels {
                if let Err(error) = in_time(count(&workshop, channel)).await {
                    let channel = channel_label(channel);
                    warn!(channel, error = %chain(&error), "cannot count what is pending");
                }
            }
            if timeout(COUNT_EVERY, shutdown.cancelled()).await.is_ok() {
                return;
            }
        }
    }
}

async fn count(workshop: &JobContext, channel: Channel) -> Result<(), HandleError> {
    let mut work = workshop.begin().await?;
    let backlog = claims::backlog_in_tx(&mut work.tx(), channel).await?;
    let channel = channel_label(channel);
    // Counts are far below 2^53.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!("notifications_pending", "channel" => channel).set(backlog.pending as f64);
    gauge!("notifications_oldest_due_seconds", "channel" => channel).set(backlog.late_seconds);
    Ok(())
}
