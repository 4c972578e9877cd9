//! From bytes to messages. Promise: what cannot be read is set aside with the reason and blocks
//! nothing; of a joined message each event stands for itself.

use std::sync::Arc;

use lapin::message::Delivery;

use super::{
    dispose::{ParkReason, Stray},
    handler::Received,
    publish::text,
};
use crate::{
    envelope::{CONTENT_TYPE, RawEnvelope, Unreadable, chain, read_envelopes, read_message},
    message::MessageSet,
};

/// A delivery and the queue that it came from.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) queue: Arc<str>,
    pub(crate) delivery: Delivery,
}

/// Where a readable message came from: which delivery, and which event of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) arrival: usize,
    pub(crate) event: usize,
}

/// A message that cannot be read: where it stood, what to park, and why.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) arrival: usize,
    pub(crate) stray: Stray,
    pub(crate) reason: ParkReason,
    pub(crate) why: String,
}

/// The messages of some deliveries, in order.
pub(crate) struct Intake<M> {
    pub(crate) origins: Vec<Origin>,
    pub(crate) messages: Vec<Received<M>>,
    pub(crate) unread: Vec<Unread>,
}

impl<M: MessageSet> Intake<M> {
    /// Splits deliveries into messages.
    pub(crate) fn read(batch: &[Arrival]) -> Self {
        let mut intake = Self { origins: vec![], messages: vec![], unread: vec![] };
        for (arrival, it) in batch.iter().enumerate() {
            match read_message(content_type(&it.delivery), &it.delivery.data) {
                Ok(envelopes) => intake.take(arrival, it, envelopes),
                Err(error) => intake.unread.push(Unread {
                    arrival,
                    stray: whole(it),
                    reason: park_reason(&error),
                    why: chain(&error).to_string(),
                }),
            }
        }
        intake
    }

    fn take(&mut self, arrival: usize, it: &Arrival, envelopes: Vec<RawEnvelope>) {
        for (event, envelope) in envelopes.into_iter().enumerate() {
            match envelope.decode() {
                Ok(envelope) => {
                    self.origins.push(Origin { arrival, event });
                    self.messages.push(Received { envelope });
                }
                Err((error, raw)) => self.unread.push(Unread {
                    arrival,
                    stray: alone(it, &raw),
                    reason: ParkReason::Undecodable,
                    why: chain(&error).to_string(),
                }),
            }
        }
    }
}

fn content_type(delivery: &Delivery) -> &str {
    text(delivery.properties.content_type().as_ref())
}

const fn park_reason(error: &Unreadable) -> ParkReason {
    match error {
        Unreadable::Oversized { .. } => ParkReason::Oversized,
        Unreadable::ContentType { .. } | Unreadable::Encoding | Unreadable::Envelope(_) => {
            ParkReason::Undecodable
        }
    }
}

/// A delivery as it came.
fn whole(arrival: &Arrival) -> Stray {
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

/// One event of a delivery, by itself.
fn alone(arrival: &Arrival, event: &RawEnvelope) -> Stray {
    Stray {
        id: event.id.to_string(),
        kind: event.kind.clone(),
        content_type: CONTENT_TYPE.to_owned(),
        body: serde_json::to_vec(event).expect("an envelope writes plain JSON"),
        queue: arrival.queue.to_string(),
        properties: arrival.delivery.properties.clone(),
    }
}

/// A message that was read before, as it came. Reads it again: this is rare.
pub(crate) fn stray(arrival: &Arrival, event: usize) -> Stray {
    match read_envelopes(content_type(&arrival.delivery), &arrival.delivery.data) {
        Ok(envelopes) if envelopes.len() > 1 => {
            envelopes.get(event).map_or_else(|| whole(arrival), |event| alone(arrival, event))
        }
        Ok(_) | Err(_) => whole(arrival),
    }
}
