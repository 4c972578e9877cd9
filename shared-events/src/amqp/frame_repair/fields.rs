//! The fields of a frame, in RabbitMQ's dialect of AMQP 0-9-1. Promise: reading
//! ends for any bytes, goes no deeper than [`DEPTH_MAX`], and leaves only parseable fields.

use super::SUBSTITUTE;

/// Tables and arrays that are nested deeper become byte arrays.
pub(super) const DEPTH_MAX: u8 = 8;

/// Class, weight and body size precede a message's properties; then two bytes of flags say which
/// properties are present.
const BEFORE_PROPERTIES: usize = 12;
const FLAGS_BYTES: usize = 2;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;

/// The bytes are not what the protocol says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MalformedField;

/// The type of a field of a method or of a message's properties.
#[derive(Clone, Copy)]
enum Field {
    /// So many bytes without text.
    Bytes(usize),
    ShortString,
    LongString,
    Table,
}

use Field::{Bytes, LongString, ShortString, Table};

/// The properties of a message, in the order of their flags.
const PROPERTIES: [Field; 14] = [
    ShortString, // content_type
    ShortString, // content_encoding
    Table,       // headers
    Bytes(1),    // delivery_mode
    Bytes(1),    // priority
    ShortString, // correlation_id
    ShortString, // reply_to
    ShortString, // expiration
    ShortString, // message_id
    Bytes(8),    // timestamp
    ShortString, // type
    ShortString, // user_id
    ShortString, // app_id
    ShortString, // cluster_id
];

/// The fields of the methods that a broker sends, up to the last text in them.
const fn method_fields(class: u16, method: u16) -> &'static [Field] {
    match (class, method) {
        (10, 10) => &[Bytes(2), Table, LongString, LongString], // connection.start
        (10, 50) | (20, 40) => &[Bytes(2), ShortString],        // connection.close, channel.close
        (10, 41)                                                // connection.open-ok
        | (10, 60)                                              // connection.blocked
        | (50, 11)                                              // queue.declare-ok
        | (60, 21)                                              // basic.consume-ok
        | (60, 30)                                              // basic.cancel
        | (60, 31)                                              // basic.cancel-ok
        | (60, 72) => &[ShortString],                           // basic.get-empty
        (60, 50) => &[Bytes(2), ShortString, ShortString, ShortString], // basic.return
        (60, 60) => &[ShortString, Bytes(9), ShortString, ShortString], // basic.deliver
        (60, 71) => &[Bytes(9), ShortString, ShortString],      // basic.get-ok
        _ => &[],
    }
}

/// Reads fields one after another, and repairs them.
pub(super) struct FieldReader<'f> {
    bytes: &'f mut [u8],
    at: usize,
}

impl<'f> FieldReader<'f> {
    pub(super) const fn new(bytes: &'f mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn method(&mut self) -> Result<(), MalformedField> {
        let (class, method) = (self.short_uint()?, self.short_uint()?);
        method_fields(class, method).iter().try_for_each(|field| self.field(*field))
    }

    pub(super) fn content_header(&mut self) -> Result<(), MalformedField> {
        self.take(BEFORE_PROPERTIES)?;
        let flags = self.short_uint()?;
        for (bit, field) in (0..).zip(PROPERTIES) {
            if flags & (1 << 15 >> bit) != 0 {
                self.field(field)?;
            }
        }
        if self.at == self.bytes.len() { Ok(()) } else { Err(MalformedField) }
    }

    fn field(&mut self, field: Field) -> Result<(), MalformedField> {
        match field {
            Bytes(count) => self.take(count).map(drop),
            ShortString => self.short_string(),
            LongString => self.long().map(drop),
            Table => FieldReader::new(self.long()?).entries(1),
        }
    }

    /// The entries of a table, up to the end of its bytes.
    fn entries(&mut self, depth: u8) -> Result<(), MalformedField> {
        while self.at < self.bytes.len() {
            self.short_string()?;
            self.value(depth)?;
        }
        Ok(())
    }

    /// The values of an array, up to the end of its bytes.
    fn values(&mut self, depth: u8) -> Result<(), MalformedField> {
        while self.at < self.bytes.len() {
            self.value(depth)?;
        }
        Ok(())
    }

    fn value(&mut self, depth: u8) -> Result<(), MalformedField> {
        let tag_at = self.at;
        let tag = self.take(1)?[0];
        let count = match tag {
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'u' | b'U' => 2,
            b'I' | b'i' | b'f' => 4,
            b'D' => 5,
            b'L' | b'l' | b'd' | b'T' => 8,
            b'S' | b'x' => return self.long().map(drop),
            b'F' | b'A' => return self.nested(tag_at, tag, depth),
            _ => return Err(MalformedField),
        };
        self.take(count).map(drop)
    }

    /// A table or an array in another. Where it is too deep or malformed, it becomes an array of
    /// bytes: a length and so many bytes, as before.
    fn nested(&mut self, tag_at: usize, tag: u8, depth: u8) -> Result<(), MalformedField> {
        let mut inner = FieldReader::new(self.long()?);
        let read = match tag {
            _ if depth == DEPTH_MAX => Err(MalformedField),
            b'F' => inner.entries(depth + 1),
            _ => inner.values(depth + 1),
        };
        if read.is_err() {
            self.bytes[tag_at] = b'x';
        }
        Ok(())
    }

    fn short_string(&mut self) -> Result<(), MalformedField> {
        let count = self.take(1)?[0];
        substitute(self.take(count.into())?);
        Ok(())
    }

    /// The bytes behind a length of four bytes.
    fn long(&mut self) -> Result<&mut [u8], MalformedField> {
        let length = self.take(4)?.try_into().map_err(|_| MalformedField)?;
        self.take(u32::from_be_bytes(length) as usize)
    }

    fn short_uint(&mut self) -> Result<u16, MalformedField> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().map_err(|_| MalformedField)?))
    }

    fn take(&mut self, count: usize) -> Result<&mut [u8], MalformedField> {
        let taken = self.bytes.get_mut(self.at..).and_then(|rest| rest.get_mut(..count));
        let taken = taken.ok_or(MalformedField)?;
        self.at += count;
        Ok(taken)
    }
}

/// Replaces every byte that belongs to no character by [`SUBSTITUTE`].
fn substitute(mut text: &mut [u8]) {
    while let Err(error) = std::str::from_utf8(text) {
        let begin = error.valid_up_to();
        let end = error.error_len().map_or(text.len(), |count| begin + count);
        text[begin..end].fill(SUBSTITUTE as u8);
        text = &mut text[end..];
    }
}

/// Replaces malformed properties by one of the same length: a string, or where that is too short, a
/// table with one array of bytes.
pub(super) fn neutralise(payload: &mut [u8]) {
    let Some((flags, rest)) =
        payload.get_mut(BEFORE_PROPERTIES..).and_then(<[u8]>::split_first_chunk_mut::<FLAGS_BYTES>)
    else {
        return;
    };
    let (flag, head) = match u8::try_from(rest.len().wrapping_sub(1)) {
        _ if rest.is_empty() => (0, vec![]),
        Ok(length) => (CONTENT_ENCODING, vec![length]),
        Err(_) => (HEADERS, opaque_table(rest.len())),
    };
    *flags = flag.to_be_bytes();
    rest.fill(SUBSTITUTE as u8);
    rest[..head.len()].copy_from_slice(&head);
}

/// The beginning of a table of so many bytes with one array of bytes in it, under a repaired key.
fn opaque_table(bytes: usize) -> Vec<u8> {
    let rest = |behind: usize| u32::try_from(bytes - behind).unwrap_or_default().to_be_bytes();
    let key_and_tag = [1, SUBSTITUTE as u8, b'x'];
    [&rest(4)[..], &key_and_tag, &rest(4 + key_and_tag.len() + 4)].concat()
}
