//! The end of every measurement. Promise: all sent transfers have arrived, and no others.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{fault::BenchError, store};

/// A bank that has stood still for so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until each of so many transfers has its two notifications, one for each side.
pub(crate) async fn settle(
    notifications: &PgPool,
    since: Uuid,
    transfers: u64,
) -> Result<(), BenchError> {
    let expected = i64::try_from(transfers * 2).unwrap_or(i64::MAX);
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let (all, rejected) = store::all_notified(notifications, since).await?;
        let came = format!("{all} notifications of {transfers} transfers");
        if rejected > 0 || all > expected {
            return Err(BenchError::Wrong(format!("{came}, {rejected} of rejected ones")));
        }
        if all == expected {
            return Ok(());
        }
        if all > last {
            (last, moved) = (all, Instant::now());
        } else if moved.elapsed() > PATIENCE {
            return Err(BenchError::Wrong(format!("{came}, and no more come")));
        }
        sleep(LOOK_EVERY).await;
    }
}
