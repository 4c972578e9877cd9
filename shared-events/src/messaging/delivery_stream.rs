//! The deliveries of a subscription's queues, as one stream. Promise: deliveries come in the order
//! of their tags and none is left out, which the cumulative acknowledgement rests on; memory is
//! bounded; a lost channel ends the stream.
//!
//! Tests: `deliveries_come_in_the_order_of_their_tags`,
//! `a_batch_takes_what_is_ready_up_to_a_bound`.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lapin::{
    ConsumerDelegate,
    message::DeliveryResult,
    options::BasicConsumeOptions,
    types::{AMQPValue, FieldTable},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tracing::{info, warn};

use super::{
    broker_channel::ChannelGuard,
    isolation::needs_isolation,
    message_source::QueueDelivery,
    prefetch_window::{Admission, HeldMemory},
};
use crate::amqp::{
    answer::{BusError, in_time},
    connection::{Link, host_name},
};
use crate::topology::Subscription;

/// The most bytes that one transaction takes together, unless one message alone is larger.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// An idle consumer checks in this interval that its channel is open. The driver reports a lost
/// channel, and may fail to.
const CHANNEL_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// An open subscription: a channel, and its deliveries merged in the order of their tags.
pub(crate) struct DeliveryStream {
    channel: ChannelGuard,
    pub(crate) held: HeldMemory,
    merger: DeliveryMerger,
}

/// Puts deliveries into the order of their tags.
struct DeliveryMerger {
    subscription: &'static str,
    items: mpsc::UnboundedReceiver<StreamItem>,
    /// Messages and bytes that were held when the next delivery was too much; later deliveries were
    /// dropped.
    overflow: (usize, usize),
    /// Deliveries before their turn. While consumers are being registered, the first deliveries of
    /// a queue may arrive after deliveries of the next queue.
    early: BTreeMap<u64, QueueDelivery>,
    last_tag: u64,
}

impl DeliveryStream {
    /// Consumes all queues of a subscription on one new channel.
    pub(crate) fn open<'a>(
        link: &'a Link,
        subscription: &'a Subscription,
        prefetch: u16,
        priority: &'a (dyn Fn(usize) -> i32 + Sync),
    ) -> BoxFuture<'a, Result<Self, BusError>> {
        Box::pin(Self::subscribe(link, subscription, prefetch, priority))
    }

    async fn subscribe(
        link: &Link,
        subscription: &Subscription,
        prefetch: u16,
        priority: &(dyn Fn(usize) -> i32 + Sync),
    ) -> Result<Self, BusError> {
        let queues = subscription.queues();
        // A failure from here on closes the channel: a consumer that the broker registers late
        // would hold its queue with no reader.
        let channel = ChannelGuard::new(link.consuming_channel(prefetch).await?);
        let held = HeldMemory::default();
        // `HeldMemory` bounds the channel's content.
        let (sender, items) = mpsc::unbounded_channel();
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
        Ok(Self { channel, held, merger: DeliveryMerger::new(subscription.name, items) })
    }

    /// The deliveries that are ready at `instant`: at least one, or none after an overflow. Waits
    /// for the first and for no other.
    pub(crate) fn next_batch_after(
        &mut self,
        instant: Instant,
    ) -> BoxFuture<'_, Result<Vec<QueueDelivery>, BusError>> {
        Box::pin(async move {
            sleep_until(instant).await;
            match self.next().await? {
                Some(first) => self.merger.batch_from(first),
                None => Ok(vec![]),
            }
        })
    }

    /// Whether another delivery is ready.
    pub(crate) fn has_ready(&mut self) -> Result<bool, BusError> {
        Ok(self.merger.peek()?.is_some())
    }

    /// Messages and bytes that were held at the overflow.
    pub(crate) const fn overflow(&self) -> (usize, usize) {
        self.merger.overflow
    }

    /// The next delivery of any queue; none after an overflow. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<QueueDelivery>, BusError> {
        loop {
            if let Some(next) = self.merger.take_next() {
                return Ok(Some(next));
            }
            if self.merger.has_overflowed() {
                return Ok(None);
            }
            match timeout(CHANNEL_CHECK_INTERVAL, self.merger.items.recv()).await {
                Ok(item) => self.merger.accept(item.unwrap_or(StreamItem::End))?,
                Err(_) if self.channel.status().connected() => {}
                Err(_) => self.merger.accept(StreamItem::End)?,
            }
        }
    }
}

impl DeliveryMerger {
    const fn new(subscription: &'static str, items: mpsc::UnboundedReceiver<StreamItem>) -> Self {
        Self { subscription, items, overflow: (0, 0), early: BTreeMap::new(), last_tag: 0 }
    }

    const fn has_overflowed(&self) -> bool {
        self.overflow.0 > 0
    }

    /// A batch that begins with `first`. A delivery that needs isolation is a batch of its own.
    fn batch_from(&mut self, first: QueueDelivery) -> Result<Vec<QueueDelivery>, BusError> {
        if needs_isolation(&first) {
            return Ok(vec![first]);
        }
        let mut bytes = first.message.data.len();
        let mut batch = vec![first];
        while let Some(next) = self.peek()? {
            bytes += next.message.data.len();
            if bytes > BATCH_BYTES_MAX || needs_isolation(next) {
                break;
            }
            batch.extend(self.take_next());
        }
        Ok(batch)
    }

    /// The next delivery, if it has arrived.
    fn peek(&mut self) -> Result<Option<&QueueDelivery>, BusError> {
        while let Ok(item) = self.items.try_recv() {
            self.accept(item)?;
        }
        Ok(self.early.get(&(self.last_tag + 1)))
    }

    fn accept(&mut self, item: StreamItem) -> Result<(), BusError> {
        match item {
            StreamItem::Delivery(delivery) => {
                self.early.insert(delivery.message.delivery_tag, *delivery);
                Ok(())
            }
            StreamItem::Overflow { messages, bytes } => {
                self.overflow = (messages, bytes);
                Ok(())
            }
            StreamItem::End => Err(BusError::ConsumerEnded { queue: self.subscription.to_owned() }),
        }
    }

    /// The delivery with the next tag, if it has arrived.
    fn take_next(&mut self) -> Option<QueueDelivery> {
        let next = self.early.remove(&(self.last_tag + 1))?;
        self.last_tag += 1;
        Some(next)
    }
}

/// An item from the driver.
#[derive(Debug)]
enum StreamItem {
    Delivery(Box<QueueDelivery>),
    /// A delivery was dropped, as all later ones are; messages and bytes say how much was held.
    Overflow {
        messages: usize,
        bytes: usize,
    },
    End,
}

/// Forwards deliveries from the driver, which calls it on its one reading task, in order.
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
        let item = match delivery {
            Ok(Some(message)) => match self.held.admit(message.data.len()) {
                Admission::Admitted => {
                    let queue = Arc::clone(&self.queue);
                    Some(StreamItem::Delivery(Box::new(QueueDelivery { queue, message })))
                }
                Admission::Overflow { messages, bytes } => {
                    warn!(
                        queue = &*self.queue,
                        messages, bytes, "messages are large; the prefetch becomes smaller"
                    );
                    Some(StreamItem::Overflow { messages, bytes })
                }
                Admission::AfterOverflow => None,
            },
            Ok(None) | Err(_) => Some(StreamItem::End),
        };
        // A closed receiver means that the channel is being closed: the delivery comes again.
        let _ = item.map(|item| self.sender.send(item));
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::test_messages::delivery;

    fn merger() -> (mpsc::UnboundedSender<StreamItem>, DeliveryMerger) {
        let (sender, items) = mpsc::unbounded_channel();
        (sender, DeliveryMerger::new("test", items))
    }

    fn deliver(sender: &mpsc::UnboundedSender<StreamItem>, tag: u64, bytes: usize, count: i64) {
        let mut delivery = delivery(tag, "", "", vec![b' '; bytes]);
        let mut headers = FieldTable::default();
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(count));
        delivery.message.properties = delivery.message.properties.with_headers(headers);
        delivery.message.redelivered = count > 0;
        sender.send(StreamItem::Delivery(Box::new(delivery))).expect("the merger listens");
    }

    fn tags(batch: &[QueueDelivery]) -> Vec<u64> {
        batch.iter().map(|delivery| delivery.message.delivery_tag).collect()
    }

    fn next_batch(merger: &mut DeliveryMerger) -> Vec<u64> {
        merger.peek().expect("the stream goes on");
        let first = merger.take_next().expect("a delivery is ready");
        tags(&merger.batch_from(first).expect("the stream goes on"))
    }

    #[test]
    fn deliveries_come_in_the_order_of_their_tags() {
        let (sender, mut merger) = merger();
        deliver(&sender, 2, 1, 0);
        assert!(merger.peek().expect("the stream goes on").is_none(), "the first has not come");
        deliver(&sender, 3, 1, 0);
        deliver(&sender, 1, 1, 0);
        deliver(&sender, 5, 1, 0);
        assert_eq!(next_batch(&mut merger), [1, 2, 3], "the fourth has not come");
    }

    #[test]
    fn a_batch_takes_what_is_ready_up_to_a_bound() {
        let (sender, mut merger) = merger();
        for (tag, bytes) in [(1, BATCH_BYTES_MAX / 2), (2, BATCH_BYTES_MAX / 2), (3, 1)] {
            deliver(&sender, tag, bytes, 0);
        }
        deliver(&sender, 4, 2 * BATCH_BYTES_MAX, 0);
        assert_eq!(next_batch(&mut merger), [1, 2]);
        assert_eq!(next_batch(&mut merger), [3]);
        assert_eq!(next_batch(&mut merger), [4], "one message alone may be larger");
    }

    #[test]
    fn a_delivery_that_needs_isolation_is_a_batch_of_its_own() {
        let (sender, mut merger) = merger();
        for (tag, count) in [(1, 0), (2, 3), (3, 0)] {
            deliver(&sender, tag, 1, count);
        }
        assert_eq!(next_batch(&mut merger), [1]);
        assert_eq!(next_batch(&mut merger), [2]);
        assert_eq!(next_batch(&mut merger), [3]);
    }

    #[test]
    fn an_overflow_comes_after_what_is_held_and_a_lost_channel_is_an_error() {
        let (sender, mut merger) = merger();
        deliver(&sender, 1, 1, 0);
        sender.send(StreamItem::Overflow { messages: 1, bytes: 1 }).expect("the merger listens");
        assert_eq!(next_batch(&mut merger), [1]);
        assert!(merger.has_overflowed() && merger.take_next().is_none());
        sender.send(StreamItem::End).expect("the merger listens");
        assert!(merger.peek().is_err());
    }
}
