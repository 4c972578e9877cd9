//! Mends frames that the AMQP parser would die of. Promise: what a stranger writes into the
//! properties of a message costs that message and no connection; no byte is added or taken away,
//! and a frame that is right stays as it is.
//!
//! The broker passes on what publishers write into short strings (`message_id`, `type`, keys of
//! headers, routing keys) as it came. The driver's parser wants UTF-8 there, closes the connection
//! where it finds something else, and follows nested tables by recursion, however deep they are.
//! Frames of bodies, nearly all of the traffic, are passed over without a look at their content.

mod fields;
#[cfg(test)]
mod tests;

use fields::{FieldReader, MalformedField};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

/// Stands for each byte that is not UTF-8: ASCII's own character for that (SUB). Nobody writes it
/// into a name, so that a mended message is known by it.
pub(crate) const SUBSTITUTE: char = '\u{1a}';
/// The largest frame that we agree on with the broker, and hold until it is complete: RabbitMQ's
/// own default.
pub(crate) const FRAME_BYTES_MAX: u32 = 128 * 1024;

/// Before the payload: type, channel, size. Behind it: one byte.
const HEAD_BYTES: usize = 7;
const END_BYTES: usize = 1;
const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
/// The broker's answer to a version that it does not speak: no frame, and the last thing it says.
const PROTOCOL_HEADER: u8 = b'A';

/// Follows the frames of one connection.
#[derive(Debug, Default)]
pub(crate) struct FrameRepair {
    /// How many bytes of a frame that has begun are passed on as they are.
    passing: usize,
}

impl FrameRepair {
    /// Mends the frames that are complete, and returns how many bytes can be passed on. What is
    /// left is the beginning of a frame: it is shown again when more has come.
    pub(crate) fn mend(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        loop {
            let passed = self.passing.min(bytes.len() - at);
            at += passed;
            self.passing -= passed;
            let Some((head, _)) = bytes[at..].split_first_chunk::<HEAD_BYTES>() else {
                return at;
            };
            let [kind, _, _, size @ ..] = *head;
            let whole = (u32::from_be_bytes(size) as usize).saturating_add(HEAD_BYTES + END_BYTES);
            let mend: fn(&mut [u8]) = match kind {
                METHOD => mend_method,
                CONTENT_HEADER => mend_content_header,
                PROTOCOL_HEADER => {
                    self.passing = usize::MAX;
                    continue;
                }
                // Bodies and heartbeats have nothing to mend.
                _ => {
                    self.passing = whole;
                    continue;
                }
            };
            if whole > FRAME_BYTES_MAX as usize {
                // More than was agreed on: the driver refuses it by itself.
                self.passing = whole;
                continue;
            }
            let Some(frame) = bytes[at..].get_mut(..whole) else { return at };
            mend(&mut frame[HEAD_BYTES..whole - END_BYTES]);
            at += whole;
        }
    }
}

/// The broker writes methods itself: what they are made of is right, and only strings that come
/// from clients may be none.
fn mend_method(payload: &mut [u8]) {
    let _ = FieldReader::new(payload).method();
}

/// Properties are a publisher's. What cannot be followed is replaced by properties that say
/// nothing.
fn mend_content_header(payload: &mut [u8]) {
    if let Err(MalformedField) = FieldReader::new(payload).content_header() {
        fields::neutralise(payload);
    }
}

/// The part of a message that was not UTF-8 text when it came, if there is one.
#[must_use]
pub(crate) fn repaired_part(delivery: &Delivery) -> Option<&'static str> {
    match delivery.routing_key.as_str().contains(SUBSTITUTE) {
        true => Some("routing key"),
        false => repaired_property(&delivery.properties),
    }
}

fn repaired_property(properties: &BasicProperties) -> Option<&'static str> {
    let named = [
        ("content_type", properties.content_type()),
        ("content_encoding", properties.content_encoding()),
        ("correlation_id", properties.correlation_id()),
        ("reply_to", properties.reply_to()),
        ("expiration", properties.expiration()),
        ("message_id", properties.message_id()),
        ("type", properties.kind()),
        ("user_id", properties.user_id()),
        ("app_id", properties.app_id()),
        ("cluster_id", properties.cluster_id()),
    ];
    let is_mended = |text: &ShortString| text.as_str().contains(SUBSTITUTE);
    let mended = named.into_iter().find(|(_, text)| text.as_ref().is_some_and(is_mended));
    match mended {
        Some((name, _)) => Some(name),
        None => {
            properties.headers().as_ref().filter(|it| has_repaired_key(it)).map(|_| "headers' key")
        }
    }
}

/// As deep as the mender leaves tables, and no deeper.
fn has_repaired_key(table: &FieldTable) -> bool {
    fn in_value(value: &AMQPValue) -> bool {
        match value {
            AMQPValue::FieldTable(table) => has_repaired_key(table),
            AMQPValue::FieldArray(values) => values.as_slice().iter().any(in_value),
            _ => false,
        }
    }
    table.into_iter().any(|(key, value)| key.as_str().contains(SUBSTITUTE) || in_value(value))
}
