//! Metrics of pending deliveries. Promise: a figure is at most some seconds old, or the log has the
//! reason.

use std::time::Duration;

use metrics::gauge;
use shared_events::{
    envelope::chain,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{deliveries::repo, recipients::Channel, time_limit::within_limit};

/// The interval of counting. A count reads every pending delivery.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts the pending deliveries of every channel.
pub(crate) struct BacklogMetrics;

impl BackgroundJob for BacklogMetrics {
    fn name(&self) -> String {
        "backlog metrics".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        loop {
            for channel in Channel::ALL {
                if let Err(error) = within_limit(count(&context, channel)).await {
                    let channel = channel.as_str();
                    warn!(channel, error = %chain(&error), "cannot count pending deliveries");
                }
            }
            if timeout(COUNT_EVERY, shutdown.cancelled()).await.is_ok() {
                return;
            }
        }
    }
}

async fn count(context: &JobContext, channel: Channel) -> Result<(), HandleError> {
    let mut work = context.begin().await?;
    let backlog = repo::backlog_in_tx(&mut work.tx(), channel).await?;
    work.commit().await?;
    let channel = channel.as_str();
    // Counts are far below 2^53.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!("notifications_pending", "channel" => channel).set(backlog.pending as f64);
    gauge!("notifications_oldest_due_seconds", "channel" => channel).set(backlog.late_seconds);
    Ok(())
}
