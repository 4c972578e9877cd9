//! Round after round of what is due of one kind. Promise: one item that cannot be read, decided on
//! or stored, or that makes the work panic, is set aside and tried again ever more seldom; nothing
//! else waits for it.
//!
//! A round takes up to a number of items and handles them in one transaction. Where that is
//! hopeless, or has failed several times, each is handled in a transaction of its own, and the ones
//! that fail alone are set aside. An outage sets nothing aside: that cannot be written down then.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use metrics::counter;
use shared_events::{
    amqp::Health,
    envelope::chain,
    messaging::{HandleError, JobContext},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::legacy::store::set_aside::{self, Key};

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The longest pause after rounds that failed: a database that is back is used this soon.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// After so many failures in a row, items are handled one by one: one of them may be at fault.
const FAILURES_TOGETHER_MAX: u32 = 3;

/// One kind of what is due.
pub(crate) trait Kind: Send + Sync {
    /// One that is due.
    type Item: Clone + Send + Sync;
    /// Its name in the table of what is set aside, in logs and in figures.
    const NAME: &'static str;

    /// What is due now, up to a bound. Locks nothing.
    fn due(
        &self,
        workshop: &JobContext,
    ) -> impl Future<Output = Result<Found<Self::Item>, HandleError>> + Send;

    /// Handles these, in one transaction.
    fn handle(
        &self,
        workshop: &JobContext,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// One that is due.
#[derive(Clone, Debug)]
pub(crate) struct Turn<I> {
    pub(crate) key: Key,
    /// What it is, or why it cannot be read.
    pub(crate) item: Result<I, String>,
    /// Whether it was set aside before.
    pub(crate) failed: bool,
}

/// What a round found.
#[derive(Clone, Debug)]
pub(crate) struct Found<I> {
    pub(crate) turns: Vec<Turn<I>>,
    /// Whether there may be more.
    pub(crate) more: bool,
}

/// Does what is due of a kind until `shutdown`.
pub(crate) async fn keep_doing<K: Kind>(
    kind: K,
    workshop: &JobContext,
    health: &Health,
    shutdown: &CancellationToken,
) {
    let part = format!("due {}s", K::NAME);
    let mut failures = 0;
    while !shutdown.is_cancelled() {
        let pause = match round(&kind, workshop, failures >= FAILURES_TOGETHER_MAX).await {
            Ok(more) => {
                health.forget(&part);
                failures = 0;
                if more { Duration::ZERO } else { LOOK_EVERY }
            }
            Err(error) => {
                failures = u32::saturating_add(failures, 1);
                failed::<K>(&error);
                if let HandleError::Hopeless(why) = &error {
                    health.bad(&part, chain(&**why).to_string());
                }
                PAUSE_MAX.min(LOOK_EVERY.saturating_mul(2_u32.saturating_pow(failures)))
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn failed<K: Kind>(error: &HandleError) {
    counter!("ledger_due_failures_total", "kind" => K::NAME).increment(1);
    warn!(kind = K::NAME, error = %chain(error), "cannot do what is due");
}

/// One round. Says whether there may be more to do at once.
async fn round<K: Kind>(
    kind: &K,
    workshop: &JobContext,
    one_by_one: bool,
) -> Result<bool, HandleError> {
    let Found { turns, more } = attempt(workshop, Box::pin(kind.due(workshop))).await?;
    let mut items = Vec::with_capacity(turns.len());
    for Turn { key, item, failed } in turns {
        match item {
            Ok(item) => items.push((key, item, failed)),
            Err(why) => put_aside(workshop, key, &why).await?,
        }
    }
    if items.is_empty() {
        return Ok(more);
    }
    if !one_by_one {
        let all: Vec<K::Item> = items.iter().map(|(_, item, _)| item.clone()).collect();
        match attempt(workshop, Box::pin(kind.handle(workshop, &all))).await {
            Ok(()) => {
                for (key, ..) in items.iter().filter(|(.., failed)| *failed) {
                    forget(workshop, *key).await?;
                }
                return Ok(more);
            }
            Err(HandleError::Hopeless(why)) => {
                let count = items.len();
                warn!(kind = K::NAME, error = %chain(&*why), count,
                    "what is due cannot be handled together; trying one by one");
            }
            Err(error @ HandleError::Transient(_)) => return Err(error),
        }
    }
    for (key, item, failed) in items {
        let alone = Box::pin(kind.handle(workshop, std::slice::from_ref(&item)));
        match attempt(workshop, alone).await {
            Ok(()) if failed => forget(workshop, key).await?,
            Ok(()) => {}
            Err(HandleError::Transient(why) | HandleError::Hopeless(why)) => {
                let why = chain(&*why).to_string();
                put_aside(workshop, key, &why).await?;
            }
        }
    }
    Ok(more)
}

/// Work that takes no longer than it may, and whose panic is a failure like any other: what it had
/// begun is rolled back.
pub(crate) async fn attempt<T>(
    workshop: &JobContext,
    work: BoxFuture<'_, Result<T, HandleError>>,
) -> Result<T, HandleError> {
    workshop.bounded(no_panic(work)).await
}

async fn no_panic<T>(work: BoxFuture<'_, Result<T, HandleError>>) -> Result<T, HandleError> {
    let panicked = || Err(HandleError::Hopeless("it panicked; the log says where".into()));
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| panicked())
}

/// Sets an item aside. The first time it is said so.
async fn put_aside(workshop: &JobContext, key: Key, why: &str) -> Result<(), HandleError> {
    let put = Box::pin(async {
        let mut work = workshop.begin().await?;
        let failures = set_aside::put_in_tx(&mut work.tx(), key, why).await?;
        work.commit().await?;
        Ok(failures)
    });
    let failures = attempt(workshop, put).await?;
    let Key { kind, about, part } = key;
    counter!("ledger_due_failures_total", "kind" => kind).increment(1);
    match failures {
        1 => warn!(kind, %about, %part, error = why, "set aside what is due and cannot be handled"),
        _ => debug!(kind, %about, %part, failures, error = why, "set aside again"),
    }
    Ok(())
}

/// Forgets that an item was set aside: it is done.
async fn forget(workshop: &JobContext, key: Key) -> Result<(), HandleError> {
    let forget = Box::pin(async {
        let mut work = workshop.begin().await?;
        set_aside::forget_in_tx(&mut work.tx(), key).await?;
        work.commit().await
    });
    attempt(workshop, forget).await
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
