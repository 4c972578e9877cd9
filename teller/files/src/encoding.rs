//! The text of a file, in the encodings of many programs. Promise: no encoding is assumed silently:
//! the caller is given its name, and a file in mixed encodings is refused with the line.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250};
use teller_client::input::InvalidInput;

use crate::records::lines;

/// UTF-32 is what no program saves by itself; its mark begins like that of UTF-16.
const UTF_32_MARKS: [&[u8]; 2] = [&[0xff, 0xfe, 0, 0], &[0, 0, 0xfe, 0xff]];

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Without a byte order mark.
    pub text: String,
    /// The name of the encoding, such as `UTF-8`.
    pub encoding: &'static str,
}

/// The encoding of a file that has neither a byte order mark nor valid UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// The encoding of "CSV" from spreadsheets of central Europe.
    #[default]
    Windows1250,
    /// Every byte is the character with its number, as old systems wrote.
    Latin1,
}

/// The encoding of this name or label, such as `windows-1252` or `latin2`.
pub(super) fn encoding(name: &str) -> Result<&'static Encoding, InvalidInput> {
    let rule = || InvalidInput::new("encoding", "not an encoding such as utf-8 or windows-1252");
    Encoding::for_label(name.trim().as_bytes()).ok_or_else(rule)
}

/// Reads a file as text: by its byte order mark, else as UTF-8, else as `fallback`.
pub fn decode(file: &[u8], fallback: Fallback) -> Result<Text, InvalidInput> {
    let wrong = |rule: &str| Err(InvalidInput::new("file", rule));
    if UTF_32_MARKS.iter().any(|mark| file.starts_with(mark)) {
        return wrong("is UTF-32; save it as UTF-8");
    }
    if let Some((encoding, mark)) = Encoding::for_bom(file) {
        return decode_as(&file[mark..], encoding);
    }
    match std::str::from_utf8(file) {
        Ok(text) if !text.contains('\0') => {
            return Ok(Text { text: text.to_owned(), encoding: UTF_8.name() });
        }
        Ok(_) | Err(_) => {}
    }
    // The first character of every file here is an ASCII letter, quote or bracket.
    match file {
        [first, 0, ..] if *first != 0 => decode_as(file, UTF_16LE),
        [0, first, ..] if *first != 0 => decode_as(file, UTF_16BE),
        _ if file.contains(&0) => wrong("has bytes of zero: it is not a text file"),
        _ => one_byte(file, fallback),
    }
}

/// Reads a file as text in this encoding; a byte order mark of it is left out.
pub(super) fn decode_as(file: &[u8], encoding: &'static Encoding) -> Result<Text, InvalidInput> {
    let file = match Encoding::for_bom(file) {
        Some((marked, mark)) if marked == encoding => &file[mark..],
        Some(_) | None => file,
    };
    let name = encoding.name();
    let wrong = |line: usize| {
        Err(InvalidInput::new("file", format!("line {line} has bytes that are not {name}")))
    };
    match encoding.decode_without_bom_handling_and_without_replacement(file) {
        Some(text) => match line_of(&text, |c| ('\u{80}'..'\u{a0}').contains(&c)) {
            // Windows encodings give bytes without a character to these, which no text has.
            Some(line) => wrong(line),
            None => Ok(Text { text: text.into_owned(), encoding: name }),
        },
        None => {
            let (text, _, _) = encoding.decode(file);
            wrong(line_of(&text, |c| c == char::REPLACEMENT_CHARACTER).unwrap_or(1))
        }
    }
}

/// A file that is not UTF-8. One that is in part is two files in one: neither reading is right.
fn one_byte(file: &[u8], fallback: Fallback) -> Result<Text, InvalidInput> {
    let text: String = file.iter().copied().map(char::from).collect();
    let (mut first_utf8, mut first_other) = (None, None);
    for (line, number) in lines(&text).zip(1..).filter(|(line, _)| !line.is_ascii()) {
        let bytes = line.chars().filter_map(|c| u8::try_from(c).ok()).collect();
        let first: &mut Option<usize> = match String::from_utf8(bytes) {
            Ok(_) => &mut first_utf8,
            Err(_) => &mut first_other,
        };
        first.get_or_insert(number);
    }
    match (fallback, first_utf8, first_other) {
        (Fallback::Latin1, ..) => Ok(Text { text, encoding: "ISO-8859-1" }),
        (Fallback::Windows1250, Some(utf8), Some(other)) => {
            let rule = format!(
                "line {utf8} is UTF-8 and line {other} is not: save the whole file as UTF-8"
            );
            Err(InvalidInput::new("file", rule))
        }
        (Fallback::Windows1250, ..) => decode_as(file, WINDOWS_1250).map_err(|error| {
            InvalidInput::new("file", format!("{}, nor UTF-8: name its encoding", error.rule))
        }),
    }
}

/// The line of the first such character.
fn line_of(text: &str, is_such: impl Fn(char) -> bool) -> Option<usize> {
    let before = &text[..text.find(is_such)?];
    let breaks = before.matches("\r\n").count();
    Some(1 + before.matches(['\r', '\n']).count() - breaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> String {
        match decode(file, Fallback::Windows1250) {
            Ok(Text { text, encoding }) => format!("{encoding}: {text}"),
            Err(error) => error.to_string(),
        }
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_tells_the_encoding() {
        assert_eq!(read("\u{feff}Křepelka".as_bytes()), "UTF-8: Křepelka");
        let marked = "\u{feff}Křepelka";
        assert_eq!(read(&utf16(marked, u16::to_le_bytes)), "UTF-16LE: Křepelka");
        assert_eq!(read(&utf16(marked, u16::to_be_bytes)), "UTF-16BE: Křepelka");
        assert_eq!(read(&utf16("a,ř", u16::to_le_bytes)), "UTF-16LE: a,ř");
        assert_eq!(read(&utf16("a,ř", u16::to_be_bytes)), "UTF-16BE: a,ř");
        assert_eq!(read(&[0xff, 0xfe, 0, 0, 1]), "file: is UTF-32; save it as UTF-8");
    }

    #[test]
    fn what_is_not_utf_8_is_read_as_windows_1250_and_said() {
        assert_eq!(read("a,ř".as_bytes()), "UTF-8: a,ř");
        assert_eq!(read(b"mzda \xf8\xed\x9e"), "windows-1250: mzda říž");
        let latin1 = decode(b"caf\xe9 \x81", Fallback::Latin1).expect("any bytes are Latin-1");
        assert_eq!(latin1.text, "café \u{81}");
    }

    #[test]
    fn what_is_in_no_one_encoding_is_refused_with_the_line() {
        for (file, message) in [
            (
                &b"a\r\n\xf8\r\n\xc5\x99"[..],
                "file: line 3 is UTF-8 and line 2 is not: save the whole file as UTF-8",
            ),
            (
                b"a\r\nb\r\x81",
                "file: line 3 has bytes that are not windows-1250, nor UTF-8: name its encoding",
            ),
            (b"\xef\xbb\xbfa\nb\xff", "file: line 2 has bytes that are not UTF-8"),
            (b"\xff\xfea\0b", "file: line 1 has bytes that are not UTF-16LE"),
            (b"ab\0\0", "file: has bytes of zero: it is not a text file"),
        ] {
            assert_eq!(read(file), message);
        }
    }

    #[test]
    fn an_encoding_can_be_named() {
        let text = decode_as(b"Bj\xf8rn", encoding("windows-1252").expect("a label"));
        assert_eq!(text.expect("the text is windows-1252").text, "Bjørn");
        let error = encoding("cp-nothing").expect_err("no such encoding");
        assert_eq!(error.to_string(), "encoding: not an encoding such as utf-8 or windows-1252");
    }
}
