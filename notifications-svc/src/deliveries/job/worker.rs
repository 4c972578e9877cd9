//! The delivery worker of one channel, so that a slow webhook delays no e-mail. Promise: an attempt
//! that has begun when the service stops is finished and recorded; a receiver that hangs, a row
//! that cannot be read and a panic in one attempt affect no other delivery.
//!
//! **A round** of the worker:
//! 1. One transaction: search for due deliveries that the caps allow (at most [`SEARCHES_MAX`]
//!    statements), claim them with a lease by the database's clock, commit.
//! 2. Each claimed delivery is one attempt in a task of its own, bounded by [`ATTEMPT_MAX`]. No
//!    transaction is open meanwhile.
//! 3. Attempts that have ended are recorded in one transaction (`recording`).
//!
//! **A crash** between claim and record loses nothing: the lease ends, and the attempt is made
//! again, under the same delivery id.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use metrics::counter;
use shared_events::{
    envelope::chain,
    ids::DeliveryId,
    messaging::{BackgroundJob, HandleError, JobContext},
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::{
    Wakeup,
    recording::{FinishedAttempt, record},
};
use crate::{
    deliveries::{
        AttemptResult, PendingDelivery, Schedule, ToEvent, Transport,
        repo::{self, UnreadableDelivery},
        traffic::{DueDelivery, TrafficControl},
    },
    time_limit::within_limit,
};

/// The longest that one attempt may take. Less than the bus gives a stopping service.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
/// The length of a claim's lease: an attempt and its recording, with room for a slow database. A
/// worker that takes longer counts as lost.
const LEASE_SECONDS: f64 = 60.0;
/// A delivery that this version cannot read is due again after this time.
const SET_ASIDE_SECONDS: f64 = 600.0;
/// An idle worker checks for due deliveries this often: for retries, and for deliveries of other
/// processes or of commits that came long after their wake-up.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// The interval after a wake-up, which comes a moment before the commit.
const CHECK_EVERY_AFTER_WAKEUP: Duration = Duration::from_millis(10);
/// The number of such quick checks after a wake-up, unless one finds a delivery.
const CHECKS_AFTER_WAKEUP: u32 = 20;
/// The most due deliveries that one statement finds.
const SEARCH_ROWS_MAX: i64 = 256;
/// The most such statements of one claim: each excludes at least one host or account more.
const SEARCHES_MAX: usize = 8;

/// Sends the due deliveries of one channel.
pub(crate) struct DeliveryWorker<T: Transport> {
    transport: Arc<T>,
    schedule: Arc<Schedule>,
    wakeup: Arc<Wakeup>,
    to_event: ToEvent,
    traffic: TrafficControl,
    under_way: JoinSet<FinishedAttempt>,
}

impl<T: Transport> BackgroundJob for DeliveryWorker<T> {
    fn name(&self) -> String {
        format!("{} delivery", Self::channel())
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        let mut quick_checks = 0_u32;
        while !shutdown.is_cancelled() {
            let round = AssertUnwindSafe(self.round(&context, &shutdown, quick_checks));
            quick_checks = match round.catch_unwind().await {
                Ok(quick_checks) => quick_checks,
                Err(_) => {
                    error!(
                        channel = Self::channel(),
                        "a round of the delivery worker panicked; the next one follows"
                    );
                    // Slots of deliveries that were admitted and not sent must not stay taken.
                    self.traffic = TrafficControl::new(T::LIMITS);
                    let _ = timeout(CHECK_EVERY, shutdown.cancelled()).await;
                    0
                }
            };
        }
        while let Some(first) = self.under_way.join_next().await {
            self.finish(first, &context, &shutdown).await;
        }
    }
}

impl<T: Transport> DeliveryWorker<T> {
    pub(crate) fn new(
        transport: T,
        schedule: Arc<Schedule>,
        wakeup: Arc<Wakeup>,
        to_event: ToEvent,
    ) -> Self {
        Self {
            transport: Arc::new(transport),
            schedule,
            wakeup,
            to_event,
            traffic: TrafficControl::new(T::LIMITS),
            under_way: JoinSet::new(),
        }
    }

    const fn channel() -> &'static str {
        T::CHANNEL.as_str()
    }

    /// Starts attempts for due deliveries, then waits for the next thing to do. Returns the number
    /// of quick checks that are left.
    async fn round(
        &mut self,
        context: &JobContext,
        shutdown: &CancellationToken,
        quick_checks: u32,
    ) -> u32 {
        let found = self.start_attempts(context).await;
        let quick_checks = if found { 0 } else { quick_checks.saturating_sub(1) };
        let pause = if quick_checks > 0 { CHECK_EVERY_AFTER_WAKEUP } else { CHECK_EVERY };
        let wakeup = Arc::clone(&self.wakeup);
        tokio::select! {
            () = shutdown.cancelled() => quick_checks,
            () = wakeup.wait(T::CHANNEL) => CHECKS_AFTER_WAKEUP,
            Some(first) = self.under_way.join_next() => {
                self.finish(first, context, shutdown).await;
                quick_checks
            }
            () = tokio::time::sleep(pause) => quick_checks,
        }
    }

    /// Claims due deliveries, as many as have a slot, and starts an attempt for each. Returns
    /// whether there was any.
    async fn start_attempts(&mut self, context: &JobContext) -> bool {
        let mut admitted = Vec::new();
        let claimed = match self.traffic.free_slots() {
            0 => Ok(vec![]),
            _ => within_limit(self.claim(context, &mut admitted)).await,
        };
        let mut admitted: HashMap<DeliveryId, DueDelivery> =
            admitted.into_iter().map(|due| (due.id, due)).collect();
        let claimed = claimed.unwrap_or_else(|error| {
            warn!(channel = Self::channel(), error = %chain(&error),
                "cannot search for due deliveries");
            vec![]
        });
        let found = !claimed.is_empty();
        for delivery in claimed {
            if let Some(due) = admitted.remove(&delivery.id) {
                self.under_way.spawn(attempt(Arc::clone(&self.transport), due, delivery));
            }
        }
        // The others were claimed by another worker, or by none: they are due as before.
        admitted.values().for_each(|due| self.traffic.release(due));
        found
    }

    /// One transaction: search, admit by the caps, claim. `admitted` has the deliveries that took a
    /// slot, whether the transaction is committed or not.
    async fn claim(
        &mut self,
        context: &JobContext,
        admitted: &mut Vec<DueDelivery>,
    ) -> Result<Vec<PendingDelivery>, HandleError> {
        let mut work = context.begin().await?;
        for _ in 0..SEARCHES_MAX {
            let now = std::time::Instant::now();
            let exclusions = self.traffic.exclusions(now);
            let ids = ids_of(admitted);
            let mut tx = work.tx();
            let search = repo::due_in_tx(&mut tx, T::CHANNEL, &exclusions, &ids, SEARCH_ROWS_MAX);
            let due = search.await?;
            let is_all = (due.len() as u64) < SEARCH_ROWS_MAX.unsigned_abs();
            admitted.extend(due.into_iter().filter(|due| self.traffic.admit(due, now)));
            if is_all || self.traffic.free_slots() == 0 {
                break;
            }
        }
        if admitted.is_empty() {
            work.commit().await?;
            return Ok(vec![]);
        }
        let rows = repo::claim_in_tx(&mut work.tx(), &ids_of(admitted), LEASE_SECONDS).await?;
        let (mut claimed, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match row {
                Ok(delivery) => claimed.push(delivery),
                Err(row) => unreadable.push(row),
            }
        }
        if !unreadable.is_empty() {
            repo::set_aside_in_tx(&mut work.tx(), &unreadable, SET_ASIDE_SECONDS).await?;
        }
        work.commit().await?;
        unreadable.iter().for_each(Self::report_unreadable);
        Ok(claimed)
    }

    fn report_unreadable(row: &UnreadableDelivery) {
        counter!("notifications_set_aside_total", "channel" => Self::channel()).increment(1);
        warn!(delivery.id = %row.id, channel = Self::channel(), reason = row.reason,
            "set aside a delivery that this version cannot read");
    }

    /// Records all attempts that have ended by now, in one transaction.
    async fn finish(
        &mut self,
        first: Result<FinishedAttempt, JoinError>,
        context: &JobContext,
        shutdown: &CancellationToken,
    ) {
        let more = std::iter::from_fn(|| self.under_way.try_join_next());
        let joined = std::iter::once(first).chain(more);
        let finished: Vec<FinishedAttempt> = joined.filter_map(without_join_errors).collect();
        for attempt in &finished {
            self.traffic.end(&attempt.due, attempt.duration);
            if let Some(pause) = attempt.result.retry_after {
                let until = std::time::Instant::now() + pause;
                self.traffic.pause(attempt.due.account_id, until);
            }
        }
        self.record_until_done(context, shutdown, &finished).await;
    }

    /// Records attempts, and waits for a database that is away; no new attempt is begun meanwhile.
    /// Where one attempt cannot be recorded, all are recorded one by one.
    async fn record_until_done(
        &self,
        context: &JobContext,
        shutdown: &CancellationToken,
        finished: &[FinishedAttempt],
    ) {
        loop {
            let recording = record(context, T::CHANNEL, &self.schedule, self.to_event, finished);
            let error = match within_limit(recording).await {
                Ok(()) => return,
                Err(error) => error,
            };
            match (&error, finished) {
                (HandleError::Transient(_), _) if shutdown.is_cancelled() => {
                    warn!(attempts = finished.len(), error = %chain(&error),
                        "stopping without recording; these attempts will be made again");
                    return;
                }
                (HandleError::Transient(_), _) => {
                    warn!(attempts = finished.len(), error = %chain(&error),
                        "cannot record attempts now; trying again");
                    let _ = timeout(CHECK_EVERY, shutdown.cancelled()).await;
                }
                (HandleError::Hopeless(_), [attempt]) => {
                    error!(delivery.id = %attempt.delivery.id, error = %chain(&error),
                        "an attempt cannot be recorded; it will be made again");
                    return;
                }
                (HandleError::Hopeless(_), _) => {
                    for attempt in finished {
                        let one = std::slice::from_ref(attempt);
                        Box::pin(self.record_until_done(context, shutdown, one)).await;
                    }
                    return;
                }
            }
        }
    }
}

fn ids_of(due: &[DueDelivery]) -> Vec<Uuid> {
    due.iter().map(|due| due.id.uuid()).collect()
}

/// Makes one attempt. An attempt that panics has failed like any other: the delivery is tried
/// again, and given up in the end.
async fn attempt<T: Transport>(
    transport: Arc<T>,
    due: DueDelivery,
    delivery: PendingDelivery,
) -> FinishedAttempt {
    let started = Instant::now();
    let sending = AssertUnwindSafe(timeout(ATTEMPT_MAX, transport.send(&delivery))).catch_unwind();
    let result = match sending.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => AttemptResult::unreachable("no answer in time"),
        Err(_) => {
            error!(delivery.id = %delivery.id, "an attempt panicked");
            AttemptResult::unreachable("the attempt broke off by a fault of the service")
        }
    };
    FinishedAttempt { due, delivery, result, started, duration: started.elapsed() }
}

fn without_join_errors(joined: Result<FinishedAttempt, JoinError>) -> Option<FinishedAttempt> {
    joined.inspect_err(|error| error!(%error, "an attempt broke off; it will be made again")).ok()
}
