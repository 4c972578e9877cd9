//! Takes messages off a subscription's queues, in batches. Promise: a delivery is acknowledged
//! after all that it asked for is committed, here and nowhere else; what is not acknowledged comes
//! again.
//!
//! All queues of a subscription share one channel, and their deliveries are handled in the order of
//! the channel's tags. So one cumulative acknowledgement after each batch is safe: everything below
//! its tag was settled before.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use lapin::{
    Acker, Channel, ConsumerDelegate,
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
    batch::{Batches, Settled},
    connection::{Backoff, BusError, Link, host_name, in_time},
    handler::Handler,
    health::Health,
    intake::Arrival,
    lane::CurrentLane,
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
    pub(crate) batches: Batches<H>,
    pub(crate) link: Arc<Link>,
    pub(crate) lane: CurrentLane,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

impl<H: Handler> Consumer<H> {
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new();
        let part = part(&self.subscription);
        while !self.shutdown.is_cancelled() {
            match self.consume(&part, &mut backoff).await {
                Ok(()) => break,
                Err(error) => {
                    warn!(queue = self.subscription.name, error = %chain(&error),
                        "consumer lost its channel; unacknowledged messages come again");
                    self.health.bad(&part, chain(&error).to_string());
                    let pause = backoff.next_pause();
                    let _ = timeout(pause, self.shutdown.cancelled()).await;
                }
            }
        }
    }

    /// Works on one channel until it is lost (an error) or the service stops.
    async fn consume(&self, part: &str, backoff: &mut Backoff) -> Result<(), BusError> {
        let priority = |partition| preference(self.lane.get(), partition);
        let prefetch = match self.subscription.partitions {
            Some(_) => PREFETCH_PARTITION,
            None => PREFETCH,
        };
        let mut feed = Feed::open(&self.link, &self.subscription, prefetch, priority).await?;
        self.health.good(part);
        *backoff = Backoff::new();
        let mut next = Instant::now();
        loop {
            let batch = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(()),
                batch = feed.next_batch_after(next) => batch?,
            };
            let began = Instant::now();
            let last = batch.last().expect("a batch has a delivery").delivery.acker.clone();
            match self.batches.settle(batch, &self.shutdown).await? {
                Settled::All => {
                    acknowledge(&last, BasicAckOptions { multiple: true }).await?;
                    counter!("bus_acknowledgements_total").increment(1);
                }
                Settled::Abandoned => return Ok(()),
            }
            next = began + pace(feed.next_bytes()?.is_some(), began.elapsed());
        }
    }
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
pub(crate) struct Feed {
    channel: Channel,
    name: &'static str,
    arrivals: mpsc::UnboundedReceiver<Option<Arrival>>,
    /// What came before its turn: while consumers are being set up, a queue's first deliveries
    /// may be handed over after those of the next queue.
    early: BTreeMap<u64, Arrival>,
    last_tag: u64,
}

impl Feed {
    pub(crate) async fn open(
        link: &Link,
        subscription: &Subscription,
        prefetch: u16,
        priority: impl Fn(usize) -> i32,
    ) -> Result<Self, BusError> {
        let queues = subscription.queues();
        let channel = link.consuming_channel(prefetch).await?;
        // Unbounded in name only: the prefetch bounds it.
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
            consumer.set_delegate(Forward { queue: queue.into(), sender: sender.clone() });
        }
        info!(queue = subscription.name, prefetch, "consuming");
        let name = subscription.name;
        Ok(Self { channel, name, arrivals, early: BTreeMap::new(), last_tag: 0 })
    }

    /// What is ready then, at least one delivery. Waits for the first, and for nothing more.
    async fn next_batch_after(&mut self, instant: Instant) -> Result<Vec<Arrival>, BusError> {
        sleep_until(instant).await;
        let first = self.next().await?;
        let mut bytes = first.delivery.data.len();
        let mut batch = vec![first];
        while let Some(more) = self.next_bytes()? {
            bytes += more;
            if bytes > BATCH_BYTES_MAX {
                break;
            }
            batch.extend(self.turn());
        }
        Ok(batch)
    }

    /// The size of the next delivery, if it is here.
    fn next_bytes(&mut self) -> Result<Option<usize>, BusError> {
        while let Ok(arrival) = self.arrivals.try_recv() {
            self.take_in(arrival)?;
        }
        Ok(self.early.get(&(self.last_tag + 1)).map(|next| next.delivery.data.len()))
    }

    /// The next delivery of any queue, in the order of tags. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Arrival, BusError> {
        loop {
            if let Some(next) = self.turn() {
                return Ok(next);
            }
            match timeout(LOOK_EVERY, self.arrivals.recv()).await {
                Ok(arrival) => self.take_in(arrival.flatten())?,
                Err(_) if self.channel.status().connected() => {}
                Err(_) => self.take_in(None)?,
            }
        }
    }

    fn take_in(&mut self, arrival: Option<Arrival>) -> Result<(), BusError> {
        let ended = || BusError::ConsumerEnded { queue: self.name.to_owned() };
        let arrival = arrival.ok_or_else(ended)?;
        self.early.insert(arrival.delivery.delivery_tag, arrival);
        Ok(())
    }

    /// The delivery whose turn it is, if it has come. The cumulative acknowledgement rests on this:
    /// no tag is left out.
    fn turn(&mut self) -> Option<Arrival> {
        let next = self.early.remove(&(self.last_tag + 1))?;
        self.last_tag += 1;
        Some(next)
    }
}

impl Drop for Feed {
    /// Closes the channel: what is not acknowledged goes back to its queues, and others become
    /// their consumers. Without this lapin keeps it, and the broker goes on delivering to nobody.
    fn drop(&mut self) {
        let channel = self.channel.clone();
        tokio::spawn(async move {
            if channel.status().connected() {
                let closing = async { Ok(channel.close(200, "done".into()).await?) };
                let _ = in_time("closing a channel", closing).await;
            }
        });
    }
}

/// Hands deliveries on as they come. lapin calls it on its one reading task, in order.
struct Forward {
    queue: Arc<str>,
    sender: mpsc::UnboundedSender<Option<Arrival>>,
}

impl ConsumerDelegate for Forward {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let arrival = match delivery {
            Ok(Some(delivery)) => Some(Arrival { queue: Arc::clone(&self.queue), delivery }),
            Ok(None) | Err(_) => None,
        };
        // Nobody listens any more: the channel is being closed, and the message comes again.
        let _ = self.sender.send(arrival);
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
