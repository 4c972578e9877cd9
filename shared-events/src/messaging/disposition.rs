//! What happens to messages after the commit. Promise: a message that waits or is parked is safe on
//! its new queue before the old one is told to forget it.

use std::time::Duration;

use chrono::Utc;
use lapin::{
    BasicProperties,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
use metrics::counter;
use tokio::sync::Mutex;
use tracing::{error, info, warn};

use super::{
    broker_channel::ChannelGuard,
    reply::{Reply, correlation},
};
use crate::amqp::{
    connection::{Backoff, BusError, Link},
    publish::{Outgoing, named, publish_confirmed, set_header, short, text},
};
use crate::{
    envelope::chain,
    ids::MessageId,
    refusal::MessageRefused,
    topology::{ATTEMPT_HEADER, PARKED, PARTITION_KEY_HEADER, REPLIES, RETRY, retry_queue},
};

/// A blocked connection must not hold messages up for a courtesy.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// The headers that belong to a message. All others tell of its way, or are a stranger's.
const KEPT_HEADERS: [&str; 3] = [PARTITION_KEY_HEADER, ATTEMPT_HEADER, "x-events"];
/// The most bytes of a reason in a header: AMQP does not split headers over frames.
const DETAIL_BYTES_MAX: usize = 1_000;

/// Why a message is parked, as a code for operators to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParkReason {
    /// It is not what it says it is, or of a type or version unknown here.
    Undecodable,
    /// It is larger than a message may be.
    Oversized,
    /// It can never be handled.
    Hopeless,
    /// It has waited as often as a message may.
    RetriesExhausted,
    /// The service died each time that it handled it, and it alone.
    KillsTheService,
}

impl ParkReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Oversized => "oversized",
            Self::Hopeless => "hopeless",
            Self::RetriesExhausted => "retries_exhausted",
            Self::KillsTheService => "kills_the_service",
        }
    }
}

/// A message, or one event of a joined message, that goes to another queue.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    /// The queue it came from.
    pub(crate) queue: String,
    /// Its AMQP properties as it came.
    pub(crate) properties: BasicProperties,
    /// Its own id and type, where they are known.
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The content type of its body.
    pub(crate) content_type: String,
    /// Its body: one event, or bytes that are none.
    pub(crate) body: Vec<u8>,
}

/// Publishes what waits, what is parked and what is replied, for one service.
pub(crate) struct Settlement {
    service: &'static str,
    link: Link,
    confirming: Mutex<Option<ChannelGuard>>,
    replying: Mutex<Option<ChannelGuard>>,
}

impl Settlement {
    pub(crate) fn new(service: &'static str, link: Link) -> Self {
        Self { service, link, confirming: Mutex::new(None), replying: Mutex::new(None) }
    }

    /// Lets messages wait in the tier that follows from how often they were tried, or parks those
    /// that have waited often enough.
    pub(crate) async fn retry_later(&self, strays: Vec<(Stray, String)>) -> Result<(), BusError> {
        let mut waiting = Vec::new();
        let mut exhausted = Vec::new();
        for (mut stray, why) in strays {
            let attempt = attempt(&stray.properties).saturating_add(1);
            match retry_queue(&stray.queue, attempt) {
                Some(key) => {
                    info!(
                        message.id = stray.id,
                        message.kind = stray.kind,
                        attempt,
                        why,
                        key,
                        "message waits for another try"
                    );
                    counter!("bus_retried_total", "queue" => stray.queue.clone()).increment(1);
                    let mut headers = own_headers(&stray.properties);
                    headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongUInt(attempt));
                    stray.properties = stray.properties.with_headers(headers);
                    waiting.push(self.outgoing(RETRY, key, stray));
                }
                None => exhausted.push((stray, ParkReason::RetriesExhausted, why)),
            }
        }
        self.confirmed(&waiting).await?;
        self.park(exhausted).await
    }

    /// Puts messages aside for an operator, each with why, where and when as headers.
    pub(crate) async fn park(
        &self,
        strays: Vec<(Stray, ParkReason, String)>,
    ) -> Result<(), BusError> {
        let mut parked = Vec::new();
        for (mut stray, reason, why) in strays {
            let reason = reason.as_str();
            error!(
                message.id = stray.id,
                message.kind = stray.kind,
                queue = stray.queue,
                reason,
                why,
                "message parked"
            );
            counter!("bus_parked_total", "queue" => stray.queue.clone(), "reason" => reason)
                .increment(1);
            let mut headers = own_headers(&stray.properties);
            set_header(&mut headers, "x-parked-reason", reason);
            let detail = &why[..why.floor_char_boundary(DETAIL_BYTES_MAX)];
            set_header(&mut headers, "x-parked-detail", detail);
            set_header(&mut headers, "x-parked-queue", &stray.queue);
            set_header(&mut headers, "x-parked-at", &Utc::now().to_rfc3339());
            set_header(&mut headers, "x-parked-by", &self.link.name);
            stray.properties = stray.properties.with_headers(headers);
            parked.push(self.outgoing(PARKED, self.service.to_owned(), stray));
        }
        self.confirmed(&parked).await
    }

    /// Sends a reply, as a courtesy: the record is the event. The channel takes it, since it is no
    /// larger than a message may be; so it costs no other reply of the channel.
    pub(crate) async fn reply(&self, to: &BasicProperties, reply: &Reply) {
        let key = text(to.reply_to().as_ref());
        if key.is_empty() {
            return;
        }
        let asked = correlation(to, reply.about);
        let properties = named(reply.content_type, &asked, &reply.kind, self.link.user())
            .with_app_id(short(&format!("/{}", self.service)))
            .with_correlation_id(short(&asked));
        // A connection that was lost meanwhile is noticed by the first reply after that.
        let sending = async {
            let mut backoff = Backoff::new();
            while let Err(error) = self.send_reply(key, &reply.body, properties.clone()).await {
                warn!(message.id = asked, error = %chain(&error), "replying again");
                tokio::time::sleep(backoff.next_pause()).await;
            }
        };
        if tokio::time::timeout(REPLY_TIMEOUT, sending).await.is_err() {
            warn!(message.id = asked, "a reply was not sent");
        }
    }

    /// Tells whoever waits that a message was not handled, and why.
    pub(crate) async fn refuse(
        &self,
        asked: &BasicProperties,
        about: Option<MessageId>,
        refusal: MessageRefused,
    ) {
        let source = format!("/{}", self.service);
        self.reply(asked, &Reply::refused(asked, about, source, refusal)).await;
    }

    async fn send_reply(
        &self,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BusError> {
        let mut current = self.replying.lock().await;
        let channel = match current.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => ChannelGuard::new(self.link.channel().await?),
        };
        let options = BasicPublishOptions::default();
        channel.basic_publish(REPLIES.into(), short(key), options, body, properties).await?;
        *current = Some(channel);
        Ok(())
    }

    async fn confirmed(&self, messages: &[Outgoing]) -> Result<(), BusError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut current = self.confirming.lock().await;
        let channel = match current.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => ChannelGuard::new(self.link.confirming_channel().await?),
        };
        publish_confirmed(&channel, messages).await?;
        *current = Some(channel);
        Ok(())
    }

    /// The broker lets us publish under our own name only; who sent it first stays in `app_id`.
    fn outgoing(&self, exchange: &'static str, key: String, stray: Stray) -> Outgoing {
        let was = &stray.properties;
        let mut properties = named(&stray.content_type, &stray.id, &stray.kind, self.link.user())
            .with_headers(was.headers().clone().unwrap_or_default());
        if let Some(app_id) = was.app_id() {
            properties = properties.with_app_id(app_id.clone());
        }
        if let Some(correlation_id) = was.correlation_id() {
            properties = properties.with_correlation_id(correlation_id.clone());
        }
        if let Some(reply_to) = was.reply_to() {
            properties = properties.with_reply_to(reply_to.clone());
        }
        if let Some(timestamp) = was.timestamp() {
            properties = properties.with_timestamp(*timestamp);
        }
        Outgoing { exchange, key, properties, body: stray.body }
    }

    pub(crate) async fn close(&self) {
        self.link.close().await;
    }
}

/// How many times a message was tried and sent to wait.
pub(crate) fn attempt(properties: &BasicProperties) -> u32 {
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    match headers.and_then(|headers| headers.get(ATTEMPT_HEADER)) {
        Some(AMQPValue::LongUInt(attempt)) => *attempt,
        Some(AMQPValue::LongInt(attempt)) => u32::try_from(*attempt).unwrap_or(0),
        Some(AMQPValue::LongLongInt(attempt)) => u32::try_from(*attempt).unwrap_or(0),
        _ => 0,
    }
}

/// A message's own headers.
pub(crate) fn own_headers(properties: &BasicProperties) -> FieldTable {
    let mut own = FieldTable::default();
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    for (name, value) in headers.into_iter().flatten() {
        let short = !matches!(value, AMQPValue::LongString(text) if text.len() > DETAIL_BYTES_MAX);
        if short && KEPT_HEADERS.contains(&name.as_str()) {
            own.insert(name.clone(), value.clone());
        }
    }
    own
}
