//! What is told to whoever asked. Promise: a reply is no larger than a message may be, whatever the
//! command led to or the question found; where more belongs to it, its last event says so.

use chrono::Utc;
use lapin::BasicProperties;

use crate::amqp::publish::text;
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, Envelope, MESSAGE_BYTES_MAX, RawEnvelope},
    ids::{CorrelationId, MessageId},
    message::Message,
    refusal::MessageRefused,
};

/// What is left free for the event that says that a reply ends early.
const LAST_WORD_BYTES: usize = 4 * 1024;

/// A reply, written down.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The type of its first event.
    pub(crate) kind: String,
    /// The message that it answers, where that is known.
    pub(crate) about: Option<MessageId>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Events, as many as fit. There is one at least.
    pub(crate) fn of(events: &[RawEnvelope]) -> Self {
        let mut written = Vec::with_capacity(events.len());
        let mut bytes = 0;
        for event in events {
            let json = serde_json::to_vec(event).expect("an envelope writes plain JSON");
            // With the comma and the brackets.
            bytes += json.len() + 2;
            if bytes > MESSAGE_BYTES_MAX - LAST_WORD_BYTES {
                break;
            }
            written.push(json);
        }
        let kind = match (written.is_empty(), events.first()) {
            (false, Some(first)) => first.kind.clone(),
            (true, _) | (_, None) => MessageRefused::TYPE.to_owned(),
        };
        if written.len() < events.len() {
            written.push(last_word(&events[0], events.len() - written.len()).to_json());
        }
        let about = events.first().and_then(|first| first.causationid);
        Self { kind, about, content_type: content_type(written.len()), body: joined(&written) }
    }

    /// Why a message was not handled, or not read. `asked` is what came with it, `about` its own id
    /// where that is known.
    pub(crate) fn refused(
        asked: &BasicProperties,
        about: Option<MessageId>,
        source: String,
        why: MessageRefused,
    ) -> Self {
        let about = about.or_else(|| text(asked.message_id().as_ref()).parse().ok());
        let mut envelope = Envelope::start(MessageId::new(), source, Utc::now(), why);
        envelope.causationid = about;
        let correlation = text(asked.correlation_id().as_ref()).parse::<MessageId>().ok();
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

/// Says how many events are left out, in the place of those.
fn last_word(first: &RawEnvelope, left_out: usize) -> Envelope<MessageRefused> {
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

/// What a client finds its reply by: the id that it gave the message; if it gave none, its
/// correlation id, as many RPC clients do; else the id that stands in the body.
pub(crate) fn correlation(asked: &BasicProperties, about: Option<MessageId>) -> String {
    let given = [asked.message_id(), asked.correlation_id()].map(|it| text(it.as_ref()));
    match given.into_iter().find(|it| !it.is_empty()) {
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
        let word = MessageRefused::unavailable("");
        let mut event = Envelope::start(id, "/ledger".to_owned(), Utc::now(), word)
            .with(RawValue::from_string(data).expect("JSON"));
        event.kind = "ledger.transfers.posted.v1".to_owned();
        event.causationid = Some(id);
        event
    }

    fn kinds(reply: &Reply) -> Vec<String> {
        assert!(reply.body.len() <= MESSAGE_BYTES_MAX, "{} bytes", reply.body.len());
        let events = read_envelopes(reply.content_type, &reply.body).expect("it can be read");
        events.into_iter().map(|it| it.kind).collect()
    }

    #[test]
    fn a_reply_that_fits_is_as_it_was() {
        assert_eq!(kinds(&Reply::of(&[event(10)])), ["ledger.transfers.posted.v1"]);
        assert_eq!(Reply::of(&[event(10)]).content_type, CONTENT_TYPE);
        assert_eq!(kinds(&Reply::of(&[event(10), event(500_000)])).len(), 2);
    }

    #[test]
    fn a_reply_that_does_not_fit_ends_early_and_says_so() {
        let reply = Reply::of(&vec![event(400_000); 4]);
        let posted = "ledger.transfers.posted.v1";
        assert_eq!(kinds(&reply), [posted, posted, MessageRefused::TYPE]);
        let events = read_envelopes(reply.content_type, &reply.body).expect("it can be read");
        let word: MessageRefused = events[2].read().expect("a refusal");
        assert_eq!(word.code, crate::refusal::RefusalCode::ReplyTooLarge);
        assert!(word.message.starts_with("2 more events do not fit"), "{}", word.message);
        assert_eq!(events[2].causationid, events[0].causationid);
    }

    #[test]
    fn an_answer_that_is_too_large_is_refused() {
        let reply = Reply::of(&[event(MESSAGE_BYTES_MAX)]);
        assert_eq!(kinds(&reply), [MessageRefused::TYPE]);
        assert_eq!(reply.kind, MessageRefused::TYPE);
    }

    #[test]
    fn a_client_finds_its_reply_by_what_it_gave() {
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
