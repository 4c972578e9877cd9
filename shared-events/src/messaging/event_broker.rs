//! The broker edge of the relay. Promise: the relay reaches the broker through this trait alone, so
//! that its tests run over a broker in memory; a confirm is the driver's own future, unboxed.

use lapin::{Channel, Confirmation, PublisherConfirm};

use crate::amqp::{
    answer::{BusError, in_time},
    connection::Link,
    publish::{Outgoing, publish},
};

/// The broker, as the relay uses it.
pub(crate) trait EventBroker: Send + Sync + 'static {
    /// A channel on which every message is confirmed.
    type Channel: Send + Sync;
    /// The broker's answer to one message.
    type Confirm: Future<Output = lapin::Result<Confirmation>> + Unpin + Send;

    /// The user that the broker knows this service by.
    fn user(&self) -> &str;

    fn open(&self) -> impl Future<Output = Result<Self::Channel, BusError>> + Send;

    /// Sends one message; the answer comes later.
    fn publish(
        &self,
        channel: &Self::Channel,
        message: &Outgoing,
    ) -> impl Future<Output = Result<Self::Confirm, BusError>> + Send;

    fn close_channel(
        &self,
        channel: Self::Channel,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Closes the connection.
    fn disconnect(&self) -> impl Future<Output = ()> + Send;
}

impl EventBroker for Link {
    type Channel = Channel;
    type Confirm = PublisherConfirm;

    fn user(&self) -> &str {
        self.user()
    }

    async fn open(&self) -> Result<Channel, BusError> {
        self.confirming_channel().await
    }

    async fn publish(
        &self,
        channel: &Channel,
        message: &Outgoing,
    ) -> Result<PublisherConfirm, BusError> {
        publish(channel, message).await
    }

    async fn close_channel(&self, channel: Channel) -> Result<(), BusError> {
        let closing = channel.close(200, "nothing is left to publish".into());
        in_time("closing a channel", async { Ok(closing.await?) }).await
    }

    async fn disconnect(&self) {
        self.close().await;
    }
}
