//! A bank as the users of its broker see it. Promise: each connection has the rights of its user,
//! and no others.

use anyhow::Result;
use shared_events::{amqp::ConnectionParameters, client::Client};

use super::Bank;
use crate::{
    Message, Recorder,
    broker::{self, CLIENT},
    connection::BrokerConnection,
    raw::RawPublisher,
};

impl Bank {
    /// Replies to messages with [`Recorder::address`] as `reply_to`.
    pub async fn replies(&self, asker: &str) -> Result<Recorder> {
        self.replies_of(CLIENT, asker).await
    }

    /// The same for the queue of any user.
    pub async fn replies_of(&self, user: &str, asker: &str) -> Result<Recorder> {
        Recorder::replies_to(self.0.broker.amqp(), &self.0.vhost, &format!("{user}.{asker}")).await
    }

    /// `amqp://user:password@host:port/vhost` for one of the users of the definitions, past any
    /// proxy.
    #[must_use]
    pub fn amqp_url(&self, user: &str) -> String {
        BrokerConnection::new(self.0.broker.amqp(), &self.0.vhost, user).url()
    }

    /// A publisher that sends what it is given, byte for byte, as one of the users.
    pub async fn raw_publisher(&self, user: &str) -> Result<RawPublisher> {
        let (address, password) = (self.0.broker.amqp().address(), broker::password(user));
        RawPublisher::connect(address, &self.0.vhost, (user, &password)).await
    }

    /// A client of this bank, as `shared-events` offers it.
    pub fn client(&self, name: &str) -> Result<Client> {
        Ok(Client::new(ConnectionParameters::new(&self.amqp_url(CLIENT), None)?, name))
    }

    /// Publishes messages as one of the users of the definitions, with its rights.
    pub async fn publish_as(&self, user: &str, messages: &[Message]) -> Result<()> {
        let connection = BrokerConnection::new(self.0.broker.amqp(), &self.0.vhost, user);
        let published = connection.publish(messages).await;
        connection.close().await;
        published
    }
}
