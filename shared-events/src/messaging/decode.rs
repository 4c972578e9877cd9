//! From deliveries to messages. Promise: an undecodable delivery or event is reported with the
//! reason and blocks no other; each event of a joined message stands for itself.
//!
//! | promise | test |
//! |---|---|
//! | a bad delivery blocks no other | `an_undecodable_delivery_blocks_no_other` |
//! | a bad event blocks no other | `each_event_of_a_joined_message_stands_for_itself` |
//! | a delivery of wrong origin has no author | `a_message_of_wrong_origin_is_not_even_decoded` |
//! | a refusal names the message | `an_id_is_found_in_a_body_that_is_no_envelope` |

use std::sync::Arc;

use lapin::{BasicProperties, message::Delivery};
use serde_json::value::RawValue;

use super::{
    access::Authority,
    author::{Author, Authors},
    disposition::ProcessingResult,
    handler::Received,
    origin::{Origin, Principal, Way, WrongOrigin, origin},
    republish::{OriginalMessage, attempts},
};
use crate::amqp::{frame_repair::repaired_part, publish::text};
use crate::{
    envelope::{
        CONTENT_TYPE, Form, RawEnvelope, Unreadable, chain, check_encoding, form_of, read_message,
        text_of,
    },
    ids::MessageId,
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
    text::visible,
    topology::RETRY,
};

const WHY_BYTES_MAX: usize = 1_000;

/// A delivery and the queue that it came from.
#[derive(Debug)]
pub(crate) struct QueueDelivery {
    pub(crate) queue: Arc<str>,
    pub(crate) message: Delivery,
}

/// The place of a decoded message in a batch: the delivery, and the event within the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessagePosition {
    pub(crate) delivery: usize,
    pub(crate) event: usize,
}

/// A delivery or event that cannot be decoded.
#[derive(Debug)]
pub(crate) struct UndecodableMessage {
    pub(crate) delivery: usize,
    /// The event within the delivery; `None` for the delivery as a whole.
    pub(crate) event: Option<usize>,
    /// The message's own id, where that much can be read.
    pub(crate) id: Option<MessageId>,
    /// The author; none of a message of wrong origin.
    pub(crate) author: Option<Principal>,
    pub(crate) result: ProcessingResult,
}

/// The messages of some deliveries, in order.
pub(crate) struct DecodedBatch<M> {
    pub(crate) positions: Vec<MessagePosition>,
    pub(crate) messages: Vec<Received<M>>,
    pub(crate) undecodable: Vec<UndecodableMessage>,
}

impl<M: MessageSet> DecodedBatch<M> {
    /// Decodes a batch of deliveries to `service`.
    pub(crate) fn decode(batch: &[QueueDelivery], service: &str, authority: &Authority) -> Self {
        let mut decoded = Self { positions: vec![], messages: vec![], undecodable: vec![] };
        let mut authors = Authors::new(authority);
        for (number, delivery) in batch.iter().enumerate() {
            let origin = match origin(&Way::of(delivery), service) {
                Ok(origin) => origin,
                Err(wrong) => {
                    decoded.undecodable.push(UndecodableMessage {
                        delivery: number,
                        event: None,
                        id: None,
                        author: None,
                        result: wrong_origin(&wrong),
                    });
                    continue;
                }
            };
            let author = authors.author(&origin);
            match read(&delivery.message) {
                Ok(events) => decoded.decode_events(number, delivery, origin, &author, events),
                Err(error) => decoded.undecodable.push(UndecodableMessage {
                    delivery: number,
                    event: None,
                    id: id_in_body(&delivery.message),
                    author: Some(author.principal),
                    result: ProcessingResult::Undecodable {
                        is_oversized: matches!(error, Unreadable::Oversized { .. }),
                        why: shortened(&chain(&error).to_string()),
                        refusal: unreadable(&error),
                    },
                }),
            }
        }
        decoded
    }

    fn decode_events(
        &mut self,
        number: usize,
        QueueDelivery { message, .. }: &QueueDelivery,
        origin: Origin<'_>,
        author: &Author,
        envelopes: Vec<RawEnvelope>,
    ) {
        let returned = message.exchange.as_str() == RETRY;
        let attempt = if returned { attempts(&message.properties) } else { 0 };
        for (event, envelope) in envelopes.into_iter().enumerate() {
            let id = envelope.id;
            let decoded = match origin.admit(&envelope.kind) {
                Err(wrong) => Err((None, wrong_origin(&wrong))),
                Ok(()) => decode_event(envelope)
                    .map_err(|result| (Some(author.principal.clone()), result)),
            };
            match decoded {
                Ok(envelope) => {
                    let Author { principal, rights } = author.clone();
                    self.positions.push(MessagePosition { delivery: number, event });
                    self.messages.push(Received {
                        envelope,
                        principal,
                        rights,
                        attempt,
                        returned,
                        redelivered: message.redelivered,
                    });
                }
                Err((author, result)) => self.undecodable.push(UndecodableMessage {
                    delivery: number,
                    event: Some(event),
                    id: Some(id),
                    author,
                    result,
                }),
            }
        }
    }
}

fn decode_event<M: MessageSet>(
    envelope: RawEnvelope,
) -> Result<crate::Envelope<M>, ProcessingResult> {
    envelope.decode().map_err(|(error, _)| ProcessingResult::Undecodable {
        is_oversized: false,
        why: shortened(&chain(&error).to_string()),
        refusal: wrong_shape(&error),
    })
}

fn wrong_origin(wrong: &WrongOrigin) -> ProcessingResult {
    ProcessingResult::WrongOrigin { why: shortened(&wrong.to_string()) }
}

/// Splits a delivery into its envelopes.
pub(crate) fn read(message: &Delivery) -> Result<Vec<RawEnvelope>, Unreadable> {
    if let Some(part) = repaired_part(message) {
        return Err(Unreadable::Property { part });
    }
    check_encoding(text(message.properties.content_encoding().as_ref()))?;
    read_message(content_type(message), &message.data)
}

/// The id in a body that is no envelope, where that much can be read.
pub(crate) fn id_in_body(message: &Delivery) -> Option<MessageId> {
    #[derive(serde::Deserialize)]
    struct Identified {
        id: MessageId,
    }
    let identified: Identified = serde_json::from_str(text_of(&message.data).ok()?).ok()?;
    Some(identified.id)
}

/// The refusal of a body that is no envelope.
pub(crate) fn unreadable(error: &Unreadable) -> MessageRefused {
    MessageRefused::wrong(chain(error).to_string(), error.wrong_fields())
}

/// The refusal of data that has not the shape of its type.
pub(crate) fn wrong_shape(error: &Undecodable) -> MessageRefused {
    MessageRefused::wrong(chain(error).to_string(), vec![error.wrong_field()])
}

/// A reason quotes the sender's text, which may be long and hold control characters.
fn shortened(why: &str) -> String {
    visible(&why[..why.floor_char_boundary(WHY_BYTES_MAX)]).into_owned()
}

fn content_type(message: &Delivery) -> &str {
    text(message.properties.content_type().as_ref())
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
        let whole = whole(self.delivery, self.author);
        match self.event {
            None => whole,
            Some(event) => {
                let envelopes = read(&self.delivery.message).expect("the events were read before");
                one_event(whole, event, &envelopes[event])
            }
        }
    }
}

/// A delivery as it came. Its type is the routing key of its first publication: a replay compares
/// the content with that type.
fn whole(delivery: &QueueDelivery, author: Option<&str>) -> OriginalMessage {
    let message = &delivery.message;
    let properties = &message.properties;
    let kind = match message.exchange.as_str() {
        RETRY => text(properties.kind().as_ref()),
        _ => message.routing_key.as_str(),
    };
    OriginalMessage {
        queue: delivery.queue.to_string(),
        author: author.map(str::to_owned),
        id: text(properties.message_id().as_ref()).to_owned(),
        kind: kind.to_owned(),
        content_type: content_type(&delivery.message).to_owned(),
        properties: properties.clone(),
        body: delivery.message.data.clone(),
    }
}

/// One event of a delivery: its bytes as they came, with all fields that no reader knows.
fn one_event(whole: OriginalMessage, event: usize, envelope: &RawEnvelope) -> OriginalMessage {
    let (id, kind) = (envelope.id.to_string(), envelope.kind.clone());
    if !matches!(form_of(&whole.content_type), Ok(Form::Several)) {
        return OriginalMessage { id, kind, ..whole };
    }
    let text = text_of(&whole.body).expect("the body was read as text before");
    let events: Vec<&RawValue> = serde_json::from_str(text).expect("the body was an array before");
    let body = events[event].get().as_bytes().to_vec();
    OriginalMessage { id, kind, content_type: CONTENT_TYPE.to_owned(), body, ..whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        envelope::{CONTENT_TYPE_BATCH, MESSAGE_BYTES_MAX},
        messaging::test_messages::{
            CLIENT, COMMAND, SERVICE, TestMessage, body_of, client_may, delivery, envelope,
            returned, typed,
        },
        topology::{COMMANDS, EVENTS},
    };

    /// The positions of decoded messages, and the reasons of undecodable ones.
    fn decoded(batch: &[QueueDelivery]) -> (Vec<MessagePosition>, Vec<(Option<usize>, String)>) {
        let decoded =
            DecodedBatch::<TestMessage>::decode(batch, SERVICE, &client_may().authority());
        assert_eq!(decoded.messages.len(), decoded.positions.len());
        let reasons = decoded.undecodable.into_iter().map(|message| match message.result {
            ProcessingResult::Undecodable { why, is_oversized, .. } => {
                let code = if is_oversized { "oversized" } else { "undecodable" };
                (message.event, format!("{code}: {why}"))
            }
            ProcessingResult::WrongOrigin { why } => {
                assert_eq!(message.author, None);
                (message.event, format!("wrong_origin: {why}"))
            }
            other => panic!("decoding has no other result: {other:?}"),
        });
        (decoded.positions, reasons.collect())
    }

    #[test]
    fn an_undecodable_delivery_blocks_no_other() {
        let good = |text| delivery(1, COMMANDS, CONTENT_TYPE, body_of(&envelope(text)));
        let table = [
            (delivery(1, COMMANDS, CONTENT_TYPE, b"{".to_vec()), "undecodable: not a CloudEvent"),
            (delivery(1, COMMANDS, "text/plain", b"hi".to_vec()), "undecodable: content type"),
            (delivery(1, COMMANDS, CONTENT_TYPE, vec![0xff]), "undecodable: the body is not UTF-8"),
            (
                delivery(1, COMMANDS, CONTENT_TYPE, vec![b' '; MESSAGE_BYTES_MAX + 1]),
                "oversized: 1048577 bytes",
            ),
            (delivery(1, EVENTS, CONTENT_TYPE, body_of(&envelope("a"))), "wrong_origin: accounts."),
            (unknown_version(), "undecodable: unknown message type"),
        ];
        for (bad, expected) in table {
            let (positions, reasons) = decoded(&[good("first"), bad, good("last")]);
            let at = |delivery| MessagePosition { delivery, event: 0 };
            assert_eq!(positions, [at(0), at(2)], "{expected}");
            assert!(reasons[0].1.starts_with(expected), "{reasons:?} for {expected}");
        }
    }

    /// A command of a version that the reader does not know.
    fn unknown_version() -> QueueDelivery {
        let body = body_of(&typed("a", "accounts.new.v9"));
        let mut unknown = delivery(1, COMMANDS, CONTENT_TYPE, body);
        unknown.message.routing_key = "accounts.new.v9".into();
        unknown
    }

    #[test]
    fn a_message_of_wrong_origin_is_not_even_decoded() {
        let mut anonymous = delivery(1, COMMANDS, CONTENT_TYPE, b"{".to_vec());
        anonymous.message.properties = BasicProperties::default();
        let (positions, reasons) = decoded(&[anonymous]);
        assert_eq!(positions, []);
        assert!(reasons[0].0.is_none() && reasons[0].1.starts_with("wrong_origin"), "{reasons:?}");
        let batch = [delivery(1, COMMANDS, CONTENT_TYPE, body_of(&envelope("a")))];
        let decoded =
            DecodedBatch::<TestMessage>::decode(&batch, SERVICE, &client_may().authority());
        assert_eq!(decoded.messages[0].principal.as_str(), CLIENT);
    }

    #[test]
    fn each_event_of_a_joined_message_stands_for_itself() {
        let mut events = [envelope("a"), envelope("b"), envelope("c"), typed("d", "ledger.x.v1")];
        events[1].data = RawValue::from_string("7".to_owned()).expect("a number is JSON");
        let bodies: Vec<String> = events
            .iter()
            .map(|event| String::from_utf8(body_of(event)).expect("JSON is text"))
            .collect();
        let joined = format!("[{}]", bodies.join(",")).into_bytes();
        let batch = [delivery(1, COMMANDS, CONTENT_TYPE_BATCH, joined)];
        let (positions, reasons) = decoded(&batch);
        let at = |event| MessagePosition { delivery: 0, event };
        assert_eq!(positions, [at(0), at(2)]);
        assert_eq!(reasons[0].0, Some(1));
        assert!(reasons[0].1.starts_with("undecodable"), "{reasons:?}");
        assert_eq!(reasons[1].0, Some(3));
        assert!(reasons[1].1.starts_with("wrong_origin: ledger.x.v1 came as"), "{reasons:?}");
        let author = Some(CLIENT);
        let source = MessageSource { delivery: &batch[0], event: Some(1), id: None, author };
        let original = source.original();
        assert_eq!(original.body, bodies[1].as_bytes(), "the bytes of the event as they came");
        assert_eq!(
            (original.content_type.as_str(), &*original.id),
            (CONTENT_TYPE, &*events[1].id.to_string())
        );
    }

    #[test]
    fn a_message_from_a_retry_queue_knows_its_attempts_and_that_it_had_no_effect() {
        let fresh = delivery(1, COMMANDS, CONTENT_TYPE, body_of(&envelope("a")));
        let back = returned(2, &envelope("b"), CLIENT);
        let decoded =
            DecodedBatch::<TestMessage>::decode(&[fresh, back], SERVICE, &client_may().authority());
        let state = |m: &Received<TestMessage>| (m.returned, m.attempt, m.principal.to_string());
        let states: Vec<_> = decoded.messages.iter().map(state).collect();
        assert_eq!(states, [(false, 0, CLIENT.to_owned()), (true, 2, CLIENT.to_owned())]);
        assert_eq!(decoded.messages[0].envelope.kind, COMMAND);
    }

    #[test]
    fn an_id_is_found_in_a_body_that_is_no_envelope() {
        let id = MessageId::new();
        let body = |json: String| delivery(1, COMMANDS, CONTENT_TYPE, json.into_bytes());
        assert_eq!(id_in_body(&body(format!(r#"{{"id":"{id}","x":1}}"#)).message), Some(id));
        assert_eq!(id_in_body(&body(r#"{"id":7}"#.to_owned()).message), None);
    }
}
