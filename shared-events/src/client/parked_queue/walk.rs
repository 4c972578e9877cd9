//! A scan of a queue that leaves the queue as it was. Promise: each message that the queue held at
//! the beginning comes once, oldest first; memory holds one page of messages; every step has a
//! bound.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::time::timeout;

use crate::amqp::{
    answer::{BusError, in_time},
    connection::{Link, discard, host_name},
};

/// The most unacknowledged messages of a channel, which are in memory together. The next page comes
/// on another channel: the 2,047 channels of a connection hold a million messages.
const PAGE: u16 = 500;
/// A queue that is silent for so long has no more messages for this scan: others took the rest.
const QUIET: Duration = Duration::from_secs(2);

/// A scan of one queue.
pub(super) struct QueueScan<'l> {
    link: &'l Link,
    queue: &'l str,
    /// The channels that hold the seen messages, in order, until the end.
    channels: Vec<Channel>,
    consumer: Option<Consumer>,
    /// The number of held messages of the page.
    held: u16,
    /// The number of messages still to come.
    left: u32,
}

impl<'l> QueueScan<'l> {
    pub(super) async fn begin(link: &'l Link, queue: &'l str) -> Result<Self, BusError> {
        let channel = link.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let asking = channel.queue_declare(queue.into(), options, FieldTable::default());
        let found = in_time("looking up a queue", async { Ok(asking.await?) }).await?;
        let (channels, left) = (vec![channel], found.message_count());
        Ok(Self { link, queue, channels, consumer: None, held: PAGE, left })
    }

    /// The next message, until all have come.
    pub(super) async fn next(&mut self) -> Result<Option<Delivery>, BusError> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.held == PAGE {
            self.open_next_page().await?;
        }
        let ended = || BusError::ConsumerEnded { queue: self.queue.to_owned() };
        let consumer = self.consumer.as_mut().ok_or_else(ended)?;
        match timeout(QUIET, consumer.next()).await {
            Ok(delivery) => {
                self.left -= 1;
                self.held += 1;
                Ok(Some(delivery.ok_or_else(ended)??))
            }
            Err(_) => Ok(None),
        }
    }

    /// Notes that the last message was acknowledged: its channel has room for one more.
    pub(super) const fn removed(&mut self) {
        self.held -= 1;
    }

    /// Returns the held messages to their places, the oldest first.
    pub(super) async fn end(mut self) -> Result<(), BusError> {
        // Returned messages must not come to the last page, which may have room.
        if let (Some(consumer), Some(channel)) = (self.consumer.take(), self.channels.last()) {
            let cancelling = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            in_time("unsubscribing", async { Ok(cancelling.await?) }).await?;
        }
        for channel in std::mem::take(&mut self.channels) {
            let closing = async { Ok(channel.close(200, "looked".into()).await?) };
            in_time("returning messages", closing).await?;
        }
        Ok(())
    }

    async fn open_next_page(&mut self) -> Result<(), BusError> {
        let channel = self.link.consuming_channel(PAGE).await?;
        self.channels.push(channel.clone());
        let tag = format!("teller/parked-{}@{}", self.channels.len(), host_name());
        let subscribing = channel.basic_consume(
            self.queue.into(),
            tag.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        self.consumer = Some(in_time("subscribing", async { Ok(subscribing.await?) }).await?);
        self.held = 0;
        Ok(())
    }
}

impl Drop for QueueScan<'_> {
    /// A scan that failed or was dropped returns its messages, too.
    fn drop(&mut self) {
        for channel in self.channels.drain(..) {
            discard(channel);
        }
    }
}
