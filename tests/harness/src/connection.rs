//! The tests' own way to the broker. Promise: a lost connection is replaced on the next use.

use anyhow::{Context, Result, bail, ensure};
use lapin::{
    Channel, Confirmation, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::sync::Mutex;

use crate::{
    Message,
    broker::{in_url, password},
    proxy::Target,
};

/// A connection of one user to one virtual host.
pub(crate) struct BrokerConnection {
    target: Target,
    vhost: String,
    user: String,
    current: Mutex<Option<(Connection, Channel)>>,
}

impl BrokerConnection {
    pub(crate) fn new(target: &Target, vhost: &str, user: &str) -> Self {
        let (target, vhost, user) = (target.clone(), vhost.to_owned(), user.to_owned());
        Self { target, vhost, user, current: Mutex::new(None) }
    }

    /// `amqp://user:password@host:port/vhost`
    pub(crate) fn url(&self) -> String {
        let (user, address, vhost) = (&self.user, self.target.address(), &self.vhost);
        format!("amqp://{user}:{}@{address}/{vhost}", in_url(&password(user)))
    }

    /// A channel that confirms, the same as long as it lives.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        let mut current = self.current.lock().await;
        if let Some((_, channel)) =
            current.as_ref().filter(|(_, channel)| channel.status().connected())
        {
            return Ok(channel.clone());
        }
        let alive = current.take().map(|(connection, _)| connection);
        let connection = match alive.filter(|connection| connection.status().connected()) {
            Some(connection) => connection,
            None => {
                let name = format!("integration-tests/{}", self.user);
                let named = ConnectionProperties::default().with_connection_name(name.into());
                Connection::connect(&self.url(), named).await.context("no connection")?
            }
        };
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        *current = Some((connection, channel.clone()));
        Ok(channel)
    }

    /// Publishes all, and returns when the broker has all.
    pub(crate) async fn publish(&self, messages: &[Message]) -> Result<()> {
        let channel = self.channel().await?;
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let mut confirms = Vec::with_capacity(messages.len());
        for message in messages {
            let (exchange, key) =
                (message.exchange.as_str().into(), message.routing_key.as_str().into());
            let properties = message.properties.clone();
            confirms.push(
                channel.basic_publish(exchange, key, options, &message.body, properties).await?,
            );
        }
        for confirm in confirms {
            match confirm.await? {
                Confirmation::Ack(None) => {}
                other => bail!("not confirmed: {other:?}"),
            }
        }
        Ok(())
    }

    /// How many messages are ready in a queue.
    pub(crate) async fn depth(&self, queue: &str) -> Result<u32> {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let channel = self.channel().await?;
        let state = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        Ok(state.with_context(|| format!("queue {queue}"))?.message_count())
    }

    /// Takes the messages ready in a queue without acknowledging them. The caller closes the
    /// channel or acknowledges the messages.
    pub(crate) async fn take(&self, queue: &str) -> Result<(Channel, Vec<BasicGetMessage>)> {
        let channel = self.channel().await?;
        let mut taken = Vec::new();
        while let Some(message) =
            channel.basic_get(queue.into(), BasicGetOptions::default()).await?
        {
            ensure!(taken.len() < 100_000, "queue {queue} does not end");
            taken.push(message);
        }
        Ok((channel, taken))
    }

    /// Says goodbye.
    pub(crate) async fn close(&self) {
        if let Some((connection, _)) = self.current.lock().await.take() {
            // It may be gone already.
            let _ = connection.close(200, "done".into()).await;
        }
    }
}
