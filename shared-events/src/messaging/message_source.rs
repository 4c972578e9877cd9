//! Where a message came from: its delivery, and its place there. Promise: what is published again
//! has the bytes of the message as they came.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use lapin::{BasicProperties, message::Delivery};
use serde_json::value::RawValue;

use super::republish::{OriginalMessage, editor_header};
use crate::{
    amqp::{frame_repair::repaired_part, publish::text},
    envelope::{
        CONTENT_TYPE, Form, RawEnvelope, Unreadable, check_encoding, form_of, read_message, text_of,
    },
    ids::MessageId,
    topology::RETRY,
};

/// A delivery and the queue that it came from.
#[derive(Debug)]
pub(crate) struct QueueDelivery {
    pub(crate) queue: Arc<str>,
    pub(crate) message: Delivery,
}

/// Splits a delivery into its envelopes.
pub(crate) fn read(message: &Delivery) -> Result<Vec<RawEnvelope>, Unreadable> {
    if let Some(part) = repaired_part(message) {
        return Err(Unreadable::Property { part });
    }
    check_encoding(text(message.properties.content_encoding().as_ref()))?;
    read_message(content_type(message), &message.data)
}

/// A message within its delivery. The bytes are copied only for a message that is published again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageSource<'d> {
    pub(crate) delivery: &'d QueueDelivery,
    /// The event within the delivery; `None` for the delivery as a whole.
    pub(crate) event: Option<usize>,
    /// The message's own id, where a refusal needs it.
    pub(crate) id: Option<MessageId>,
    /// The author; none of a message of wrong origin.
    pub(crate) author: Option<&'d str>,
}

impl<'d> MessageSource<'d> {
    pub(crate) const fn properties(&self) -> &'d BasicProperties {
        &self.delivery.message.properties
    }

    /// The message as it was delivered. Decodes the delivery again, which is rare.
    pub(crate) fn original(&self) -> OriginalMessage {
        let whole = whole_of(self.delivery, self.author);
        match self.event {
            None => whole,
            Some(event) => {
                let envelopes = read(&self.delivery.message).expect("the events were read before");
                one_event(whole, event, envelopes[event].id, &envelopes[event].kind)
            }
        }
    }
}

/// A delivery as it came. Its type is the routing key of its first publication: a replay compares
/// the content with that type.
fn whole_of(delivery: &QueueDelivery, author: Option<&str>) -> OriginalMessage {
    let message = &delivery.message;
    let properties = &message.properties;
    let (kind, editor) = match message.exchange.as_str() {
        RETRY => (text(properties.kind().as_ref()), editor_header(properties)),
        _ => (message.routing_key.as_str(), None),
    };
    OriginalMessage {
        queue: delivery.queue.to_string(),
        author: author.map(str::to_owned),
        edited_by: editor.map(str::to_owned),
        id: text(properties.message_id().as_ref()).to_owned(),
        kind: kind.to_owned(),
        content_type: content_type(&delivery.message).to_owned(),
        properties: properties.clone(),
        body: delivery.message.data.clone(),
    }
}

/// One event of a delivery: its bytes as they came, with all fields that no reader knows.
fn one_event(whole: OriginalMessage, event: usize, id: MessageId, kind: &str) -> OriginalMessage {
    let (id, kind) = (id.to_string(), kind.to_owned());
    if !matches!(form_of(&whole.content_type), Ok(Form::Several)) {
        return OriginalMessage { id, kind, ..whole };
    }
    let body = whole.body[places(&whole.body)[event].clone()].to_vec();
    OriginalMessage { id, kind, content_type: CONTENT_TYPE.to_owned(), body, ..whole }
}

/// A copy of a delivery whose messages may be set aside.
#[derive(Debug)]
pub(crate) struct WholeDelivery {
    queue: Arc<str>,
    content_type: String,
    body: Vec<u8>,
    /// The places of a joined body's events, found when the first one is set aside.
    events: OnceLock<Vec<Range<usize>>>,
}

impl WholeDelivery {
    pub(super) fn of(delivery: &QueueDelivery) -> Self {
        Self {
            queue: Arc::clone(&delivery.queue),
            content_type: content_type(&delivery.message).to_owned(),
            body: delivery.message.data.clone(),
            events: OnceLock::new(),
        }
    }
}

/// The delivery of a message that may be set aside, which outlives the delivery.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    whole: Arc<WholeDelivery>,
    event: usize,
}

impl Delivered {
    pub(super) const fn new(whole: Arc<WholeDelivery>, event: usize) -> Self {
        Self { whole, event }
    }

    pub(crate) fn queue(&self) -> &str {
        &self.whole.queue
    }

    /// The message alone: its content type and its bytes as they came.
    pub(crate) fn content(&self) -> (&str, &[u8]) {
        let WholeDelivery { content_type, body, events, .. } = &*self.whole;
        match form_of(content_type) {
            Ok(Form::Several) => {
                (CONTENT_TYPE, &body[events.get_or_init(|| places(body))[self.event].clone()])
            }
            Ok(Form::One) | Err(_) => (content_type, body),
        }
    }
}

/// The places of the events in a joined body, which was read before.
fn places(body: &[u8]) -> Vec<Range<usize>> {
    let text = text_of(body).expect("the body was read as text before");
    let events: Vec<&RawValue> = serde_json::from_str(text).expect("the body was an array before");
    let place = |event: &&RawValue| {
        let start = event.get().as_ptr().addr() - body.as_ptr().addr();
        start..start + event.get().len()
    };
    events.iter().map(place).collect()
}

fn content_type(message: &Delivery) -> &str {
    text(message.properties.content_type().as_ref())
}
