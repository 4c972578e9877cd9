//! What services have given up, for an operator to look at and decide. Promise: looking changes
//! nothing; a message leaves its parking place only when it is safe elsewhere, or dropped by name.

use lapin::{
    BasicProperties, Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions},
    types::{AMQPValue, FieldTable},
};

use super::{
    connection::{Amqp, BusError, Link},
    health::Health,
    publish::{Outgoing, named, publish_confirmed, text},
};
use crate::topology::{ATTEMPT_HEADER, RETRY, UNROUTED, parked_queue};

/// The most parked messages that are looked at together.
const LOOK_MAX: usize = 1_000;

/// A message that was given up.
#[derive(Clone, Debug)]
pub struct ParkedMessage {
    /// Its id, or empty where it has none.
    pub id: String,
    /// Its type, or empty where it has none.
    pub kind: String,
    /// A code: `undecodable`, `oversized`, `hopeless`, `retries_exhausted`; `delivery_limit` where
    /// the broker parked it, because the service died of it too often; `unrouted`.
    pub reason: String,
    /// Why, in words.
    pub detail: String,
    /// The queue it was taken from, where a replay puts it back.
    pub queue: String,
    /// When it was parked (RFC 3339).
    pub at: String,
    /// Who parked it.
    pub by: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// The parking place of one service, or what was never routed to any.
#[derive(Debug)]
pub struct ParkedQueue {
    link: Link,
    queue: String,
}

impl ParkedQueue {
    /// What `service` has given up. `amqp` must be a user that may read it: `repair`.
    #[must_use]
    pub fn of_service(amqp: Amqp, service: &str) -> Self {
        Self {
            link: Link::new(amqp, "teller", "parked", Health::default()),
            queue: parked_queue(service),
        }
    }

    /// What no queue asked for.
    #[must_use]
    pub fn unrouted(amqp: Amqp) -> Self {
        Self {
            link: Link::new(amqp, "teller", "parked", Health::default()),
            queue: UNROUTED.to_owned(),
        }
    }

    /// Up to 1,000 parked messages, oldest first. They stay where they are.
    pub async fn list(&self) -> Result<Vec<ParkedMessage>, BusError> {
        let channel = self.link.channel().await?;
        let found = look(&channel, &self.queue).await?;
        let messages = found.iter().map(|it| self.describe(it)).collect();
        // What is not acknowledged goes back, to where it was.
        channel.close(200, "looked".into()).await?;
        Ok(messages)
    }

    /// Sends the messages with these ids back to the queues they came from, to be tried afresh.
    /// Returns the ids that were found.
    pub async fn replay(&self, ids: &[String]) -> Result<Vec<String>, BusError> {
        let channel = self.link.confirming_channel().await?;
        let mut done = Vec::new();
        for found in look(&channel, &self.queue).await? {
            let message = self.describe(&found);
            if !ids.contains(&message.id) || message.queue.is_empty() {
                continue;
            }
            let was = &found.delivery.properties;
            let properties = replayed(was, self.link.user());
            let body = message.body;
            let outgoing = Outgoing { exchange: RETRY, key: message.queue, properties, body };
            publish_confirmed(&channel, &[outgoing]).await?;
            found.delivery.acker.ack(BasicAckOptions::default()).await?;
            done.push(message.id);
        }
        channel.close(200, "replayed".into()).await?;
        Ok(done)
    }

    /// Drops the messages with these ids for ever. Returns the ids that were found.
    pub async fn drop(&self, ids: &[String]) -> Result<Vec<String>, BusError> {
        let channel = self.link.channel().await?;
        let mut done = Vec::new();
        for found in look(&channel, &self.queue).await? {
            let message = self.describe(&found);
            if ids.contains(&message.id) {
                found.delivery.acker.ack(BasicAckOptions::default()).await?;
                done.push(message.id);
            }
        }
        channel.close(200, "dropped".into()).await?;
        Ok(done)
    }

    fn describe(&self, found: &BasicGetMessage) -> ParkedMessage {
        let delivery = &found.delivery;
        let header = |name| header(&delivery.properties, name);
        let by_us = header("x-parked-reason");
        let unrouted = self.queue == UNROUTED;
        let (reason, queue) = match by_us {
            Some(reason) => (reason, header("x-parked-queue").unwrap_or_default()),
            None if unrouted => ("unrouted".to_owned(), String::new()),
            None => {
                let queue = header("x-first-death-queue").unwrap_or_default();
                ("delivery_limit".to_owned(), queue)
            }
        };
        ParkedMessage {
            id: text(delivery.properties.message_id().as_ref()).to_owned(),
            kind: text(delivery.properties.kind().as_ref()).to_owned(),
            reason,
            detail: header("x-parked-detail").unwrap_or_default(),
            queue,
            at: header("x-parked-at").unwrap_or_default(),
            by: header("x-parked-by").unwrap_or_default(),
            body: delivery.data.clone(),
        }
    }
}

/// Takes messages one after another, without acknowledging any.
async fn look(channel: &Channel, queue: &str) -> Result<Vec<BasicGetMessage>, BusError> {
    let mut found = Vec::new();
    while found.len() < LOOK_MAX {
        match channel.basic_get(queue.into(), BasicGetOptions::default()).await? {
            Some(message) => found.push(message),
            None => break,
        }
    }
    Ok(found)
}

/// The message as it was before it was tried: attempts start again.
fn replayed(was: &BasicProperties, user: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in was.headers().as_ref().map(FieldTable::inner).into_iter().flatten() {
        let name_text = name.as_str();
        if !name_text.starts_with("x-parked-") && name_text != ATTEMPT_HEADER {
            headers.insert(name.clone(), value.clone());
        }
    }
    let of = |property: &Option<lapin::types::ShortString>| text(property.as_ref()).to_owned();
    let mut properties =
        named(&of(was.content_type()), &of(was.message_id()), &of(was.kind()), user)
            .with_headers(headers);
    if let Some(app_id) = was.app_id() {
        properties = properties.with_app_id(app_id.clone());
    }
    if let Some(correlation_id) = was.correlation_id() {
        properties = properties.with_correlation_id(correlation_id.clone());
    }
    properties
}

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}
