//! From bytes to messages. Promise: what cannot be read is set aside with the reason and blocks
//! nothing; of a joined message each event stands for itself.

use std::sync::Arc;

use lapin::message::Delivery;
use serde_json::value::RawValue;

use super::{
    disposition::{ParkReason, Stray, attempt},
    handler::Received,
};
use crate::amqp::{frame_repair::mended_part, publish::text};
use crate::{
    envelope::{
        CONTENT_TYPE, Form, RawEnvelope, Unreadable, chain, check_encoding, form_of, read_message,
        text_of,
    },
    ids::MessageId,
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
    text::visible,
    topology::{RETRY, exchange_of},
};

const WHY_BYTES_MAX: usize = 1_000;

/// A delivery and the queue that it came from.
#[derive(Debug)]
pub(crate) struct QueueDelivery {
    pub(crate) queue: Arc<str>,
    pub(crate) delivery: Delivery,
}

/// Where a readable message came from: which delivery, and which event of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) arrival: usize,
    pub(crate) event: usize,
}

/// A message that cannot be read: where it stood, what to park and why, and what whoever waits is
/// told.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) arrival: usize,
    pub(crate) stray: Stray,
    pub(crate) reason: ParkReason,
    pub(crate) why: String,
    /// The message's own id, where it can be read.
    pub(crate) about: Option<MessageId>,
    pub(crate) refusal: MessageRefused,
}

/// The messages of some deliveries, in order.
pub(crate) struct Intake<M> {
    pub(crate) origins: Vec<Origin>,
    pub(crate) messages: Vec<Received<M>>,
    pub(crate) unread: Vec<Unread>,
}

impl<M: MessageSet> Intake<M> {
    /// Splits deliveries into messages.
    pub(crate) fn read(batch: &[QueueDelivery]) -> Self {
        let mut intake = Self { origins: vec![], messages: vec![], unread: vec![] };
        for (arrival, it) in batch.iter().enumerate() {
            match read(&it.delivery) {
                Ok(envelopes) => intake.take(arrival, it, envelopes),
                Err(error) => intake.unread.push(Unread {
                    arrival,
                    stray: whole(it),
                    reason: park_reason(&error),
                    why: shortened(&chain(&error).to_string()),
                    about: id_in(&it.delivery),
                    refusal: refusal(&error),
                }),
            }
        }
        intake
    }

    fn take(&mut self, arrival: usize, it: &QueueDelivery, envelopes: Vec<RawEnvelope>) {
        for (event, envelope) in envelopes.into_iter().enumerate() {
            if !came_the_right_way(&it.delivery, &envelope.kind) {
                let exchange = it.delivery.exchange.as_str();
                let why = shortened(&format!("{} does not travel on {exchange:?}", envelope.kind));
                self.unread.push(Unread {
                    arrival,
                    stray: alone(it, event, &envelope),
                    reason: ParkReason::Undecodable,
                    about: Some(envelope.id),
                    refusal: MessageRefused::unreadable(&why),
                    why,
                });
                continue;
            }
            match envelope.decode() {
                Ok(envelope) => {
                    self.origins.push(Origin { arrival, event });
                    let attempt = attempt(&it.delivery.properties);
                    let returned = it.delivery.exchange.as_str() == RETRY;
                    self.messages.push(Received { envelope, attempt, returned });
                }
                Err((error, raw)) => self.unread.push(Unread {
                    arrival,
                    stray: alone(it, event, &raw),
                    reason: ParkReason::Undecodable,
                    why: shortened(&chain(&error).to_string()),
                    about: Some(raw.id),
                    refusal: undecodable(&error),
                }),
            }
        }
    }
}

/// Reads what a delivery carries.
pub(crate) fn read(delivery: &Delivery) -> Result<Vec<RawEnvelope>, Unreadable> {
    if let Some(part) = mended_part(delivery) {
        return Err(Unreadable::Property { part });
    }
    check_encoding(text(delivery.properties.content_encoding().as_ref()))?;
    read_message(content_type(delivery), &delivery.data)
}

/// The id that stands in a body which is no envelope, if that much can be read.
pub(crate) fn id_in(delivery: &Delivery) -> Option<MessageId> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: MessageId,
    }
    let named: Named = serde_json::from_str(text_of(&delivery.data).ok()?).ok()?;
    Some(named.id)
}

/// What whoever waits is told of a body that is no envelope.
pub(crate) fn refusal(error: &Unreadable) -> MessageRefused {
    MessageRefused::wrong(chain(error).to_string(), error.wrong_fields())
}

/// What whoever waits is told of data that is not of its type.
pub(crate) fn undecodable(error: &Undecodable) -> MessageRefused {
    MessageRefused::wrong(chain(error).to_string(), vec![error.wrong_field()])
}

/// Clients may write commands and no events; the exchange tells which of the two this is. A type
/// that nobody publishes is left to the decoder, which says more.
fn came_the_right_way(delivery: &Delivery, kind: &str) -> bool {
    let exchange = delivery.exchange.as_str();
    exchange == RETRY || exchange_of(kind).is_none_or(|right| right == exchange)
}

/// A reason quotes what a stranger wrote, which may be long and steer terminals.
fn shortened(why: &str) -> String {
    visible(&why[..why.floor_char_boundary(WHY_BYTES_MAX)]).into_owned()
}

fn content_type(delivery: &Delivery) -> &str {
    text(delivery.properties.content_type().as_ref())
}

const fn park_reason(error: &Unreadable) -> ParkReason {
    match error {
        Unreadable::Oversized { .. } => ParkReason::Oversized,
        Unreadable::Property { .. }
        | Unreadable::ContentType { .. }
        | Unreadable::Coded { .. }
        | Unreadable::Encoding
        | Unreadable::Envelope(_)
        | Unreadable::RepeatedKey { .. }
        | Unreadable::Empty => ParkReason::Undecodable,
    }
}

/// A delivery as it came.
pub(crate) fn whole(arrival: &QueueDelivery) -> Stray {
    let properties = &arrival.delivery.properties;
    Stray {
        queue: arrival.queue.to_string(),
        id: text(properties.message_id().as_ref()).to_owned(),
        kind: text(properties.kind().as_ref()).to_owned(),
        content_type: content_type(&arrival.delivery).to_owned(),
        properties: properties.clone(),
        body: arrival.delivery.data.clone(),
    }
}

/// One event of a delivery, by itself: its bytes as they came, whatever in them was not read.
fn alone(arrival: &QueueDelivery, event: usize, envelope: &RawEnvelope) -> Stray {
    let named =
        Stray { id: envelope.id.to_string(), kind: envelope.kind.clone(), ..whole(arrival) };
    if !matches!(form_of(&named.content_type), Ok(Form::Several)) {
        return named;
    }
    let text = text_of(&arrival.delivery.data).expect("it was read as text before");
    let events: Vec<&RawValue> = serde_json::from_str(text).expect("it was an array before");
    let body = events[event].get().as_bytes().to_vec();
    Stray { content_type: CONTENT_TYPE.to_owned(), body, ..named }
}

/// A message that was read before, as it came. Reads it again: this is rare.
pub(crate) fn stray(arrival: &QueueDelivery, event: usize) -> Stray {
    let envelopes = read(&arrival.delivery).expect("it was read before");
    alone(arrival, event, &envelopes[event])
}
