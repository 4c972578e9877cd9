//! Supervision of a service's parts. Promise: a panic ends one run of one part; the part's health
//! shows the panic, the part begins again after a pause, and no other part notices.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::amqp::{connection::Backoff, health::Health};

/// A part that has run for so long is healthy.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// Runs one part again and again until the service stops.
pub(crate) struct Supervisor {
    part: String,
    health: Health,
    shutdown: CancellationToken,
    backoff: Backoff,
    /// Whether the part's health shows the end of its last run.
    has_failed: bool,
}

impl Supervisor {
    pub(crate) fn new(part: String, health: Health, shutdown: CancellationToken) -> Self {
        health.good(&part);
        Self { part, health, shutdown, backoff: Backoff::new(), has_failed: false }
    }

    /// Runs the part once. Returns whether the part has to run again.
    pub(crate) async fn restarts_after(&mut self, run: impl Future<Output = ()>) -> bool {
        let mut running = std::pin::pin!(AssertUnwindSafe(run).catch_unwind());
        let ended = match tokio::time::timeout(HEALTHY_AFTER, &mut running).await {
            Ok(ended) => ended,
            Err(_) => {
                if std::mem::take(&mut self.has_failed) {
                    self.health.good(&self.part);
                    self.backoff = Backoff::new();
                }
                running.await
            }
        };
        if self.shutdown.is_cancelled() {
            return false;
        }
        let why = match ended {
            Ok(()) => "the part ended by itself".to_owned(),
            Err(panic) => panicked(&self.part, &*panic),
        };
        self.health.bad(&self.part, why);
        self.has_failed = true;
        let pause = self.backoff.next_pause();
        tokio::time::timeout(pause, self.shutdown.cancelled()).await.is_err()
    }
}

/// Logs and counts a panic, and returns its text.
pub(crate) fn panicked(part: &str, panic: &(dyn Any + Send)) -> String {
    counter!("bus_panics_total", "part" => part.to_owned()).increment(1);
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    error!(part, panic = text, "a part of the service panicked; it begins again");
    format!("the part panicked: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_shows_it_and_begins_again() {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let mut supervisor = Supervisor::new("job".to_owned(), health.clone(), shutdown.clone());
        for number in 1..=2 {
            let restarts = supervisor.restarts_after(async { panic!("no {number}") }).await;
            assert!(restarts, "after panic {number}");
            let why = health.report()["job"].clone();
            assert_eq!(why, Some(format!("the part panicked: no {number}")));
        }
        let restarts = supervisor.restarts_after(async { shutdown.cancel() }).await;
        assert!(!restarts, "the service stops");
    }
}
