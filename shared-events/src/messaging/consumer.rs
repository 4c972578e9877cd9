//! Consumes a subscription in batches. Promise: a lost channel is opened again; unacknowledged
//! deliveries come again; batches grow with the load, and an idle consumer adds no delay.
//!
//! All queues of a subscription share one channel, and deliveries are processed in the order of the
//! channel's tags. One cumulative acknowledgement after each batch is therefore safe: every
//! delivery below its tag was settled before. `BatchProcessor::process` sends it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    batch::{BatchProcessor, Settled},
    delivery_broker::DeliveryBroker,
    delivery_store::{BatchHandler, DeliveryStore},
    delivery_stream::DeliveryStream,
    message_source::QueueDelivery,
    outbox_partition::CurrentPartition,
    prefetch_window::PrefetchWindow,
    supervise,
};
use crate::amqp::{
    answer::BusError,
    connection::{Backoff, Link},
    health::Health,
};
use crate::{envelope::chain, topology::Subscription};

/// Where deliveries have piled up during a batch, the next batch begins when so many times the
/// batch's duration have passed since its beginning, `PACE_MAX` at most. Without this pause, a
/// thousand messages a second come in batches of three, whose round trips and commits are most of
/// the work. A delivery to an idle consumer does not wait.
const PACE: u32 = 2;
const PACE_MAX: Duration = Duration::from_millis(10);
/// The most unacknowledged deliveries of a queue that are held in memory: of a queue without
/// partitions, and of a partition. With fewer, a partition that all load falls on would wait for
/// the broker after each batch.
const PREFETCH: u16 = 512;
const PREFETCH_PARTITION: u16 = 256;

/// Consumes one subscription until the service stops.
pub(crate) struct Consumer<H, S, B> {
    pub(crate) subscription: Subscription,
    pub(crate) processor: BatchProcessor<H, S, B>,
    pub(crate) link: Arc<Link>,
    pub(crate) partition: CurrentPartition,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

impl<H, S, B> Consumer<H, S, B>
where
    H: BatchHandler<S::Transaction>,
    S: DeliveryStore,
    B: DeliveryBroker,
{
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new();
        let part = part(&self.subscription);
        let full = match self.subscription.partitions {
            Some(_) => PREFETCH_PARTITION,
            None => PREFETCH,
        };
        let mut window = PrefetchWindow::new(self.subscription.queues().len(), full);
        while !self.shutdown.is_cancelled() {
            let consuming =
                AssertUnwindSafe(self.consume(&part, &mut window, &mut backoff)).catch_unwind();
            let lost = match consuming.await {
                Ok(Ok(Next::Stop)) => break,
                Ok(Ok(Next::OpenAgain)) => continue,
                Ok(Err(error)) => chain(&error).to_string(),
                Err(panic) => supervise::panicked(&part, &*panic),
            };
            warn!(
                queue = self.subscription.name,
                error = lost,
                "consumer lost its channel; unacknowledged messages come again"
            );
            self.health.bad(&part, lost);
            let pause = backoff.next_pause();
            let _ = timeout(pause, self.shutdown.cancelled()).await;
        }
    }

    /// Consumes one channel until the channel is lost (an error), the prefetch changes or the
    /// service stops.
    async fn consume(
        &self,
        part: &str,
        window: &mut PrefetchWindow,
        backoff: &mut Backoff,
    ) -> Result<Next, BusError> {
        let priority = |queue| preference(self.partition.get(), queue);
        let prefetch = window.prefetch();
        let mut stream =
            DeliveryStream::open(&self.link, &self.subscription, prefetch, &priority).await?;
        self.health.good(part);
        *backoff = Backoff::new();
        let mut next = Instant::now();
        loop {
            let batch = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(Next::Stop),
                batch = stream.next_batch_after(next) => batch?,
            };
            if batch.is_empty() {
                let (messages, bytes) = stream.overflow();
                window.narrow(messages, bytes);
                return Ok(Next::OpenAgain);
            }
            let began = Instant::now();
            match self.processor.process(&batch, &self.shutdown).await? {
                Settled::All => {}
                Settled::Abandoned => return Ok(Next::Stop),
            }
            let (messages, bytes) = (batch.len(), bytes_of(&batch));
            drop(batch);
            stream.held.release(messages, bytes);
            if window.acknowledged(messages, bytes) {
                return Ok(Next::OpenAgain);
            }
            next = began + pace(stream.has_ready()?, began.elapsed());
        }
    }
}

/// Why a consumer leaves its channel.
enum Next {
    Stop,
    OpenAgain,
}

fn bytes_of(batch: &[QueueDelivery]) -> usize {
    batch.iter().map(|delivery| delivery.message.data.len()).sum()
}

/// The time from the beginning of a batch to the beginning of the next one.
fn pace(has_ready: bool, duration: Duration) -> Duration {
    if has_ready { (duration * PACE).min(PACE_MAX) } else { Duration::ZERO }
}

/// The consumer of a subscription, as its service's health names it.
pub(crate) fn part(subscription: &Subscription) -> String {
    format!("consumer {}", subscription.name)
}

/// The priority of a queue's partition for an instance, by its outbox partition: one, two or four
/// instances get equal shares, and the last one left gets all.
fn preference(own: i16, partition: usize) -> i32 {
    let own = usize::try_from(own).unwrap_or(0);
    match partition {
        _ if partition % 4 == own % 4 => 3,
        _ if partition % 2 == own % 2 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_backlog_waits_and_not_for_long() {
        let ms = Duration::from_millis;
        assert_eq!(pace(false, ms(3)), ms(0));
        assert_eq!(pace(true, ms(3)), ms(6));
        assert_eq!(pace(true, ms(80)), PACE_MAX, "which has passed when the batch ends");
    }

    #[test]
    fn each_partition_has_one_preferred_instance_of_four() {
        for partition in 0..4 {
            let first = (0..4).filter(|own| preference(*own, partition) == 3).count();
            assert_eq!(first, 1, "partition {partition}");
        }
        assert_eq!([0, 1, 2, 3].map(|partition| preference(0, partition)), [3, 1, 2, 1]);
    }
}
