//! The floor of the broker alone: messages published, confirmed, consumed, acknowledged, on a
//! quorum queue, persistent, 500 bytes, through the same driver as the bank. In a virtual host of
//! its own, which is gone afterwards.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, Consumer,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::{
    command::PERSISTENT,
    fault::BenchError,
    percentiles::Percentiles,
    place::Place,
    publisher::{Publisher, connect},
};

const BROKER: &str = "broker";
const VHOST: &str = "bench";
const QUEUE: &str = "client.teller.bench";
pub(crate) const MESSAGE_BYTES: usize = 500;
/// How many messages are on their way at a time, in the windows of the limit: the better counts.
const IN_FLIGHT: [u32; 2] = [1_000, 4_000];
/// One acknowledgement for so many messages, at most.
const ACK_EVERY: u64 = 64;
const PREFETCH: u16 = 2_000;
/// How often a single message is sent, to measure its way.
const HOPS_PER_SECOND: u32 = 100;

/// Messages that went all the way.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct BusLimit {
    /// Of the best window.
    pub(crate) messages_per_second: f64,
    pub(crate) in_flight: u32,
    pub(crate) message_bytes: usize,
}

/// The best of several windows of this length.
pub(crate) async fn limit(place: &Place, each: Duration) -> Result<BusLimit, BenchError> {
    let mut best: Option<BusLimit> = None;
    for in_flight in IN_FLIGHT {
        let line = Line::open(place).await?;
        let rate = line.rate(in_flight, each).await?;
        if best.is_none_or(|best| rate > best.messages_per_second) {
            let message_bytes = MESSAGE_BYTES;
            best = Some(BusLimit { messages_per_second: rate, in_flight, message_bytes });
        }
    }
    remove(place).await?;
    best.ok_or_else(|| BenchError::Wrong("no window was measured".to_owned()))
}

/// How long a single message takes from publisher to consumer, on a quiet broker.
pub(crate) async fn hop(place: &Place, window: Duration) -> Result<Percentiles, BenchError> {
    let mut line = Line::open(place).await?;
    let hops = line.hops(window).await?;
    remove(place).await?;
    Percentiles::of(hops).ok_or_else(|| BenchError::Wrong("no hop was measured".to_owned()))
}

/// The virtual host, new and empty, for the bank's client.
async fn make(place: &Place) -> Result<(), BenchError> {
    let user = place.amqp.user();
    let script = format!(
        "rabbitmqctl -q delete_vhost {VHOST} >/dev/null 2>&1 || true
         rabbitmqctl -q add_vhost {VHOST}
         rabbitmqctl -q set_permissions -p {VHOST} {user} '.*' '.*' '.*'"
    );
    place.containers.exec(BROKER, &["sh", "-ec", &script]).await.map(drop)
}

async fn remove(place: &Place) -> Result<(), BenchError> {
    let command = ["rabbitmqctl", "-q", "delete_vhost", VHOST];
    place.containers.exec(BROKER, &command).await.map(drop)
}

/// A queue with a connection at either end.
struct Line {
    sending: Connection,
    receiving: Channel,
    consumer: Consumer,
    _receiver: Connection,
}

impl Line {
    async fn open(place: &Place) -> Result<Self, BenchError> {
        make(place).await?;
        let (sending, receiver) =
            (connect(&place.amqp, Some(VHOST)).await?, connect(&place.amqp, Some(VHOST)).await?);
        let receiving = receiver.create_channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        receiving.queue_declare(QUEUE.into(), durable, arguments).await?;
        receiving.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer =
            receiving.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default());
        let consumer = consumer.await?;
        Ok(Self { sending, receiving, consumer, _receiver: receiver })
    }

    /// Messages a second while `in_flight` are on their way.
    async fn rate(self, in_flight: u32, window: Duration) -> Result<f64, BenchError> {
        let permits = usize::try_from(in_flight).unwrap_or(usize::MAX);
        let free = Arc::new(Semaphore::new(permits));
        let publisher = Publisher::open(&self.sending, "", QUEUE, permits).await?;
        let sending = tokio::spawn(flood(publisher, Arc::clone(&free)));
        let rate = drain(&self.receiving, self.consumer, &free, window).await;
        free.close();
        let sent = sending.await.map_err(|error| BenchError::Wrong(error.to_string()))?;
        sent?;
        rate
    }

    /// The way of single messages, one after another, in milliseconds.
    async fn hops(&mut self, window: Duration) -> Result<Vec<f64>, BenchError> {
        let publisher = Publisher::open(&self.sending, "", QUEUE, 1).await?;
        let mut tick = tokio::time::interval(Duration::from_secs(1) / HOPS_PER_SECOND);
        let (until, mut hops) = (Instant::now() + window, Vec::new());
        while Instant::now() < until {
            tick.tick().await;
            let sent = Instant::now();
            publisher.publish(&[b'x'; MESSAGE_BYTES], persistent()).await?;
            let delivery = self.consumer.next().await.ok_or_else(ended)??;
            hops.push(sent.elapsed().as_secs_f64() * 1e3);
            acknowledge(&self.receiving, delivery.delivery_tag).await?;
        }
        publisher.finish().await?;
        Ok(hops)
    }
}

/// Publishes as long as there are permits.
async fn flood(publisher: Publisher, free: Arc<Semaphore>) -> Result<u64, BenchError> {
    while let Ok(permits) = free.acquire_many(u32::try_from(ACK_EVERY).unwrap_or(1)).await {
        permits.forget();
        for _ in 0..ACK_EVERY {
            publisher.publish(&[b'x'; MESSAGE_BYTES], persistent()).await?;
        }
    }
    publisher.finish().await
}

/// Consumes and acknowledges for a while, and counts what it did after the first quarter.
async fn drain(
    channel: &Channel,
    mut consumer: Consumer,
    free: &Semaphore,
    window: Duration,
) -> Result<f64, BenchError> {
    let began = Instant::now();
    let mut counted: Option<(Instant, u64)> = None;
    let mut consumed = 0;
    loop {
        let delivery = consumer.next().await.ok_or_else(ended)??;
        consumed += 1;
        if consumed % ACK_EVERY != 0 {
            continue;
        }
        acknowledge(channel, delivery.delivery_tag).await?;
        free.add_permits(usize::try_from(ACK_EVERY).unwrap_or(1));
        let (since, before) = match counted {
            Some(counted) => counted,
            None if began.elapsed() < window / 4 => continue,
            None => *counted.insert((Instant::now(), consumed)),
        };
        if since.elapsed() >= window {
            let count = u32::try_from(consumed - before).unwrap_or(u32::MAX);
            return Ok(f64::from(count) / since.elapsed().as_secs_f64());
        }
    }
}

async fn acknowledge(channel: &Channel, tag: u64) -> Result<(), BenchError> {
    Ok(channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?)
}

fn persistent() -> BasicProperties {
    BasicProperties::default().with_delivery_mode(PERSISTENT)
}

fn ended() -> BenchError {
    BenchError::Wrong("the broker ended the consumer".to_owned())
}
