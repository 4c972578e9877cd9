//! The time limit of work on the database. Promise: a server that vanished without a reset is given
//! up in seconds; slow work is finished in the end.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{database_fault::silent, handler::HandleError};

/// A transaction takes milliseconds. PostgreSQL's protocol has no heartbeat, so silence is the only
/// sign of a server whose host is gone.
const BOUND_FIRST: Duration = Duration::from_secs(5);
/// Longer than any statement: the server ends statements at 60 s.
const BOUND_MAX: Duration = Duration::from_secs(90);

/// A bound that doubles each time that it was too short, and is reset as soon as work takes a small
/// part of it.
#[derive(Debug)]
pub(crate) struct AdaptiveTimeout(AtomicU64);

impl AdaptiveTimeout {
    pub(crate) fn new() -> Self {
        let time_limit = Self(AtomicU64::new(0));
        time_limit.set(BOUND_FIRST);
        time_limit
    }

    fn bound(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, bound: Duration) {
        let millis = u64::try_from(bound.as_millis()).expect("bounds are seconds");
        self.0.store(millis, Ordering::Relaxed);
    }

    /// The result of the work, or a transient fault after the bound. Unfinished work is dropped and
    /// closes its connection.
    pub(crate) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, HandleError>>,
    ) -> Result<T, HandleError> {
        let (bound, began) = (self.bound(), Instant::now());
        let ended = tokio::time::timeout(bound, work).await;
        self.learn(bound, ended.is_ok().then(|| began.elapsed()));
        ended.unwrap_or_else(|_| Err(silent(bound).into()))
    }

    /// Sets the next bound, after work with this bound took so long, or did not end.
    fn learn(&self, bound: Duration, took: Option<Duration>) {
        match took {
            Some(took) if took > bound / 8 => {}
            Some(_) => self.set(BOUND_FIRST),
            None => self.set((bound * 2).min(BOUND_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether work of this duration ends within the bound.
    fn ends(seconds: u64, time_limit: &AdaptiveTimeout) -> bool {
        let (bound, takes) = (time_limit.bound(), Duration::from_secs(seconds));
        let took = (takes <= bound).then_some(takes);
        time_limit.learn(bound, took);
        took.is_some()
    }

    #[test]
    fn slow_work_is_done_in_the_end_and_silence_is_noticed_at_once() {
        let time_limit = AdaptiveTimeout::new();
        assert!(ends(4, &time_limit));
        assert!(!ends(12, &time_limit), "given up at 5 s");
        assert!(!ends(12, &time_limit), "given up at 10 s");
        assert!(ends(12, &time_limit), "within 20 s");
        assert!(ends(12, &time_limit), "and the next one at the first try");
        assert!(ends(1, &time_limit));
        assert_eq!(time_limit.bound(), BOUND_FIRST, "work is quick again");
    }

    #[test]
    fn nothing_is_waited_for_longer_than_any_statement_may_take() {
        let time_limit = AdaptiveTimeout::new();
        assert!((0..10).all(|_| !ends(100, &time_limit)));
        assert_eq!(time_limit.bound(), BOUND_MAX);
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_dropped_and_may_be_tried_again() {
        let time_limit = AdaptiveTimeout::new();
        time_limit.set(Duration::from_millis(10));
        let work = std::future::pending::<Result<(), HandleError>>();
        let given_up = time_limit.bounded(work).await;
        assert!(matches!(given_up, Err(HandleError::Transient(_))), "{given_up:?}");
        assert!(time_limit.bounded(async { Ok(()) }).await.is_ok());
    }
}
