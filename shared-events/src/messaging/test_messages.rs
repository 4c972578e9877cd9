//! Messages and deliveries for the unit tests of this folder. Promise: each is of the shape that
//! the broker delivers, without a broker.

use chrono::Utc;
use lapin::{
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use serde_json::value::RawValue;

use super::{
    access::{AccessBoard, AccessLimits},
    handler::{Received, Standing},
    message_source::QueueDelivery,
};
use crate::{
    access::{Grant, PrincipalGrants, Rights, RoleCode},
    accounts::AccessCurrent,
    amqp::publish::{set_header, short},
    envelope::{CONTENT_TYPE, Envelope, RawEnvelope},
    ids::MessageId,
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
    topology::{ATTEMPT_HEADER, COMMANDS, PRINCIPAL_HEADER, RETRY},
};

/// A published command type: the exchange of a message follows from its type.
pub(crate) const COMMAND: &str = "accounts.account.open.v1";
/// The queue that test deliveries come from.
pub(crate) const QUEUE: &str = "accounts.commands";

/// The service that the deliveries come to, and the client that they are of.
pub(crate) const SERVICE: &str = "accounts";
pub(crate) const CLIENT: &str = "acme";

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

/// A delivery of the client with this tag, as the driver hands one over. A client's own words
/// about attempts and authors count for nothing.
pub(crate) fn delivery(
    tag: u64,
    exchange: &str,
    content_type: &str,
    body: Vec<u8>,
) -> QueueDelivery {
    let mut message = Delivery::mock(tag, exchange.into(), COMMAND.into(), false, body);
    let mut headers = FieldTable::default();
    set_header(&mut headers, PRINCIPAL_HEADER, "ledger");
    headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongUInt(9));
    message.properties = message
        .properties
        .with_content_type(content_type.into())
        .with_user_id(CLIENT.into())
        .with_headers(headers);
    QueueDelivery { queue: QUEUE.into(), message }
}

/// A delivery of one command of `author`, after two attempts.
pub(crate) fn returned(tag: u64, envelope: &RawEnvelope, author: &str) -> QueueDelivery {
    let mut back = delivery(tag, RETRY, CONTENT_TYPE, body_of(envelope));
    let mut headers = FieldTable::default();
    set_header(&mut headers, PRINCIPAL_HEADER, author);
    headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongUInt(2));
    back.message.routing_key = QUEUE.into();
    back.message.properties = back
        .message
        .properties
        .with_type(short(&envelope.kind))
        .with_user_id(SERVICE.into())
        .with_headers(headers);
    back
}

/// A delivery of one command.
pub(crate) fn command(tag: u64, envelope: &RawEnvelope) -> QueueDelivery {
    delivery(tag, COMMANDS, CONTENT_TYPE, body_of(envelope))
}

/// The grants of a bank whose client may send [`COMMAND`].
pub(crate) fn client_may() -> AccessBoard {
    granting(vec![Grant::of_role(RoleCode::Clerk)])
}

/// The grants of a bank whose client has these.
pub(crate) fn granting(grants: Vec<Grant>) -> AccessBoard {
    let board = AccessBoard::new(AccessLimits::default());
    grant_all(&board, &[(CLIENT, grants)]);
    board
}

/// Replaces all grants of a bank.
pub(crate) fn grant_all(board: &AccessBoard, all: &[(&str, Vec<Grant>)]) {
    let of = |(principal, grants): &(&str, Vec<Grant>)| PrincipalGrants {
        principal: (*principal).to_owned(),
        grants: grants.clone(),
    };
    let principals = all.iter().map(of).collect();
    board.learn(&AccessCurrent { version: 1, at: Utc::now(), principals });
}

/// A decoded command.
pub(crate) fn received(id: MessageId, text: &str) -> Received<TestMessage> {
    let envelope = RawEnvelope { id, ..envelope(text) }.with(TestMessage(text.to_owned()));
    Received {
        envelope,
        principal: CLIENT.into(),
        rights: Rights::everything(),
        edited_by: None,
        attempt: 0,
        returned: false,
        redelivered: false,
        delivered: None,
        standing: Standing::default(),
    }
}
