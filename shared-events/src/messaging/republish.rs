//! Publishes a message again, into a retry queue, a parked queue or its own queue. Promise: one
//! pure function builds the new message: the author, the sender's properties and the message's own
//! headers live on, headers about its way or of a sender's invention do not, and every header fits
//! into one frame.
//!
//! | promise | test |
//! |---|---|
//! | properties | `the_senders_properties_live_on_and_delivery_is_persistent_under_our_own_user` |
//! | the author | `the_author_lives_on_and_a_senders_word_about_it_does_not` |
//! | headers, retry | `a_retried_message_keeps_its_own_headers_and_counts_its_attempts` |
//! | headers, parking | `a_parked_message_says_why_where_when_and_by_whom` |
//! | headers, replay | `a_replayed_message_is_like_a_new_one_of_its_author` |
//! | sizes | `every_header_fits_into_a_frame` |

use chrono::{DateTime, Utc};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};

use crate::{
    amqp::publish::{Outgoing, named, set_header},
    parked::ParkedReason,
    topology::{
        ATTEMPT_HEADER, EDITOR_HEADER, PARKED, PARTITION_KEY_HEADER, PRINCIPAL_HEADER, RETRY,
    },
};

/// The headers that belong to a message.
const KEPT_HEADERS: [&str; 2] = [PARTITION_KEY_HEADER, "x-events"];
/// The most bytes of a reason in a header: AMQP does not split headers over frames.
const DETAIL_BYTES_MAX: usize = 1_000;

/// A message as it was delivered: a whole delivery, or one event of a joined one.
#[derive(Clone, Debug)]
pub(crate) struct OriginalMessage {
    /// The queue that delivered the message.
    pub(crate) queue: String,
    /// The user whose message it is; none of a message of wrong origin.
    pub(crate) author: Option<String>,
    /// The operator that has edited the message while it was parked.
    pub(crate) edited_by: Option<String>,
    pub(crate) properties: BasicProperties,
    /// The message's own id; empty where unknown.
    pub(crate) id: String,
    /// The routing key of the first publication, which is the type.
    pub(crate) kind: String,
    /// The content type of the body.
    pub(crate) content_type: String,
    /// The body: one event, or undecodable bytes.
    pub(crate) body: Vec<u8>,
}

/// The queue that a message is published to.
#[derive(Clone, Debug)]
pub(crate) enum RepublishTarget<'t> {
    /// A queue in which the message waits for attempt number `attempt`.
    RetryQueue { name: String, attempt: u32 },
    /// The queue that delivered the message: a replay, with attempts counted from zero. Nobody
    /// waits for its reply any more.
    Queue,
    /// The service's parked queue; reason and detail become headers for operators.
    ParkedQueue {
        service: &'t str,
        reason: ParkedReason,
        why: &'t str,
        parked_at: DateTime<Utc>,
        parked_by: &'t str,
    },
}

/// The message to publish under the name of `user`. The broker accepts a connection's own user
/// only; the author stays in `x-principal`, which readers believe from their own user alone.
pub(crate) fn republish(
    original: OriginalMessage,
    target: RepublishTarget<'_>,
    user: &str,
) -> Outgoing {
    let sent = &original.properties;
    let mut headers = own_headers(sent);
    if let Some(author) = &original.author {
        set_header(&mut headers, PRINCIPAL_HEADER, author);
    }
    if let Some(editor) = &original.edited_by {
        set_header(&mut headers, EDITOR_HEADER, editor);
    }
    let reply_to = sent.reply_to().as_ref().filter(|_| !matches!(target, RepublishTarget::Queue));
    let (exchange, key) = match target {
        RepublishTarget::Queue => (RETRY, original.queue.clone()),
        RepublishTarget::RetryQueue { name, attempt } => {
            headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongUInt(attempt));
            (RETRY, name)
        }
        RepublishTarget::ParkedQueue { service, reason, why, parked_at, parked_by } => {
            set_header(&mut headers, "x-parked-reason", reason.as_str());
            let detail = &why[..why.floor_char_boundary(DETAIL_BYTES_MAX)];
            set_header(&mut headers, "x-parked-detail", detail);
            set_header(&mut headers, "x-parked-queue", &original.queue);
            set_header(&mut headers, "x-parked-at", &parked_at.to_rfc3339());
            set_header(&mut headers, "x-parked-by", parked_by);
            (PARKED, service.to_owned())
        }
    };
    let mut properties =
        named(&original.content_type, &original.id, &original.kind, user).with_headers(headers);
    if let Some(app_id) = sent.app_id() {
        properties = properties.with_app_id(app_id.clone());
    }
    if let Some(correlation_id) = sent.correlation_id() {
        properties = properties.with_correlation_id(correlation_id.clone());
    }
    if let Some(reply_to) = reply_to {
        properties = properties.with_reply_to(reply_to.clone());
    }
    if let Some(timestamp) = sent.timestamp() {
        properties = properties.with_timestamp(*timestamp);
    }
    Outgoing { exchange, key, properties, body: original.body }
}

/// How many earlier attempts ended in a retry queue.
pub(crate) fn attempts(properties: &BasicProperties) -> u32 {
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    match headers.and_then(|headers| headers.get(ATTEMPT_HEADER)) {
        Some(AMQPValue::LongUInt(attempts)) => *attempts,
        Some(AMQPValue::LongInt(attempts)) => u32::try_from(*attempts).unwrap_or(0),
        Some(AMQPValue::LongLongInt(attempts)) => u32::try_from(*attempts).unwrap_or(0),
        _ => 0,
    }
}

/// The header `x-principal`. Only a message that the service itself has published is believed.
pub(crate) fn principal_header(properties: &BasicProperties) -> Option<&str> {
    text_header(properties, PRINCIPAL_HEADER)
}

/// The operator that has edited a message while it was parked. Only what the service itself has
/// published may be asked.
pub(crate) fn editor_header(properties: &BasicProperties) -> Option<&str> {
    text_header(properties, EDITOR_HEADER)
}

fn text_header<'d>(properties: &'d BasicProperties, name: &str) -> Option<&'d str> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(principal) => std::str::from_utf8(principal.as_bytes()).ok(),
        _ => None,
    }
}

/// The headers that a message keeps.
fn own_headers(properties: &BasicProperties) -> FieldTable {
    let mut own = FieldTable::default();
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    for (name, value) in headers.into_iter().flatten() {
        let is_long = matches!(value, AMQPValue::LongString(text) if text.len() > DETAIL_BYTES_MAX);
        if !is_long && KEPT_HEADERS.contains(&name.as_str()) {
            own.insert(name.clone(), value.clone());
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::publish::text;

    /// A message with every property and header that a sender or a broker may have set.
    fn original(partition_key: &str) -> OriginalMessage {
        let mut headers = FieldTable::default();
        set_header(&mut headers, PARTITION_KEY_HEADER, partition_key);
        set_header(&mut headers, "x-events", "1");
        set_header(&mut headers, "x-parked-reason", "forged");
        set_header(&mut headers, "x-invented", "by a sender");
        set_header(&mut headers, PRINCIPAL_HEADER, "forged");
        headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongUInt(1));
        headers.insert("x-death".into(), AMQPValue::FieldArray(vec![].into()));
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(7));
        let properties = BasicProperties::default()
            .with_app_id("/clients/acme".into())
            .with_correlation_id("correlation".into())
            .with_reply_to("client.acme.1".into())
            .with_timestamp(1_700_000_000)
            .with_user_id("acme".into())
            .with_expiration("60000".into())
            .with_priority(9)
            .with_headers(headers);
        OriginalMessage {
            edited_by: None,
            queue: "accounts.commands".to_owned(),
            author: Some("acme".to_owned()),
            properties,
            id: "id".to_owned(),
            kind: "kind".to_owned(),
            content_type: "content".to_owned(),
            body: b"body".to_vec(),
        }
    }

    fn parked(why: &str) -> Outgoing {
        let target = RepublishTarget::ParkedQueue {
            service: "accounts",
            reason: ParkedReason::Hopeless,
            why,
            parked_at: DateTime::UNIX_EPOCH,
            parked_by: "accounts-svc/reply@host",
        };
        republish(original("debtor"), target, "accounts")
    }

    fn headers(message: &Outgoing) -> Vec<(String, String)> {
        let table = message.properties.headers().clone().unwrap_or_default();
        let headers = table.inner().iter().map(|(name, value)| {
            let value = match value {
                AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into(),
                AMQPValue::LongUInt(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            (name.to_string(), value)
        });
        headers.collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_retried_message_keeps_its_own_headers_and_counts_its_attempts() {
        let name = "accounts.commands.retry.1m".to_owned();
        let target = RepublishTarget::RetryQueue { name, attempt: 2 };
        let message = republish(original("debtor"), target, "accounts");
        assert_eq!((message.exchange, &*message.key), (RETRY, "accounts.commands.retry.1m"));
        let kept = pairs(&[
            ("x-attempt", "2"),
            ("x-events", "1"),
            (PARTITION_KEY_HEADER, "debtor"),
            (PRINCIPAL_HEADER, "acme"),
        ]);
        assert_eq!(headers(&message), kept);
        assert_eq!(attempts(&message.properties), 2);
        assert_eq!(message.body, b"body");
    }

    #[test]
    fn a_parked_message_says_why_where_when_and_by_whom() {
        let message = parked("no such account");
        assert_eq!((message.exchange, &*message.key), (PARKED, "accounts"));
        let kept = pairs(&[
            ("x-events", "1"),
            ("x-parked-at", "1970-01-01T00:00:00+00:00"),
            ("x-parked-by", "accounts-svc/reply@host"),
            ("x-parked-detail", "no such account"),
            ("x-parked-queue", "accounts.commands"),
            ("x-parked-reason", "hopeless"),
            (PARTITION_KEY_HEADER, "debtor"),
            (PRINCIPAL_HEADER, "acme"),
        ]);
        assert_eq!(headers(&message), kept);
    }

    #[test]
    fn a_replayed_message_is_like_a_new_one_of_its_author() {
        let message = republish(original("debtor"), RepublishTarget::Queue, "accounts");
        assert_eq!((message.exchange, &*message.key), (RETRY, "accounts.commands"));
        let kept =
            [("x-events", "1"), (PARTITION_KEY_HEADER, "debtor"), (PRINCIPAL_HEADER, "acme")];
        assert_eq!(headers(&message), pairs(&kept));
        assert_eq!(attempts(&message.properties), 0);
        assert_eq!(text(message.properties.reply_to().as_ref()), "");
        assert_eq!(text(message.properties.kind().as_ref()), "kind");
    }

    #[test]
    fn the_author_lives_on_and_a_senders_word_about_it_does_not() {
        for (author, expected) in [(Some("acme"), Some("acme")), (None, None)] {
            let original = OriginalMessage { author: author.map(Into::into), ..original("debtor") };
            let target = RepublishTarget::RetryQueue { name: "q".to_owned(), attempt: 1 };
            let message = republish(original, target, "accounts");
            let found = headers(&message).into_iter().find(|(name, _)| name == PRINCIPAL_HEADER);
            assert_eq!(found.map(|(_, value)| value).as_deref(), expected);
        }
    }

    #[test]
    fn who_has_edited_a_message_is_told_with_it() {
        for (editor, expected) in [(Some("ops"), Some("ops")), (None, None)] {
            let original =
                OriginalMessage { edited_by: editor.map(Into::into), ..original("debtor") };
            let message = republish(original, RepublishTarget::Queue, "accounts");
            let found = headers(&message).into_iter().find(|(name, _)| name == EDITOR_HEADER);
            assert_eq!(found.map(|(_, value)| value).as_deref(), expected);
        }
    }

    #[test]
    fn the_senders_properties_live_on_and_delivery_is_persistent_under_our_own_user() {
        let properties = parked("why").properties;
        let table = [
            (properties.content_type(), "content"),
            (properties.message_id(), "id"),
            (properties.kind(), "kind"),
            (properties.app_id(), "/clients/acme"),
            (properties.correlation_id(), "correlation"),
            (properties.reply_to(), "client.acme.1"),
            (properties.user_id(), "accounts"),
            (properties.expiration(), ""),
        ];
        for (property, expected) in table {
            assert_eq!(text(property.as_ref()), expected);
        }
        assert_eq!(properties.timestamp(), &Some(1_700_000_000));
        assert_eq!((properties.delivery_mode(), properties.priority()), (&Some(2), &None));
    }

    #[test]
    fn every_header_fits_into_a_frame() {
        let long = "ř".repeat(10_000);
        let target = RepublishTarget::RetryQueue { name: "q".to_owned(), attempt: 1 };
        let retried = republish(original(&long), target, "accounts");
        let kept = [("x-attempt", "1"), ("x-events", "1"), (PRINCIPAL_HEADER, "acme")];
        assert_eq!(headers(&retried), pairs(&kept));
        let longest = headers(&parked(&long)).into_iter().map(|(_, value)| value.len()).max();
        assert_eq!(longest, Some(DETAIL_BYTES_MAX));
    }

    #[test]
    fn attempts_are_counted_whatever_integer_the_header_is() {
        let table = [
            (AMQPValue::LongUInt(2), 2),
            (AMQPValue::LongInt(2), 2),
            (AMQPValue::LongLongInt(2), 2),
            (AMQPValue::LongInt(-1), 0),
            (AMQPValue::LongLongInt(i64::MAX), 0),
            (AMQPValue::LongString("2".into()), 0),
        ];
        for (value, expected) in table {
            let mut headers = FieldTable::default();
            headers.insert(ATTEMPT_HEADER.into(), value.clone());
            let properties = BasicProperties::default().with_headers(headers);
            assert_eq!(attempts(&properties), expected, "{value:?}");
        }
        assert_eq!(attempts(&BasicProperties::default()), 0);
    }
}
