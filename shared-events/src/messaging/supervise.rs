//! Parts that go on whatever happens to them. Promise: a panic ends one try of one part; the part
//! says so, waits a moment and begins again, and no other part notices.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use metrics::counter;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::amqp::{connection::Backoff, health::Health};

/// A part that has worked so long is well.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// A part that is begun again and again until the service stops.
pub(crate) struct Supervisor {
    part: String,
    health: Health,
    shutdown: CancellationToken,
    backoff: Backoff,
    /// Whether it is said not to work, because of how it ended.
    failed: bool,
}

impl Supervisor {
    pub(crate) fn new(part: String, health: Health, shutdown: CancellationToken) -> Self {
        health.good(&part);
        Self { part, health, shutdown, backoff: Backoff::new(), failed: false }
    }

    /// Runs the part once. Whether it has to begin again: it should not end before the service.
    pub(crate) async fn goes_on_after(&mut self, run: impl Future<Output = ()>) -> bool {
        let mut running = std::pin::pin!(AssertUnwindSafe(run).catch_unwind());
        let ended = match tokio::time::timeout(WELL_AFTER, &mut running).await {
            Ok(ended) => ended,
            Err(_) => {
                if std::mem::take(&mut self.failed) {
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
            Ok(()) => "it ended by itself".to_owned(),
            Err(panic) => panicked(&self.part, &*panic),
        };
        self.health.bad(&self.part, why);
        self.failed = true;
        let pause = self.backoff.next_pause();
        tokio::time::timeout(pause, self.shutdown.cancelled()).await.is_err()
    }
}

/// Notes a panic, and says in words what it was.
pub(crate) fn panicked(part: &str, panic: &(dyn Any + Send)) -> String {
    counter!("bus_panics_total", "part" => part.to_owned()).increment(1);
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    error!(part, panic = text, "a part of the service panicked; it begins again");
    format!("it panicked: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_says_so_and_begins_again() {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let mut alive = Supervisor::new("job".to_owned(), health.clone(), shutdown.clone());
        for number in 1..=2 {
            let goes_on = alive.goes_on_after(async { panic!("no {number}") }).await;
            assert!(goes_on, "after panic {number}");
            let why = health.report()["job"].clone();
            assert_eq!(why, Some(format!("it panicked: no {number}")));
        }
        let stopped = alive.goes_on_after(async { shutdown.cancel() }).await;
        assert!(!stopped, "the service stops");
    }
}
