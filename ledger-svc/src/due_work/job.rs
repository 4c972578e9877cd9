//! Rounds of due items of one kind. Promise: an item that cannot be read, decided or stored, or
//! that makes the work panic, is postponed and tried again after ever longer pauses; no other item
//! waits for it.
//!
//! A round takes up to a number of items and handles them in one transaction. If that transaction
//! is hopeless, or has failed several times, each item is handled in a transaction of its own, and
//! the items that fail alone are postponed. An outage postpones nothing: the database cannot store
//! it.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use metrics::counter;
use shared_events::{
    CorrelationId, MessageId,
    amqp::Health,
    envelope::chain,
    messaging::{Event, HandleError, JobContext, Tx},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::repo::{self, ItemKey};

/// The pause between two rounds.
const ROUND_EVERY: Duration = Duration::from_millis(500);
/// The longest pause after failed rounds: a database that is back is used this soon.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// After so many failures in a row, items are handled one by one: one of them may be the cause.
const FAILURES_TOGETHER_MAX: u32 = 3;

/// One kind of due work.
pub(crate) trait DueKind: Send + Sync {
    /// An item.
    type Item: Clone + Send + Sync;
    /// The result of a transaction.
    type Done: Send;
    /// The kind's name in the table of postponed items, in logs and in metrics.
    const NAME: &'static str;

    /// The items that are due now, up to a bound. Locks nothing.
    fn due(
        &self,
        tx: &mut Tx<'_>,
    ) -> impl Future<Output = Result<DueItems<Self::Item>, HandleError>> + Send;

    /// Handles items in one transaction, which the caller commits.
    fn handle_in_tx(
        &self,
        tx: &mut Tx<'_>,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Self::Done, HandleError>> + Send;

    /// Logs and counts a committed result.
    fn log(done: &Self::Done);
}

/// The events of a result, each with the message that caused it.
pub(crate) type Announce<K> = fn(&<K as DueKind>::Done) -> Vec<(MessageId, Event)>;

/// A due item.
#[derive(Clone, Debug)]
pub(crate) struct DueItem<I> {
    pub(crate) key: ItemKey,
    /// The item, or why it cannot be read.
    pub(crate) item: Result<I, String>,
    /// Whether an earlier attempt failed.
    pub(crate) failed: bool,
}

/// The due items of a round.
#[derive(Clone, Debug)]
pub(crate) struct DueItems<I> {
    pub(crate) items: Vec<DueItem<I>>,
    /// Whether there may be more.
    pub(crate) more: bool,
}

/// Does the due work of a kind until `shutdown`, and announces the results.
pub(crate) async fn keep_doing<K: DueKind>(
    kind: K,
    announce: Announce<K>,
    context: &JobContext,
    health: &Health,
    shutdown: &CancellationToken,
) {
    let part = format!("due {}s", K::NAME);
    let rounds = Rounds { kind, announce, context };
    let mut failures = 0;
    while !shutdown.is_cancelled() {
        let pause = match rounds.round(failures >= FAILURES_TOGETHER_MAX).await {
            Ok(more) => {
                health.forget(&part);
                failures = 0;
                if more { Duration::ZERO } else { ROUND_EVERY }
            }
            Err(error) => {
                failures = u32::saturating_add(failures, 1);
                counter!("ledger_due_failures_total", "kind" => K::NAME).increment(1);
                warn!(kind = K::NAME, error = %chain(&error), "cannot do the due work");
                if let HandleError::Hopeless(why) = &error {
                    health.bad(&part, chain(&**why).to_string());
                }
                PAUSE_MAX.min(ROUND_EVERY.saturating_mul(2_u32.saturating_pow(failures)))
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

struct Rounds<'a, K: DueKind> {
    kind: K,
    announce: Announce<K>,
    context: &'a JobContext,
}

impl<K: DueKind> Rounds<'_, K> {
    /// One round. Says whether there may be more work at once.
    async fn round(&self, one_by_one: bool) -> Result<bool, HandleError> {
        let DueItems { items, more } = attempt(self.context, Box::pin(self.due())).await?;
        let mut readable = Vec::with_capacity(items.len());
        for DueItem { key, item, failed } in items {
            match item {
                Ok(item) => readable.push((key, item, failed)),
                Err(why) => self.postpone(key, &why).await?,
            }
        }
        if readable.is_empty() {
            return Ok(more);
        }
        if !one_by_one && self.handle_together(&readable).await? {
            return Ok(more);
        }
        for (key, item, failed) in readable {
            let alone = Box::pin(self.handle(std::slice::from_ref(&item)));
            match attempt(self.context, alone).await {
                Ok(()) if failed => self.forget(key).await?,
                Ok(()) => {}
                Err(HandleError::Transient(why) | HandleError::Hopeless(why)) => {
                    let why = chain(&*why).to_string();
                    self.postpone(key, &why).await?;
                }
            }
        }
        Ok(more)
    }

    /// Handles items in one transaction. Says whether that succeeded: if not, one of them may be
    /// the cause.
    async fn handle_together(
        &self,
        items: &[(ItemKey, K::Item, bool)],
    ) -> Result<bool, HandleError> {
        let all: Vec<K::Item> = items.iter().map(|(_, item, _)| item.clone()).collect();
        match attempt(self.context, Box::pin(self.handle(&all))).await {
            Ok(()) => {
                for (key, ..) in items.iter().filter(|(.., failed)| *failed) {
                    self.forget(*key).await?;
                }
                Ok(true)
            }
            Err(HandleError::Hopeless(why)) => {
                let count = items.len();
                warn!(kind = K::NAME, error = %chain(&*why), count,
                    "due items cannot be handled together; trying one by one");
                Ok(false)
            }
            Err(error @ HandleError::Transient(_)) => Err(error),
        }
    }

    async fn due(&self) -> Result<DueItems<K::Item>, HandleError> {
        let mut work = self.context.begin().await?;
        let due = self.kind.due(&mut work.tx()).await?;
        work.commit().await?;
        Ok(due)
    }

    async fn handle(&self, items: &[K::Item]) -> Result<(), HandleError> {
        let mut work = self.context.begin().await?;
        let done = self.kind.handle_in_tx(&mut work.tx(), items).await?;
        for (cause, event) in (self.announce)(&done) {
            work.announce(cause, CorrelationId(cause.0), event);
        }
        work.commit().await?;
        K::log(&done);
        Ok(())
    }

    /// Postpones an item. The first time is logged as a warning.
    async fn postpone(&self, key: ItemKey, why: &str) -> Result<(), HandleError> {
        let put = Box::pin(async {
            let mut work = self.context.begin().await?;
            let failures = repo::put_in_tx(&mut work.tx(), key, why).await?;
            work.commit().await?;
            Ok(failures)
        });
        let failures = attempt(self.context, put).await?;
        let ItemKey { kind, about, part } = key;
        counter!("ledger_due_failures_total", "kind" => kind).increment(1);
        match failures {
            1 => {
                warn!(kind, %about, %part, error = why,
                    "set aside what is due and cannot be handled");
            }
            _ => debug!(kind, %about, %part, failures, error = why, "set aside again"),
        }
        Ok(())
    }

    /// Forgets that an item was postponed: it is done.
    async fn forget(&self, key: ItemKey) -> Result<(), HandleError> {
        let forget = Box::pin(async {
            let mut work = self.context.begin().await?;
            repo::forget_in_tx(&mut work.tx(), key).await?;
            work.commit().await
        });
        attempt(self.context, forget).await
    }
}

/// Work within its time limit. A panic is a failure like any other: the transaction is rolled back.
pub(crate) async fn attempt<T>(
    context: &JobContext,
    work: BoxFuture<'_, Result<T, HandleError>>,
) -> Result<T, HandleError> {
    context.bounded(no_panic(work)).await
}

async fn no_panic<T>(work: BoxFuture<'_, Result<T, HandleError>>) -> Result<T, HandleError> {
    let panicked = || Err(HandleError::Hopeless("the work panicked; the log says where".into()));
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| panicked())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_has_failed_and_the_process_goes_on() {
        let work = async { panic!("a bug") };
        let done: Result<(), HandleError> = no_panic(Box::pin(work)).await;
        match done {
            Err(HandleError::Hopeless(why)) => assert!(why.to_string().contains("panicked")),
            other => panic!("{other:?}"),
        }
    }
}
