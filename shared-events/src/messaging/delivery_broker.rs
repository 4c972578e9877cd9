//! The broker edge of a service's deliveries. Promise: the batch and the queries reach the broker
//! through this trait alone, so that their tests run over a recorder in memory. Its futures are
//! boxed: the driver's code is compiled once, here, and not again in each service.

use async_trait::async_trait;
use lapin::{
    BasicProperties,
    message::Delivery,
    options::{BasicAckOptions, BasicPublishOptions},
};
use tokio::sync::Mutex;

use super::broker_channel::{ChannelGuard, count_messages};
use crate::amqp::{
    answer::{BusError, in_time},
    connection::Link,
    publish::{Outgoing, publish_confirmed, short},
};
use crate::topology::REPLIES;

/// The broker, as the code that settles deliveries uses it.
#[async_trait]
pub(crate) trait DeliveryBroker: Send + Sync + 'static {
    /// The user that the broker knows this service by.
    fn user(&self) -> &str;

    /// The name of the connection, for operators.
    fn connection_name(&self) -> &str;

    /// Publishes all messages. `Ok` means that the broker confirmed each.
    async fn publish_confirmed(&self, messages: &[Outgoing]) -> Result<(), BusError>;

    /// The number of messages of a queue that no consumer holds.
    async fn message_count(&self, queue: &str) -> Result<u32, BusError>;

    /// Publishes a reply, unconfirmed.
    async fn publish_reply(
        &self,
        reply_to: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BusError>;

    /// Acknowledges a delivery; with `multiple`, all deliveries of its channel up to it, too.
    async fn acknowledge(&self, delivery: &Delivery, multiple: bool) -> Result<(), BusError>;
}

/// One connection of a service, with a channel for confirmed messages and one for replies.
pub(crate) struct ServiceBroker {
    link: Link,
    confirming: Mutex<Option<ChannelGuard>>,
    replying: Mutex<Option<ChannelGuard>>,
}

impl ServiceBroker {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, confirming: Mutex::new(None), replying: Mutex::new(None) }
    }

    pub(crate) async fn close(&self) {
        self.link.close().await;
    }

    async fn confirming_channel(
        &self,
        current: &mut Option<ChannelGuard>,
    ) -> Result<ChannelGuard, BusError> {
        match current.take().filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => Ok(ChannelGuard::new(self.link.confirming_channel().await?)),
        }
    }
}

#[async_trait]
impl DeliveryBroker for ServiceBroker {
    fn user(&self) -> &str {
        self.link.user()
    }

    fn connection_name(&self) -> &str {
        &self.link.name
    }

    async fn publish_confirmed(&self, messages: &[Outgoing]) -> Result<(), BusError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut current = self.confirming.lock().await;
        let channel = self.confirming_channel(&mut current).await?;
        publish_confirmed(&channel, messages).await?;
        *current = Some(channel);
        Ok(())
    }

    async fn message_count(&self, queue: &str) -> Result<u32, BusError> {
        let mut current = self.confirming.lock().await;
        let channel = self.confirming_channel(&mut current).await?;
        let count = count_messages(&channel, queue).await?;
        *current = Some(channel);
        Ok(count)
    }

    async fn publish_reply(
        &self,
        reply_to: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BusError> {
        let mut current = self.replying.lock().await;
        let channel = match current.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => ChannelGuard::new(self.link.channel().await?),
        };
        let options = BasicPublishOptions::default();
        channel.basic_publish(REPLIES.into(), short(reply_to), options, body, properties).await?;
        *current = Some(channel);
        Ok(())
    }

    /// A connection that is lost in this moment may leave the request unanswered for ever: the
    /// wait has a bound.
    async fn acknowledge(&self, delivery: &Delivery, multiple: bool) -> Result<(), BusError> {
        let acknowledging = delivery.acker.ack(BasicAckOptions { multiple });
        in_time("acknowledging", async { Ok(acknowledging.await?) }).await?;
        Ok(())
    }
}
