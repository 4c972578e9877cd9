//! Waiting for a condition. Promise: no fact sleeps and hopes; a condition that does not hold by
//! its deadline is named with the last obstacle.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// The usual deadline. A machine with two cores and four facts on them is slow at times; a right
/// result comes long before.
pub const PATIENCE: Duration = Duration::from_secs(90);
const POLL_EVERY: Duration = Duration::from_millis(25);

/// Waits until `condition` holds. Its errors count as "not yet"; the last one is told when the
/// deadline has passed.
pub async fn wait_for(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    wait_value(what, deadline, async || Ok(condition().await?.then_some(()))).await
}

/// Waits until `look` finds a value, and returns it.
pub async fn wait_value<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let until = Instant::now() + deadline;
    loop {
        let looked = tokio::time::timeout(deadline, look()).await;
        let obstacle = match looked.unwrap_or_else(|_| Err(anyhow!("looking took too long"))) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("the condition does not hold"),
            Err(error) => error,
        };
        if Instant::now() >= until {
            let waited = deadline.as_secs_f32();
            return Err(obstacle.context(format!("waited {waited} s for: {what}")));
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}
