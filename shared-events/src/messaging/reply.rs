//! Replies to commands and queries. Promise: a reply is never larger than the message limit; where
//! events are left out, the last event of the reply says so.

use chrono::Utc;
use lapin::BasicProperties;

use crate::amqp::publish::text;
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, Envelope, MESSAGE_BYTES_MAX, RawEnvelope},
    ids::{CorrelationId, MessageId},
    message::Message,
    refusal::MessageRefused,
};

/// The space for the event that says that a reply is incomplete.
const INCOMPLETE_NOTE_BYTES: usize = 4 * 1024;

/// A serialised reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The type of its first event.
    pub(crate) kind: String,
    /// The id of the answered message, where known.
    pub(crate) about: Option<MessageId>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A reply of as many events as fit. There is at least one event.
    pub(crate) fn of(events: &[RawEnvelope]) -> Self {
        let mut bodies = Vec::with_capacity(events.len());
        let mut bytes = 0;
        for event in events {
            let json = serde_json::to_vec(event).expect("an envelope writes plain JSON");
            // With the comma and the brackets.
            bytes += json.len() + 2;
            if bytes > MESSAGE_BYTES_MAX - INCOMPLETE_NOTE_BYTES {
                break;
            }
            bodies.push(json);
        }
        let kind = match (bodies.is_empty(), events.first()) {
            (false, Some(first)) => first.kind.clone(),
            (true, _) | (_, None) => MessageRefused::TYPE.to_owned(),
        };
        if bodies.len() < events.len() {
            bodies.push(incomplete_note(&events[0], events.len() - bodies.len()).to_json());
        }
        let about = events.first().and_then(|first| first.causationid);
        Self { kind, about, content_type: content_type(bodies.len()), body: joined(&bodies) }
    }

    /// A refusal of a message. `request` has the properties of the message, `about` is its id where
    /// known.
    pub(crate) fn refused(
        request: &BasicProperties,
        about: Option<MessageId>,
        source: String,
        refusal: MessageRefused,
    ) -> Self {
        let about = about.or_else(|| text(request.message_id().as_ref()).parse().ok());
        let mut envelope = Envelope::start(MessageId::new(), source, Utc::now(), refusal);
        envelope.causationid = about;
        let correlation = text(request.correlation_id().as_ref()).parse::<MessageId>().ok();
        if let Some(id) = correlation.or(about) {
            envelope.correlationid = CorrelationId(id.0);
        }
        Self {
            kind: MessageRefused::TYPE.to_owned(),
            about,
            content_type: CONTENT_TYPE,
            body: envelope.to_json(),
        }
    }
}

fn content_type(events: usize) -> &'static str {
    if events == 1 { CONTENT_TYPE } else { CONTENT_TYPE_BATCH }
}

/// One event, or a JSON array of them.
fn joined(events: &[Vec<u8>]) -> Vec<u8> {
    match events {
        [one] => one.clone(),
        many => [b"[", many.join(&b","[..]).as_slice(), b"]"].concat(),
    }
}

/// The event that replaces the events that are left out.
fn incomplete_note(first: &RawEnvelope, left_out: usize) -> Envelope<MessageRefused> {
    let why = match left_out {
        1 => "the answer is larger than a message may be; ask for less at a time".to_owned(),
        _ => format!(
            "{left_out} more events do not fit into this reply; they are announced like all \
             events, and ledger.instruction.get.v1 tells each outcome"
        ),
    };
    let refusal = MessageRefused::reply_too_large(why);
    let mut envelope = Envelope::start(MessageId::new(), first.source.clone(), first.time, refusal);
    envelope.correlationid = first.correlationid;
    envelope.causationid = first.causationid;
    envelope.traceparent.clone_from(&first.traceparent);
    envelope
}

/// The correlation id of a reply: the request's message id; without one, its correlation id, as
/// many RPC clients set; without both, the id in the body.
pub(crate) fn correlation(request: &BasicProperties, about: Option<MessageId>) -> String {
    let given = [request.message_id(), request.correlation_id()].map(|id| text(id.as_ref()));
    match given.into_iter().find(|id| !id.is_empty()) {
        Some(given) => given.to_owned(),
        None => about.map(|id| id.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::read_envelopes;
    use serde_json::value::RawValue;

    fn event(bytes: usize) -> RawEnvelope {
        let data = format!("\"{}\"", "x".repeat(bytes));
        let id = MessageId::new();
        let placeholder = MessageRefused::unavailable("");
        let mut event = Envelope::start(id, "/ledger".to_owned(), Utc::now(), placeholder)
            .with(RawValue::from_string(data).expect("JSON"));
        event.kind = "ledger.transfers.posted.v1".to_owned();
        event.causationid = Some(id);
        event
    }

    fn kinds(reply: &Reply) -> Vec<String> {
        assert!(reply.body.len() <= MESSAGE_BYTES_MAX, "{} bytes", reply.body.len());
        let events = read_envelopes(reply.content_type, &reply.body).expect("a reply can be read");
        events.into_iter().map(|event| event.kind).collect()
    }

    #[test]
    fn a_reply_that_fits_is_complete() {
        assert_eq!(kinds(&Reply::of(&[event(10)])), ["ledger.transfers.posted.v1"]);
        assert_eq!(Reply::of(&[event(10)]).content_type, CONTENT_TYPE);
        assert_eq!(kinds(&Reply::of(&[event(10), event(500_000)])).len(), 2);
    }

    #[test]
    fn a_reply_that_does_not_fit_ends_early_and_says_so() {
        let reply = Reply::of(&vec![event(400_000); 4]);
        let posted = "ledger.transfers.posted.v1";
        assert_eq!(kinds(&reply), [posted, posted, MessageRefused::TYPE]);
        let events = read_envelopes(reply.content_type, &reply.body).expect("a reply can be read");
        let note: MessageRefused = events[2].read().expect("a refusal");
        assert_eq!(note.code, crate::refusal::RefusalCode::ReplyTooLarge);
        assert!(note.message.starts_with("2 more events do not fit"), "{}", note.message);
        assert_eq!(events[2].causationid, events[0].causationid);
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused() {
        let reply = Reply::of(&[event(MESSAGE_BYTES_MAX)]);
        assert_eq!(kinds(&reply), [MessageRefused::TYPE]);
        assert_eq!(reply.kind, MessageRefused::TYPE);
    }

    #[test]
    fn a_reply_has_the_id_that_the_client_gave() {
        let id = MessageId::new();
        let none = BasicProperties::default();
        assert_eq!(correlation(&none, Some(id)), id.to_string());
        assert_eq!(correlation(&none, None), "");
        let rpc = BasicProperties::default().with_correlation_id("7".into());
        assert_eq!(correlation(&rpc, Some(id)), "7");
        let both = rpc.with_message_id("m".into());
        assert_eq!(correlation(&both, Some(id)), "m");
    }
}
