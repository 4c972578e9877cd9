//! The parked messages of a service, for an operator. Promise: every message is reached, whatever
//! its content and number; listing changes nothing; a message leaves its parked queue only after it
//! is confirmed elsewhere, or dropped by name.

mod walk;

use lapin::{
    BasicProperties,
    message::Delivery,
    options::BasicAckOptions,
    types::{AMQPValue, FieldTable},
};
use sha2::{Digest, Sha256};

use crate::amqp::{
    ConnectionParameters,
    answer::BusError,
    connection::Link,
    frame_repair::repaired_part,
    health::Health,
    publish::{Outgoing, named, publish_confirmed, text},
};
use crate::topology::{PARKED, PARTITION_KEY_HEADER, RETRY, UNROUTED, parked_queue};

/// The prefix that tells a fingerprint from an id.
const FINGERPRINT_PREFIX: &str = "fp-";
/// Enough to tell a million messages apart.
const FINGERPRINT_BYTES: usize = 8;
/// The headers that a replayed message keeps. All others tell of its way, or a sender invented
/// them.
const KEPT_HEADERS: [&str; 2] = [PARTITION_KEY_HEADER, "x-events"];
/// The longest name of a queue.
const QUEUE_BYTES_MAX: usize = 255;

/// A message that its service has parked.
#[derive(Clone, Debug)]
pub struct ParkedMessage {
    /// The message id; empty if absent.
    pub id: String,
    /// A name derived from the message, for messages without an id of their own.
    pub fingerprint: String,
    /// The message type; empty if absent.
    pub kind: String,
    /// A code: `undecodable`, `oversized`, `hopeless`, `retries_exhausted`, `kills_the_service`;
    /// `delivery_limit` where the broker of an earlier version parked the message; `unrouted`.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// The queue that delivered the message, and to which a replay returns the message.
    pub queue: String,
    /// The time of parking (RFC 3339).
    pub at: String,
    /// The connection that parked the message.
    pub by: String,
    /// The body.
    pub body: Vec<u8>,
}

impl ParkedMessage {
    /// The message's name for people: its id, or its fingerprint without one.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.id.is_empty() { &self.fingerprint } else { &self.id }
    }

    /// Whether `name` is the message's fingerprint or id.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        if name.starts_with(FINGERPRINT_PREFIX) {
            self.fingerprint == name
        } else {
            self.id == name
        }
    }
}

/// A choice of messages.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// All messages of the queue.
    All,
    /// The messages with these ids or fingerprints; an empty id chooses messages without one.
    Named(Vec<String>),
}

impl Chosen {
    fn has(&self, message: &ParkedMessage) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| message.is_called(name)),
        }
    }
}

/// The parked queue of one service, or the queue of unrouted messages.
#[derive(Debug)]
pub struct ParkedQueue {
    link: Link,
    queue: String,
}

impl ParkedQueue {
    /// The parked queue of `service`. `amqp` must name a user that may read that queue: `repair`.
    #[must_use]
    pub fn of_service(amqp: ConnectionParameters, service: &str) -> Self {
        Self::new(amqp, parked_queue(service))
    }

    /// The queue of unrouted messages.
    #[must_use]
    pub fn unrouted(amqp: ConnectionParameters) -> Self {
        Self::new(amqp, UNROUTED.to_owned())
    }

    fn new(amqp: ConnectionParameters, queue: String) -> Self {
        Self { link: Link::new(amqp, "teller", "parked", Health::default()), queue }
    }

    /// Lists the parked messages, oldest first, each mapped by `see`. The messages stay parked.
    pub async fn list<T>(&self, see: impl Fn(ParkedMessage) -> T) -> Result<Vec<T>, BusError> {
        let mut seen = Vec::new();
        self.walk(async |delivery| {
            seen.push(see(self.describe(delivery)));
            Ok(false)
        })
        .await?;
        Ok(seen)
    }

    /// Returns messages to their queues, with attempts counted from zero. Returns the replayed
    /// ones.
    pub async fn replay(&self, chosen: &Chosen) -> Result<Vec<ParkedMessage>, BusError> {
        let channel = self.link.confirming_channel().await?;
        let mut done = Vec::new();
        let walked = self.walk(async |delivery| {
            let message = self.describe(delivery);
            let has_queue = (1..=QUEUE_BYTES_MAX).contains(&message.queue.len());
            if !has_queue || !chosen.has(&message) {
                return Ok(false);
            }
            let outgoing = Outgoing {
                exchange: RETRY,
                key: message.queue.clone(),
                properties: replayed(&delivery.properties, self.link.user()),
                body: message.body.clone(),
            };
            publish_confirmed(&channel, &[outgoing]).await?;
            done.push(message);
            Ok(true)
        });
        walked.await?;
        Ok(done)
    }

    /// Drops messages for ever. Returns the dropped ones.
    pub async fn drop(&self, chosen: &Chosen) -> Result<Vec<ParkedMessage>, BusError> {
        let mut done = Vec::new();
        self.walk(async |delivery| {
            let message = self.describe(delivery);
            let is_chosen = chosen.has(&message);
            if is_chosen {
                done.push(message);
            }
            Ok(is_chosen)
        })
        .await?;
        Ok(done)
    }

    /// Shows every message of the queue to `visit`, and removes each for which `visit` returns
    /// true.
    async fn walk(
        &self,
        mut visit: impl AsyncFnMut(&Delivery) -> Result<bool, BusError>,
    ) -> Result<(), BusError> {
        let mut walk = walk::QueueScan::begin(&self.link, &self.queue).await?;
        while let Some(delivery) = walk.next().await? {
            if visit(&delivery).await? {
                delivery.acker.ack(BasicAckOptions::default()).await?;
                walk.removed();
            }
        }
        walk.end().await
    }

    fn describe(&self, delivery: &Delivery) -> ParkedMessage {
        let is_trusted = [PARKED, RETRY].contains(&delivery.exchange.as_str());
        // Headers about parking count only where a service wrote them.
        let header = |name| header(&delivery.properties, name).filter(|_| is_trusted);
        let (reason, queue) = match header("x-parked-reason") {
            Some(reason) => (reason, header("x-parked-queue").unwrap_or_default()),
            None if self.queue == UNROUTED => ("unrouted".to_owned(), String::new()),
            None => {
                let queue = header("x-first-death-queue").unwrap_or_default();
                ("delivery_limit".to_owned(), queue)
            }
        };
        let repaired =
            || repaired_part(delivery).map(|part| format!("its {part} is not UTF-8 text"));
        let detail = header("x-parked-detail").or_else(repaired);
        let mut message = ParkedMessage {
            id: text(delivery.properties.message_id().as_ref()).to_owned(),
            fingerprint: String::new(),
            kind: text(delivery.properties.kind().as_ref()).to_owned(),
            reason,
            detail: detail.unwrap_or_default(),
            queue,
            at: header("x-parked-at").unwrap_or_default(),
            by: header("x-parked-by").unwrap_or_default(),
            body: delivery.data.clone(),
        };
        message.fingerprint = fingerprint(&message);
        message
    }
}

/// A hash of a message and of the place and time of its parking, the same at each listing.
fn fingerprint(message: &ParkedMessage) -> String {
    let ParkedMessage { id, kind, reason, queue, at, body, .. } = message;
    let mut digest = Sha256::new();
    for part in [id, kind, reason, queue, at].map(String::as_bytes).iter().chain([&body.as_slice()])
    {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let hex = digest.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}"));
    format!("{FINGERPRINT_PREFIX}{}", hex.collect::<String>())
}

/// The message's properties without its attempts.
fn replayed(was: &BasicProperties, user: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in was.headers().as_ref().map(FieldTable::inner).into_iter().flatten() {
        if KEPT_HEADERS.contains(&name.as_str()) {
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
