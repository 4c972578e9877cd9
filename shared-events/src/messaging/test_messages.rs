//! Messages and deliveries for the unit tests of this folder. Promise: each is of the shape that
//! the broker delivers, without a broker.

use chrono::Utc;
use lapin::message::Delivery;
use serde_json::value::RawValue;

use super::{decode::QueueDelivery, handler::Received};
use crate::{
    envelope::{CONTENT_TYPE, Envelope, RawEnvelope},
    ids::MessageId,
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
    topology::COMMANDS,
};

/// A published command type: the exchange of a message follows from its type.
pub(crate) const COMMAND: &str = "accounts.account.open.v1";
/// The queue that test deliveries come from.
pub(crate) const QUEUE: &str = "accounts.commands";

/// A command whose data is one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestMessage(pub(crate) String);

impl MessageSet for TestMessage {
    const TYPES: &'static [&'static str] = &[COMMAND];

    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable> {
        match kind {
            COMMAND => crate::message::read_json(data).map(Self),
            found => Err(Undecodable::UnknownType { found: found.to_owned(), known: Self::TYPES }),
        }
    }

    fn canonical(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }
}

/// A command with this text.
pub(crate) fn envelope(text: &str) -> RawEnvelope {
    typed(text, COMMAND)
}

/// A message of this type with this text.
pub(crate) fn typed(text: &str, kind: &str) -> RawEnvelope {
    let data = RawValue::from_string(format!("{text:?}")).expect("a text is JSON");
    let placeholder = MessageRefused::unavailable("");
    let source = "/clients/test".to_owned();
    let envelope = Envelope::start(MessageId::new(), source, Utc::now(), placeholder).with(data);
    RawEnvelope { kind: kind.to_owned(), ..envelope }
}

pub(crate) fn body_of(envelope: &RawEnvelope) -> Vec<u8> {
    serde_json::to_vec(envelope).expect("an envelope writes plain JSON")
}

/// A delivery with this tag, as the driver hands one over.
pub(crate) fn delivery(
    tag: u64,
    exchange: &str,
    content_type: &str,
    body: Vec<u8>,
) -> QueueDelivery {
    let mut message = Delivery::mock(tag, exchange.into(), COMMAND.into(), false, body);
    message.properties = message.properties.with_content_type(content_type.into());
    QueueDelivery { queue: QUEUE.into(), message }
}

/// A delivery of one command.
pub(crate) fn command(tag: u64, envelope: &RawEnvelope) -> QueueDelivery {
    delivery(tag, COMMANDS, CONTENT_TYPE, body_of(envelope))
}

/// A decoded command.
pub(crate) fn received(id: MessageId, text: &str) -> Received<TestMessage> {
    let envelope = RawEnvelope { id, ..envelope(text) }.with(TestMessage(text.to_owned()));
    Received { envelope, attempt: 0, returned: false }
}
