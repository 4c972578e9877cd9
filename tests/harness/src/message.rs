//! Messages that facts publish: messages of the contract, and messages that break the contract.

use chrono::Utc;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde_json::value::RawValue;
use shared_events::{
    Envelope, MessageId,
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, text_of},
    message::Kind,
    topology::{PARTITION_KEY_HEADER, PRINCIPAL_HEADER, RETRY, exchange_of},
};

use crate::broker::CLIENT;

/// Where tests say that they come from.
pub const SOURCE: &str = "/clients/tests";
const PERSISTENT: u8 = 2;

/// A message ready to be published, with nothing checked.
#[derive(Clone, Debug)]
pub struct Message {
    /// The exchange; empty: straight to the queue that the routing key names.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// AMQP's properties.
    pub properties: BasicProperties,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// A message of the contract, as its owner publishes it: commands and queries come from a
    /// client, events from their service.
    ///
    /// # Panics
    /// When the type is not in the catalogue.
    #[must_use]
    pub fn of<M: shared_events::Message>(id: MessageId, data: M) -> Self {
        let service = M::TYPE.split('.').next().unwrap_or_default();
        let (source, user) = match M::KIND {
            Kind::Command | Kind::Query => (SOURCE.to_owned(), CLIENT),
            Kind::Event | Kind::Reply => (format!("/{service}"), service),
        };
        let key = data.partition_key();
        let exchange = exchange_of(M::TYPE).expect("the type is published");
        Self::new(exchange, M::TYPE, Envelope::start(id, source, Utc::now(), data).to_json())
            .with_id(&id.to_string())
            .with_user(user)
            .with_partition_key(key.as_deref())
    }

    /// Any bytes of a client, called one CloudEvent. The routing key is also the AMQP `type`.
    #[must_use]
    pub fn new(exchange: &str, routing_key: &str, body: impl Into<Vec<u8>>) -> Self {
        let properties = BasicProperties::default()
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_type(routing_key.into())
            .with_user_id(CLIENT.into())
            .with_headers(FieldTable::default());
        let (exchange, routing_key) = (exchange.to_owned(), routing_key.to_owned());
        Self { exchange, routing_key, properties, body: body.into() }
    }

    /// Events joined into one message, as the relay joins them. The first gives the properties.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn joined(events: &[Self]) -> Self {
        let first = events.first().expect("a joined message has an event").clone();
        let bodies: Vec<String> =
            events.iter().map(|event| String::from_utf8_lossy(&event.body).into_owned()).collect();
        first.with_body(format!("[{}]", bodies.join(","))).with_content_type(CONTENT_TYPE_BATCH)
    }

    /// The same message with another id, in the properties only.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.properties = self.properties.with_message_id(id.into());
        self
    }

    /// The same message of another user.
    #[must_use]
    pub fn with_user(mut self, user: &str) -> Self {
        self.properties = self.properties.with_user_id(user.into());
        self
    }

    /// The same message without `user_id`: nobody vouches for its author.
    #[must_use]
    pub fn without_user(mut self) -> Self {
        let with = self.properties;
        let text = |text: &Option<lapin::types::ShortString>| text.clone().unwrap_or_default();
        self.properties = BasicProperties::default()
            .with_content_type(text(with.content_type()))
            .with_message_id(text(with.message_id()))
            .with_type(text(with.kind()))
            .with_headers(with.headers().clone().unwrap_or_default());
        self
    }

    /// The same message as `service` sends it back to one of its queues.
    #[must_use]
    pub fn retried_by(self, service: &str, queue: &str) -> Self {
        let author = self.properties.user_id().clone().unwrap_or_default();
        let author = AMQPValue::LongString(author.as_str().into());
        self.with_header(PRINCIPAL_HEADER, author).with_user(service).to(RETRY, queue)
    }

    /// The same message with another body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same message with another content type.
    #[must_use]
    pub fn with_content_type(mut self, content_type: &str) -> Self {
        self.properties = self.properties.with_content_type(content_type.into());
        self
    }

    /// The same message to another routing key; its `type` and body stay.
    #[must_use]
    pub fn to(mut self, exchange: &str, routing_key: &str) -> Self {
        exchange.clone_into(&mut self.exchange);
        routing_key.clone_into(&mut self.routing_key);
        self
    }

    /// The same message, to be answered on `bank.replies` with this routing key.
    #[must_use]
    pub fn with_reply_to(mut self, reply_to: &str) -> Self {
        self.properties = self.properties.with_reply_to(reply_to.into());
        self
    }

    /// The same message with this partition key.
    #[must_use]
    pub fn with_partition_key(self, key: Option<&str>) -> Self {
        match key {
            Some(key) => self.with_header(PARTITION_KEY_HEADER, AMQPValue::LongString(key.into())),
            None => self,
        }
    }

    /// The same message with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: AMQPValue) -> Self {
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        headers.insert(name.into(), value);
        self.properties = self.properties.with_headers(headers);
        self
    }

    /// The same message with its data changed, or any other part of its envelope.
    ///
    /// # Panics
    /// When the body is not a JSON object.
    #[must_use]
    pub fn edited(mut self, edit: impl FnOnce(&mut serde_json::Value)) -> Self {
        let mut envelope = serde_json::from_slice(&self.body).expect("the body is an envelope");
        edit(&mut envelope);
        self.body = serde_json::to_vec(&envelope).expect("JSON writes as JSON");
        self
    }

    /// The id in the envelope.
    ///
    /// # Panics
    /// When the body is not one CloudEvent.
    #[must_use]
    pub fn id(&self) -> MessageId {
        let text = text_of(&self.body).expect("the body is text");
        let envelope: Envelope<Box<RawValue>> =
            serde_json::from_str(text).expect("the body is an envelope");
        envelope.id
    }
}
