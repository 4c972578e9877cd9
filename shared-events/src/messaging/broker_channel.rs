//! A service's use of its broker connections. Promise: a channel is closed when its user has gone,
//! and a connection is closed in order when the service stops, so that the broker gives unsettled
//! deliveries to another instance at once.

use std::ops::Deref;

use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use tracing::info;

use crate::amqp::{
    answer::{ANSWER_TIMEOUT, BusError, in_time},
    connection::{Backoff, Link, discard},
};

/// Closes its channel when dropped. A dropped driver handle leaves the channel open: its unsettled
/// deliveries stay with nobody, and a consumer that the broker registers late holds its queue.
#[derive(Debug)]
pub(crate) struct ChannelGuard(Channel);

impl ChannelGuard {
    pub(crate) const fn new(channel: Channel) -> Self {
        Self(channel)
    }
}

impl Deref for ChannelGuard {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.0
    }
}

impl Drop for ChannelGuard {
    fn drop(&mut self) {
        discard(self.0.clone());
    }
}

/// The number of messages of a queue that no consumer holds.
pub(crate) async fn count_messages(channel: &Channel, queue: &str) -> Result<u32, BusError> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let asking = channel.queue_declare(queue.into(), options, FieldTable::default());
    let found = in_time("looking up a queue", async { Ok(asking.await?) }).await?;
    Ok(found.message_count())
}

impl Link {
    /// Closes the connection. A broker that does not answer in time loses its socket.
    pub(crate) async fn close(&self) {
        let Some(open) = self.current.lock().await.take() else { return };
        let closing = open.connection.close(200, "shutting down".into());
        match tokio::time::timeout(ANSWER_TIMEOUT, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                info!(connection = self.name, %error, "the connection was already closed");
            }
            Err(_) => open.given_up.cancel(),
        }
    }
}

impl Backoff {
    /// Sleeps until the next attempt.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }
}
