//! Takes messages off a subscription's queues, in batches. Promise: a delivery is acknowledged
//! after all that it asked for is committed, here and nowhere else; what is not acknowledged comes
//! again.
//!
//! All queues of a subscription share one channel, and their deliveries are handled in the order of
//! the channel's tags. So one cumulative acknowledgement after each batch is safe: everything below
//! its tag was settled before.

use std::{
    collections::BTreeMap, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use lapin::{
    Acker, ConsumerDelegate,
    message::DeliveryResult,
    options::{BasicAckOptions, BasicConsumeOptions},
    types::{AMQPValue, FieldTable},
};
use metrics::counter;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    batch::{BatchProcessor, Settled},
    broker_channel::ChannelGuard,
    decode::QueueDelivery,
    handler::Handler,
    outbox_partition::CurrentPartition,
    prefetch_window::{Admission, HeldMemory, PrefetchWindow},
    redelivery::is_suspect,
    supervise,
};
use crate::amqp::{
    connection::{Backoff, BusError, Link, host_name, in_time},
    health::Health,
};
use crate::{envelope::chain, topology::Subscription};

/// The most bytes that one transaction takes together, unless one message alone is larger.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Where deliveries have piled up while a batch was handled, the next one begins when so many times
/// as long have passed since that one began, at most so late. Without it, a thousand messages a
/// second come in batches of three, whose round trips and commits are most of the work. Who comes
/// to an idle consumer does not wait.
const PACE: u32 = 2;
const PACE_MAX: Duration = Duration::from_millis(10);
/// How often who waits for deliveries looks whether there is a channel that they could come on. The
/// driver says so when it is lost; it may have failed to.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The most unacknowledged deliveries of a queue that are held in memory: of one that is alone, and
/// of a partition. With fewer, one that all load falls on would wait for the broker after each
/// batch; events come joined, a hundred to a delivery, where there are no partitions.
const PREFETCH: u16 = 512;
const PREFETCH_PARTITION: u16 = 256;

/// Consumes one subscription for ever, over as many connections as it takes.
pub(crate) struct Consumer<H: Handler> {
    pub(crate) subscription: Subscription,
    pub(crate) batches: BatchProcessor<H>,
    pub(crate) link: Arc<Link>,
    pub(crate) lane: CurrentPartition,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

impl<H: Handler> Consumer<H> {
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

    /// What came back too often is handled apart.
    async fn settle(&self, mut batch: Vec<QueueDelivery>) -> Result<Settled, BusError> {
        if batch.len() == 1 && is_suspect(&batch[0]) {
            let suspect = batch.remove(0);
            return self.batches.settle_suspect(suspect, &self.shutdown).await;
        }
        self.batches.settle(batch, &self.shutdown).await
    }

    /// Works on one channel until it is lost (an error), its window changes or the service stops.
    async fn consume(
        &self,
        part: &str,
        window: &mut PrefetchWindow,
        backoff: &mut Backoff,
    ) -> Result<Next, BusError> {
        let priority = |partition| preference(self.lane.get(), partition);
        let prefetch = window.prefetch();
        let mut feed =
            DeliveryStream::open(&self.link, &self.subscription, prefetch, priority).await?;
        self.health.good(part);
        *backoff = Backoff::new();
        let mut next = Instant::now();
        loop {
            let batch = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(Next::Stop),
                batch = feed.next_batch_after(next) => batch?,
            };
            if batch.is_empty() {
                let (messages, bytes) = feed.overflow;
                window.narrow(messages, bytes);
                return Ok(Next::OpenAgain);
            }
            let began = Instant::now();
            let (messages, bytes) = (batch.len(), bytes_of(&batch));
            let last = batch.last().expect("a batch has a delivery").delivery.acker.clone();
            match self.settle(batch).await? {
                Settled::All => {
                    acknowledge(&last, BasicAckOptions { multiple: true }).await?;
                    counter!("bus_acknowledgements_total").increment(1);
                }
                Settled::Abandoned => return Ok(Next::Stop),
            }
            feed.held.give_up(messages, bytes);
            if window.acknowledged(messages, bytes) {
                return Ok(Next::OpenAgain);
            }
            next = began + pace(feed.peek()?.is_some(), began.elapsed());
        }
    }
}

/// Why a channel is not worked on any more.
enum Next {
    Stop,
    OpenAgain,
}

fn bytes_of(batch: &[QueueDelivery]) -> usize {
    batch.iter().map(|arrival| arrival.delivery.data.len()).sum()
}

/// How long after the beginning of a batch that took so long the next one begins.
fn pace(piled_up: bool, took: Duration) -> Duration {
    if piled_up { (took * PACE).min(PACE_MAX) } else { Duration::ZERO }
}

/// Acknowledges a delivery. A connection that is lost in this moment may leave it without an end.
pub(crate) async fn acknowledge(acker: &Acker, options: BasicAckOptions) -> Result<(), BusError> {
    in_time("acknowledging", async { Ok(acker.ack(options).await?) }).await?;
    Ok(())
}

/// The consumer of a subscription, as its service's health names it.
pub(crate) fn part(subscription: &Subscription) -> String {
    format!("consumer {}", subscription.name)
}

/// Which partitions an instance prefers, by its lane: with one, two or four instances each gets
/// its equal share; whoever is left takes all.
fn preference(lane: i16, partition: usize) -> i32 {
    let lane = usize::try_from(lane).unwrap_or(0);
    match partition {
        _ if partition % 4 == lane % 4 => 3,
        _ if partition % 2 == lane % 2 => 2,
        _ => 1,
    }
}

/// The deliveries of several queues, merged in the order of their tags.
pub(crate) struct DeliveryStream {
    channel: ChannelGuard,
    name: &'static str,
    arrivals: mpsc::UnboundedReceiver<StreamItem>,
    pub(crate) held: HeldMemory,
    /// What was held when more came than may be: messages and bytes. What is here is the last.
    overflow: (usize, usize),
    /// What came before its turn: while consumers are being set up, a queue's first deliveries
    /// may be handed over after those of the next queue.
    early: BTreeMap<u64, QueueDelivery>,
    last_tag: u64,
}

impl DeliveryStream {
    pub(crate) async fn open(
        link: &Link,
        subscription: &Subscription,
        prefetch: u16,
        priority: impl Fn(usize) -> i32,
    ) -> Result<Self, BusError> {
        let queues = subscription.queues();
        // Whatever fails from here on closes the channel: a queue that answers too late would have
        // a consumer that nobody reads.
        let channel = ChannelGuard::new(link.consuming_channel(prefetch).await?);
        let held = HeldMemory::default();
        // Unbounded in name only: what is held bounds it.
        let (sender, arrivals) = mpsc::unbounded_channel();
        for (partition, queue) in queues.into_iter().enumerate() {
            let tag = format!("{}-svc/{queue}@{}", subscription.service, host_name());
            let mut arguments = FieldTable::default();
            arguments.insert("x-priority".into(), AMQPValue::LongInt(priority(partition)));
            let options = BasicConsumeOptions::default();
            let subscribing = channel.basic_consume(
                queue.as_str().into(),
                tag.as_str().into(),
                options,
                arguments,
            );
            let consumer = in_time("subscribing", async { Ok(subscribing.await?) }).await?;
            let (queue, sender, held) = (queue.into(), sender.clone(), held.clone());
            consumer.set_delegate(DeliveryForwarder { queue, sender, held });
        }
        info!(queue = subscription.name, prefetch, "consuming");
        let name = subscription.name;
        let (early, overflow) = (BTreeMap::new(), (0, 0));
        Ok(Self { channel, name, arrivals, held, overflow, early, last_tag: 0 })
    }

    /// What is ready then, at least one delivery; none when the rest was too much to hold. Waits
    /// for the first, and for nothing more.
    async fn next_batch_after(&mut self, instant: Instant) -> Result<Vec<QueueDelivery>, BusError> {
        sleep_until(instant).await;
        let Some(first) = self.next().await? else { return Ok(vec![]) };
        if is_suspect(&first) {
            return Ok(vec![first]);
        }
        let mut bytes = first.delivery.data.len();
        let mut batch = vec![first];
        while let Some(next) = self.peek()? {
            bytes += next.delivery.data.len();
            if bytes > BATCH_BYTES_MAX || is_suspect(next) {
                break;
            }
            batch.extend(self.turn());
        }
        Ok(batch)
    }

    /// The next delivery, if it is here.
    fn peek(&mut self) -> Result<Option<&QueueDelivery>, BusError> {
        while let Ok(arrival) = self.arrivals.try_recv() {
            self.take_in(arrival)?;
        }
        Ok(self.early.get(&(self.last_tag + 1)))
    }

    /// The next delivery of any queue, in the order of tags; none when the rest was too much to
    /// hold. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<QueueDelivery>, BusError> {
        loop {
            if let Some(next) = self.turn() {
                return Ok(Some(next));
            }
            if self.overflow.0 > 0 {
                return Ok(None);
            }
            match timeout(LOOK_EVERY, self.arrivals.recv()).await {
                Ok(arrived) => self.take_in(arrived.unwrap_or(StreamItem::End))?,
                Err(_) if self.channel.status().connected() => {}
                Err(_) => self.take_in(StreamItem::End)?,
            }
        }
    }

    fn take_in(&mut self, arrived: StreamItem) -> Result<(), BusError> {
        match arrived {
            StreamItem::Delivery(arrival) => {
                self.early.insert(arrival.delivery.delivery_tag, *arrival);
                Ok(())
            }
            StreamItem::TooMuch { messages, bytes } => {
                self.overflow = (messages, bytes);
                Ok(())
            }
            StreamItem::End => Err(BusError::ConsumerEnded { queue: self.name.to_owned() }),
        }
    }

    /// The delivery whose turn it is, if it has come. The cumulative acknowledgement rests on this:
    /// no tag is left out.
    fn turn(&mut self) -> Option<QueueDelivery> {
        let next = self.early.remove(&(self.last_tag + 1))?;
        self.last_tag += 1;
        Some(next)
    }
}

/// What lapin hands on.
enum StreamItem {
    Delivery(Box<QueueDelivery>),
    /// A delivery was dropped, and all later ones are: so much was held.
    TooMuch {
        messages: usize,
        bytes: usize,
    },
    End,
}

/// Hands deliveries on as they come. lapin calls it on its one reading task, in order.
struct DeliveryForwarder {
    queue: Arc<str>,
    sender: mpsc::UnboundedSender<StreamItem>,
    held: HeldMemory,
}

impl ConsumerDelegate for DeliveryForwarder {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let arrived = match delivery {
            Ok(Some(delivery)) => match self.held.take(delivery.data.len()) {
                Admission::Kept => {
                    let queue = Arc::clone(&self.queue);
                    Some(StreamItem::Delivery(Box::new(QueueDelivery { queue, delivery })))
                }
                Admission::TooMuch { messages, bytes } => {
                    warn!(queue = &*self.queue, messages, bytes, "large messages: fewer at a time");
                    Some(StreamItem::TooMuch { messages, bytes })
                }
                Admission::Later => None,
            },
            Ok(None) | Err(_) => Some(StreamItem::End),
        };
        // Nobody listens any more: the channel is being closed, and the message comes again.
        let _ = arrived.map(|arrived| self.sender.send(arrived));
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_piled_up_waits_and_not_for_long() {
        let ms = Duration::from_millis;
        assert_eq!(pace(false, ms(3)), ms(0));
        assert_eq!(pace(true, ms(3)), ms(6));
        assert_eq!(pace(true, ms(80)), PACE_MAX, "which is over when the batch is");
    }
}
