//! Repairs frames that the driver's parser would close the connection for. Promise: a sender's bad
//! properties cost that message and no connection; no byte is added or removed, and a valid frame
//! stays as it is.
//!
//! The broker forwards publishers' short strings (`message_id`, `type`, keys of headers, routing
//! keys) unchecked. The driver's parser closes the connection where such a string is not UTF-8, and
//! follows nested tables by recursion of any depth. Frames of bodies, nearly all of the traffic,
//! are skipped without a look at their content.

mod fields;
#[cfg(test)]
mod tests;

use fields::{FieldReader, MalformedField};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

/// Replaces each byte that is not UTF-8: ASCII's own character for that (SUB). Names do not contain
/// SUB otherwise, so a repaired message can be recognised.
pub(crate) const SUBSTITUTE: char = '\u{1a}';
/// The largest frame that is negotiated with the broker, and buffered: RabbitMQ's own default.
pub(crate) const FRAME_BYTES_MAX: u32 = 128 * 1024;

/// Before the payload: type, channel, size. Behind it: one byte.
const HEAD_BYTES: usize = 7;
const END_BYTES: usize = 1;
const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
/// The broker's answer to an unknown protocol version: not a frame, and the last bytes that it
/// sends.
const PROTOCOL_HEADER: u8 = b'A';

/// Follows the frames of one connection.
#[derive(Debug, Default)]
pub(crate) struct FrameRepair {
    /// How many more bytes of the current frame need no repair.
    passing: usize,
}

impl FrameRepair {
    /// Repairs the complete frames, and returns how many bytes the parser may read. The rest is the
    /// beginning of a frame: the next call gets it again, with more bytes.
    pub(crate) fn repair(&mut self, bytes: &mut [u8]) -> usize {
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
            let repair: fn(&mut [u8]) = match kind {
                METHOD => repair_method,
                CONTENT_HEADER => repair_content_header,
                PROTOCOL_HEADER => {
                    self.passing = usize::MAX;
                    continue;
                }
                // Bodies and heartbeats need no repair.
                _ => {
                    self.passing = whole;
                    continue;
                }
            };
            if whole > FRAME_BYTES_MAX as usize {
                // Larger than negotiated: the driver refuses the frame by itself.
                self.passing = whole;
                continue;
            }
            let Some(frame) = bytes[at..].get_mut(..whole) else { return at };
            repair(&mut frame[HEAD_BYTES..whole - END_BYTES]);
            at += whole;
        }
    }
}

/// The broker writes methods itself: their structure is valid, and only strings of clients in them
/// may not be UTF-8.
fn repair_method(payload: &mut [u8]) {
    let _ = FieldReader::new(payload).method();
}

/// Publishers write properties. Malformed ones are replaced by properties without content.
fn repair_content_header(payload: &mut [u8]) {
    if let Err(MalformedField) = FieldReader::new(payload).content_header() {
        fields::neutralise(payload);
    }
}

/// The part of a message that was not UTF-8 text on arrival, if there is one.
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
    let is_repaired = |text: &ShortString| text.as_str().contains(SUBSTITUTE);
    let repaired = named.into_iter().find(|(_, text)| text.as_ref().is_some_and(is_repaired));
    match repaired {
        Some((name, _)) => Some(name),
        None => {
            let headers = properties.headers().as_ref();
            headers.filter(|table| has_repaired_key(table)).map(|_| "headers' key")
        }
    }
}

/// Recursion ends at the depth that the repair leaves.
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
