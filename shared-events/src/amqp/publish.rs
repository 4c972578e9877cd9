//! Confirmed publishing. Promise: `Ok` means that the broker has every message of the call, on
//! every queue that asked for it; anything else is an error.

use std::time::Duration;

use futures_util::future::try_join_all;
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::answer::BusError;
use crate::{
    envelope::{CONTENT_TYPE, Envelope},
    topology::PARTITION_KEY_HEADER,
};

/// A broker that does not confirm within this time counts as lost. A blocked broker costs as much.
pub(crate) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);
/// AMQP's mark for messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
const SHORT_BYTES_MAX: usize = 255;

/// A message ready to be published.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) exchange: &'static str,
    pub(crate) key: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// AMQP's own properties repeat the envelope's, so that the management UI shows them and a reader
/// can decide without parsing the body.
pub(crate) fn properties<D>(envelope: &Envelope<D>, user: &str) -> BasicProperties {
    named(CONTENT_TYPE, &envelope.id.to_string(), &envelope.kind, user)
        .with_app_id(short(&envelope.source))
        .with_correlation_id(short(&envelope.correlationid.to_string()))
        .with_timestamp(u64::try_from(envelope.time.timestamp()).unwrap_or(0))
}

/// The properties that every message has.
pub(crate) fn named(content: &str, id: &str, kind: &str, user: &str) -> BasicProperties {
    BasicProperties::default()
        .with_content_type(short(content))
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short(id))
        .with_type(short(kind))
        .with_user_id(short(user))
}

/// AMQP's short strings have at most 255 bytes; a sender's text may have more.
pub(crate) fn short(text: &str) -> ShortString {
    let end = text.floor_char_boundary(SHORT_BYTES_MAX);
    text[..end].into()
}

/// Headers that carry the partition key, where there is one.
pub(crate) fn partition_headers(key: Option<&str>) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(key) = key {
        set_header(&mut headers, PARTITION_KEY_HEADER, key);
    }
    headers
}

pub(crate) fn set_header(headers: &mut FieldTable, name: &str, value: &str) {
    headers.insert(name.into(), AMQPValue::LongString(value.into()));
}

/// The text of a property, or nothing.
pub(crate) fn text(property: Option<&ShortString>) -> &str {
    property.map_or("", ShortString::as_str)
}

/// Sends one message to the broker. The confirm comes later.
pub(crate) async fn publish(
    channel: &Channel,
    message: &Outgoing,
) -> Result<PublisherConfirm, BusError> {
    let sending = channel.basic_publish(
        message.exchange.into(),
        message.key.as_str().into(),
        BasicPublishOptions { mandatory: true, immediate: false },
        &message.body,
        message.properties.clone(),
    );
    let timeout = BusError::Timeout { doing: "publishing", after: CONFIRM_TIMEOUT };
    Ok(tokio::time::timeout(CONFIRM_TIMEOUT, sending).await.map_err(|_| timeout)??)
}

/// The result that a confirm stands for: only a plain acknowledgement is `Ok`.
pub(crate) fn accepted(message_id: &str, confirmation: Confirmation) -> Result<(), BusError> {
    let answer = match confirmation {
        Confirmation::Ack(None) => return Ok(()),
        Confirmation::Ack(Some(returned)) => format!("returned ({})", returned.reply_text),
        Confirmation::Nack(_) => "refused (nack)".to_owned(),
        Confirmation::NotRequested => "nothing, confirms are off".to_owned(),
    };
    Err(BusError::Unconfirmed { message_id: message_id.to_owned(), answer })
}

/// Publishes all messages and waits until each is confirmed. The driver may attach a returned
/// message to the confirm of another, so the call succeeds or fails as a whole.
pub(crate) async fn publish_confirmed(
    channel: &Channel,
    messages: &[Outgoing],
) -> Result<(), BusError> {
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        confirms.push(publish(channel, message).await?);
    }
    let timeout = BusError::Timeout { doing: "confirming", after: CONFIRM_TIMEOUT };
    let confirmations = tokio::time::timeout(CONFIRM_TIMEOUT, try_join_all(confirms))
        .await
        .map_err(|_| timeout)??;
    for (message, confirmation) in messages.iter().zip(confirmations) {
        accepted(text(message.properties.message_id().as_ref()), confirmation)?;
    }
    Ok(())
}
