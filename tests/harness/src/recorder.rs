//! Records every event of a bank, or the replies to one requester. Promise: each event is recorded
//! as often as it was published, also across restarts of the broker.

use anyhow::{Context, Result};
use lapin::{
    BasicProperties,
    options::{BasicAckOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use shared_events::{
    Envelope, Message as _, MessageId,
    accounts::{AccessChanged, AccessCurrent},
    envelope::read_envelopes,
    topology::{CLIENT_QUEUE_PREFIX, EVENTS, REPLIES},
};
use tokio::sync::Mutex;

use crate::{
    broker::{CLIENT, TESTER},
    connection::BrokerConnection,
    proxy::Target,
    wait::{PATIENCE, wait_value},
};

/// An event as it was recorded: once for each time it was published.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The id of the AMQP message that carried it: its own, or that of the first it travelled with.
    pub message_id: String,
    /// The routing key.
    pub routing_key: String,
    /// AMQP's properties.
    pub properties: BasicProperties,
    /// The event.
    pub event: Envelope<Value>,
}

/// A queue of its own on `bank.events` or `bank.replies`, of the administrator of the tests.
pub struct Recorder {
    connection: BrokerConnection,
    queue: String,
    recorded: Mutex<Vec<Recorded>>,
}

/// Whether the accounts service announces the grants of all principals, which it does twice a
/// minute, or those of the file of principals.
fn is_routine(kind: &str, data: &Value) -> bool {
    kind == AccessCurrent::TYPE || (kind == AccessChanged::TYPE && data["changed_by"].is_null())
}

impl Recorder {
    /// Every event.
    pub(crate) async fn events_of(target: &Target, vhost: &str) -> Result<Self> {
        Self::start(target, vhost, &format!("{CLIENT}.recorder"), (EVENTS, "#")).await
    }

    /// Every reply to one asker, `<user>.<name>`.
    pub(crate) async fn replies_to(target: &Target, vhost: &str, asker: &str) -> Result<Self> {
        let key = format!("{CLIENT_QUEUE_PREFIX}{asker}");
        Self::start(target, vhost, asker, (REPLIES, &key)).await
    }

    async fn start(
        target: &Target,
        vhost: &str,
        name: &str,
        (exchange, key): (&str, &str),
    ) -> Result<Self> {
        let connection = BrokerConnection::new(target, vhost, TESTER);
        let queue = format!("{CLIENT_QUEUE_PREFIX}{name}");
        let channel = connection.channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(queue.as_str().into(), durable, arguments).await?;
        let (name, options) = (queue.as_str().into(), QueueBindOptions::default());
        let (exchange, key) = (exchange.into(), key.into());
        channel.queue_bind(name, exchange, key, options, FieldTable::default()).await?;
        Ok(Self { connection, queue, recorded: Mutex::default() })
    }

    /// The `reply_to` of messages whose replies shall be recorded here.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.queue
    }

    /// Everything recorded so far, in the order of arrival.
    pub async fn events(&self) -> Result<Vec<Recorded>> {
        self.receive().await?;
        Ok(self.recorded.lock().await.clone())
    }

    /// The events after the first `count`, in the order of arrival.
    pub async fn since(&self, count: usize) -> Result<Vec<Recorded>> {
        self.receive().await?;
        Ok(self.recorded.lock().await.get(count..).unwrap_or_default().to_vec())
    }

    /// Receives the events that have arrived. A fact with very many events calls this while they
    /// arrive.
    pub async fn receive(&self) -> Result<()> {
        let mut recorded = self.recorded.lock().await;
        let (_, taken) = self.connection.take(&self.queue).await?;
        if let Some(last) = taken.last() {
            last.delivery.acker.ack(BasicAckOptions { multiple: true }).await?;
        }
        for message in taken {
            let properties = &message.delivery.properties;
            let text = |text: &Option<lapin::types::ShortString>| {
                text.as_ref().map_or_else(String::new, ToString::to_string)
            };
            let content_type = text(properties.content_type());
            let events = read_envelopes(&content_type, &message.delivery.data)
                .context("an event on bank.events cannot be read")?;
            for event in events {
                let data: Value = serde_json::from_str(event.data.get())?;
                if is_routine(&event.kind, &data) {
                    continue;
                }
                recorded.push(Recorded {
                    message_id: text(properties.message_id()),
                    routing_key: message.delivery.routing_key.to_string(),
                    properties: properties.clone(),
                    event: event.with(data),
                });
            }
        }
        Ok(())
    }

    /// Events of one type.
    pub async fn of_kind(&self, kind: &str) -> Result<Vec<Recorded>> {
        Ok(self.events().await?.into_iter().filter(|event| event.event.kind == kind).collect())
    }

    /// Events that one message led to.
    pub async fn caused_by(&self, id: MessageId) -> Result<Vec<Recorded>> {
        let caused = |event: &Recorded| event.event.causationid == Some(id);
        Ok(self.events().await?.into_iter().filter(caused).collect())
    }

    /// Waits until a message has led to an event, and returns the first.
    pub async fn outcome(&self, id: MessageId) -> Result<Recorded> {
        wait_value(&format!("an event that {id} leads to"), PATIENCE, async || {
            Ok(self.caused_by(id).await?.into_iter().next())
        })
        .await
    }

    /// Waits until there are `count` events of a type, and returns them.
    pub async fn wait_for(&self, kind: &str, count: usize) -> Result<Vec<Recorded>> {
        wait_value(&format!("{count} x {kind}"), PATIENCE, async || {
            let found = self.of_kind(kind).await?;
            Ok((found.len() >= count).then_some(found))
        })
        .await
    }

    pub(crate) async fn close(&self) {
        self.connection.close().await;
    }
}
