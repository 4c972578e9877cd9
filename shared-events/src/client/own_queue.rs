//! The queues of a client, for replies and for live events. Promise: each queue has the name that
//! the client's user may declare, ends with its connection, and is bound to what the user may read.

use lapin::{
    Channel,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    incoming::{Incoming, Watch},
    request::Client,
};
use crate::{
    amqp::{
        answer::{BusError, in_time, is_refusal_of},
        connection::{discard, host_name},
        publish::short,
    },
    catalogue::PUBLISHED,
    message::Kind,
    topology::{EVENTS, REPLIES, exchange_of_event, is_personal, own_queue_prefix},
};

/// How many live events may wait for a slow watcher.
const WATCH_PREFETCH: u16 = 1_000;

impl Client {
    /// Watches events from now on, of types that match any of `patterns` (AMQP topics: `ledger.#`).
    /// A pattern with wildcards that the client's user may not read as a whole stands for the types
    /// that the user may read.
    ///
    /// # Errors
    /// When the user may read no event of a pattern, or the broker cannot be used.
    pub async fn watch(&self, patterns: &[String]) -> Result<Watch, BusError> {
        let channel = self.link.consuming_channel(WATCH_PREFETCH).await?;
        let (sender, events) = mpsc::unbounded_channel();
        // No acknowledgements: the queue ends with its watcher.
        self.until_fault(&channel, async {
            let queue = self.declare_own_queue(&channel).await?;
            for pattern in patterns {
                self.bind_readable(&queue, pattern).await?;
            }
            self.consume(&channel, &queue, Incoming::Watched(sender)).await
        })
        .await?;
        Ok(Watch { events, channel })
    }

    /// Opens the queue of replies, and returns its name.
    pub(super) async fn receive_replies(
        &self,
        channel: &Channel,
        incoming: Incoming,
    ) -> Result<String, BusError> {
        self.until_fault(channel, async {
            let queue = self.declare_own_queue(channel).await?;
            bind(channel, &queue, REPLIES, &queue).await?;
            self.consume(channel, &queue, incoming).await?;
            Ok(queue)
        })
        .await
    }

    /// Opens a queue in time. After a fault the channel is closed: a consumer that the broker
    /// registers late would have no reader.
    async fn until_fault<T>(
        &self,
        channel: &Channel,
        opening: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        let opened = in_time("opening a client queue", opening).await;
        if opened.is_err() {
            discard(channel.clone());
        }
        opened
    }

    /// Declares a queue that only this connection may use and that ends with the connection.
    async fn declare_own_queue(&self, channel: &Channel) -> Result<String, BusError> {
        let prefix = own_queue_prefix(self.link.user());
        let name = format!("{prefix}{}.{}", self.name, Uuid::now_v7());
        let options = QueueDeclareOptions { exclusive: true, ..Default::default() };
        // Classic: exclusive queues are.
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        channel.queue_declare(name.as_str().into(), options, arguments).await?;
        Ok(name)
    }

    /// Binds a queue to the events of a pattern, as far as the user may read them. A refusal closes
    /// the channel that asked, so each binding has a channel of its own until one is refused.
    async fn bind_readable(&self, queue: &str, pattern: &str) -> Result<(), BusError> {
        let all = self.bind_event(queue, EVENTS, pattern).await?;
        let mut bound = all;
        for kind in events_like(pattern) {
            if is_personal(kind) || !all && kind != pattern {
                bound |= self.bind_event(queue, exchange_of_event(kind), kind).await?;
            }
        }
        if bound { Ok(()) } else { Err(self.not_permitted(&format!("read {pattern}"))) }
    }

    /// Binds a queue to events; false where the user may not read them.
    async fn bind_event(
        &self,
        queue: &str,
        exchange: &str,
        pattern: &str,
    ) -> Result<bool, BusError> {
        let channel = self.link.channel().await?;
        let bound = bind(&channel, queue, exchange, pattern).await;
        discard(channel);
        match bound {
            Ok(()) => Ok(true),
            Err(BusError::Broker(error)) if is_refusal_of(&error, exchange) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn consume(
        &self,
        channel: &Channel,
        queue: &str,
        incoming: Incoming,
    ) -> Result<(), BusError> {
        let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..Default::default() };
        let tag = format!("{}@{}", self.name, host_name());
        let consumer = channel
            .basic_consume(queue.into(), short(&tag), options, FieldTable::default())
            .await?;
        consumer.set_delegate(incoming);
        Ok(())
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), BusError> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(queue.into(), exchange.into(), short(key), options, FieldTable::default())
        .await?;
    Ok(())
}

/// The types of events that an AMQP topic matches: `*` is one word, `#` any number of words.
fn events_like(pattern: &str) -> impl Iterator<Item = &'static str> {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let events = PUBLISHED.iter().filter(|entry| entry.kind == Kind::Event);
    let like = move |kind: &&'static str| {
        let words: Vec<&str> = kind.split('.').collect();
        matches(&pattern, &words)
    };
    events.map(|entry| entry.kind_name).filter(like)
}

fn matches(pattern: &[&str], words: &[&str]) -> bool {
    match (pattern, words) {
        ([], []) => true,
        (["#", rest @ ..], _) => (0..=words.len()).any(|skipped| matches(rest, &words[skipped..])),
        (["*", rest @ ..], [_, others @ ..]) => matches(rest, others),
        ([first, rest @ ..], [word, others @ ..]) if first == word => matches(rest, others),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_the_events_that_it_matches() {
        let count = |pattern: &str| events_like(pattern).count();
        let all = PUBLISHED.iter().filter(|entry| entry.kind == Kind::Event).count();
        assert_eq!(count("#"), all);
        assert_eq!(count("#.#"), all);
        assert_eq!(count("accounts.#") + count("ledger.#") + count("notifications.#"), all);
        let frozen: Vec<_> = events_like("*.account.frozen.*").collect();
        assert_eq!(frozen, ["accounts.account.frozen.v1"]);
        assert_eq!(count("accounts.account.open.v1"), 0, "a command is no event");
        assert_eq!(count("accounts.*"), 0);
        assert_eq!(count(""), 0);
    }
}
