//! A walk along a queue that leaves it as it was. Promise: each message that was there at the
//! beginning comes once, oldest first; memory holds a page of them; no step waits for ever.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::time::timeout;

use crate::amqp::connection::{BusError, Link, discard, host_name, in_time};

/// The most messages that a channel holds unacknowledged, and that are in memory together. Those
/// behind them come on another channel: so many on each of its 2,047 channels are a million.
const PAGE: u16 = 500;
/// A queue from which nothing comes for so long has no more for us: others took the rest.
const QUIET: Duration = Duration::from_secs(2);

/// A walk along one queue.
pub(super) struct QueueScan<'l> {
    link: &'l Link,
    queue: &'l str,
    /// What was seen and not taken away is held on these, in order, until the end.
    channels: Vec<Channel>,
    consumer: Option<Consumer>,
    /// How many messages of the page are held.
    held: u16,
    /// How many messages are still to come.
    left: u32,
}

impl<'l> QueueScan<'l> {
    pub(super) async fn begin(link: &'l Link, queue: &'l str) -> Result<Self, BusError> {
        let channel = link.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let asking = channel.queue_declare(queue.into(), options, FieldTable::default());
        let found = in_time("asking for a queue", async { Ok(asking.await?) }).await?;
        let (channels, left) = (vec![channel], found.message_count());
        Ok(Self { link, queue, channels, consumer: None, held: PAGE, left })
    }

    /// The next message, until all have come.
    pub(super) async fn next(&mut self) -> Result<Option<Delivery>, BusError> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.held == PAGE {
            self.turn_the_page().await?;
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

    /// The last message was acknowledged: there is room for one more on its channel.
    pub(super) const fn taken_away(&mut self) {
        self.held -= 1;
    }

    /// Gives back what is held, to where it was: the oldest first.
    pub(super) async fn end(mut self) -> Result<(), BusError> {
        // What goes back must not come to the last page, which may have room.
        if let (Some(consumer), Some(channel)) = (self.consumer.take(), self.channels.last()) {
            let cancelling = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            in_time("unsubscribing", async { Ok(cancelling.await?) }).await?;
        }
        for channel in std::mem::take(&mut self.channels) {
            let closing = async { Ok(channel.close(200, "looked".into()).await?) };
            in_time("giving messages back", closing).await?;
        }
        Ok(())
    }

    async fn turn_the_page(&mut self) -> Result<(), BusError> {
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
    /// A walk that failed, or that took too long, gives back what it held, too.
    fn drop(&mut self) {
        for channel in self.channels.drain(..) {
            discard(channel);
        }
    }
}
