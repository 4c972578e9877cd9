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

use lapin::message::Delivery;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    access::{AccessBoard, Authority},
    author::{Author, Authors},
    disposition::ProcessingResult,
    handler::{Received, Standing},
    message_source::{Delivered, QueueDelivery, WholeDelivery, read},
    origin::{Origin, Principal, Way, WrongOrigin, origin},
    republish::{attempts, editor_header},
};
use crate::{
    access::Rights,
    envelope::{RawEnvelope, Unreadable, chain, text_of},
    ids::MessageId,
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
    text::visible,
    topology::RETRY,
};

const WHY_BYTES_MAX: usize = 1_000;

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
        delivery: &QueueDelivery,
        origin: Origin<'_>,
        author: &Author,
        envelopes: Vec<RawEnvelope>,
    ) {
        let message = &delivery.message;
        let returned = message.exchange.as_str() == RETRY;
        let attempt = if returned { attempts(&message.properties) } else { 0 };
        // The origin is believed: the service itself has published what is returned.
        let editor = if returned { editor_header(&message.properties) } else { None };
        let edited_by = editor.map(Principal::from);
        let mut whole: Option<Arc<WholeDelivery>> = None;
        // Copied once, and for authors whose messages may be set aside alone.
        let mut delivered = |rights: &Rights| {
            let copy = || Arc::new(WholeDelivery::of(delivery));
            rights.may_need_approval().then(|| Arc::clone(whole.get_or_insert_with(copy)))
        };
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
                    let delivered = delivered(&rights).map(|whole| Delivered::new(whole, event));
                    self.positions.push(MessagePosition { delivery: number, event });
                    self.messages.push(Received {
                        envelope,
                        principal,
                        rights,
                        edited_by: edited_by.clone(),
                        attempt,
                        returned,
                        redelivered: message.redelivered,
                        delivered,
                        standing: Standing::default(),
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

/// Decodes a batch of deliveries to `service`, with the rights of its authors. Waits while the
/// rights cannot be told; `None` when the service stops before.
pub(crate) async fn decode_with_rights<M: MessageSet>(
    batch: &[QueueDelivery],
    service: &str,
    access: &AccessBoard,
    shutdown: &CancellationToken,
) -> Option<DecodedBatch<M>> {
    loop {
        let decoded = DecodedBatch::decode(batch, service, &access.authority());
        let lack = decoded.messages.iter().find_map(|message| message.rights.lack());
        let Some(lack) = lack else { return Some(decoded) };
        warn!(lack, messages = decoded.messages.len(), "a batch waits for the grants");
        tokio::select! {
            () = access.fresh() => {}
            () = shutdown.cancelled() => return None,
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

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;
    use serde_json::value::RawValue;

    use super::*;
    use crate::{
        envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, MESSAGE_BYTES_MAX},
        messaging::message_source::MessageSource,
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
