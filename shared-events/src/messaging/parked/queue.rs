//! A scan of a parked queue, which leaves the other messages in their places. Promise: each message
//! that the queue held at the beginning comes once, oldest first; memory holds one message at a
//! time; every step has a bound.
//!
//! Messages are fetched one by one on one channel. The channel stays open between two scans, so the
//! broker has the messages of the first back before it serves the second.

use std::sync::{Arc, Mutex, PoisonError};

use lapin::{
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
};

use super::super::broker_channel::ChannelGuard;
use crate::{
    amqp::{
        answer::{BusError, in_time},
        connection::Link,
    },
    topology::parked_queue,
};

/// How many messages a scan reaches. Of a longer queue the first ones are handled first.
const SCANNED_MAX: u32 = 20_000;

/// The parked queue of a service.
pub(crate) struct ParkedQueue {
    link: Link,
    queue: String,
    idle: Mutex<Option<ChannelGuard>>,
}

/// A scan. Dropped without an end, it gives all its messages back by closing its channel.
pub(crate) struct QueueScan {
    queue: Arc<ParkedQueue>,
    channel: Option<ChannelGuard>,
    /// The tags of the fetched messages, in order.
    seen: Vec<u64>,
    /// The number of messages still to come.
    left: u32,
}

impl ParkedQueue {
    pub(crate) fn new(link: Link, service: &str) -> Self {
        Self { link, queue: parked_queue(service), idle: Mutex::default() }
    }

    async fn channel(&self) -> Result<ChannelGuard, BusError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        match idle.filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => Ok(ChannelGuard::new(self.link.channel().await?)),
        }
    }

    pub(crate) async fn close(&self) {
        self.link.close().await;
    }
}

impl QueueScan {
    /// A scan that has fetched nothing yet.
    pub(crate) const fn new(queue: Arc<ParkedQueue>) -> Self {
        Self { queue, channel: None, seen: vec![], left: SCANNED_MAX }
    }

    /// The next message, until all have come.
    pub(crate) async fn next(&mut self) -> Result<Option<BasicGetMessage>, BusError> {
        if self.left == 0 {
            return Ok(None);
        }
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.queue.channel().await?,
        };
        let fetching =
            channel.basic_get(self.queue.queue.as_str().into(), BasicGetOptions::default());
        let fetched = in_time("fetching a parked message", async { Ok(fetching.await?) }).await?;
        self.channel = Some(channel);
        match &fetched {
            // Messages that are parked from now on are behind those that are there now.
            Some(message) if self.seen.is_empty() => {
                self.left = self.left.min(message.message_count + 1) - 1;
            }
            Some(_) => self.left -= 1,
            None => self.left = 0,
        }
        self.seen.extend(fetched.as_ref().map(|message| message.delivery_tag));
        Ok(fetched)
    }

    /// Acknowledges the messages with these tags, and returns the others to their places: one by one,
    /// because the broker returns several at once in any order.
    pub(crate) async fn end(mut self, taken: &[u64]) -> Result<(), BusError> {
        let Some(channel) = self.channel.take() else { return Ok(()) };
        let settling = async {
            for tag in &self.seen {
                if taken.contains(tag) {
                    channel.basic_ack(*tag, BasicAckOptions::default()).await?;
                } else {
                    let back = BasicNackOptions { multiple: false, requeue: true };
                    channel.basic_nack(*tag, back).await?;
                }
            }
            Ok(())
        };
        in_time("returning parked messages", settling).await?;
        *self.queue.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel);
        Ok(())
    }
}
