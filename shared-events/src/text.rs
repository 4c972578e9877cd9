//! Foreign text. Promise: [`visible`] returns one line of visible characters for a letter, a
//! terminal, a log and XML; the line changes no direction and hides nothing; text that is already
//! visible is returned unchanged.
//!
//! Every medium has one door, and text of any origin goes through it (a test of the workspace finds
//! another way out):
//!
//! | medium | function | door |
//! |---|---|---|
//! | terminal | [`visible`], [`visible_lines`], [`visible_json`] | `output.rs`: `teller`, `bench` |
//! | spreadsheet | [`csv_field`] | `spreadsheet.rs` of `teller` |
//! | XML | [`visible`] | `xml.rs` of `teller-camt053` |
//! | exported journal | [`visible_json`] | `export.rs` of `teller-audit` |
//! | e-mail | [`visible`] | `letter.rs` of the notifications service |
//! | webhook | [`visible_json`] | `webhook_body.rs` of the notifications service |
//! | log, panic, exit | [`visible`], [`visible_json`] | `telemetry.rs` of `host` |
//! | `/readyz` | [`visible_json`] | `probes.rs` of `host` |
//! | refusal, `actor` of an event, reason of parking | [`visible`] | where they are made |
//!
//! The tables below do not depend on a version of Unicode: every later version accepts the text
//! that is accepted today, and characters that Unicode does not know yet (next year's emoji) pass.

use std::{borrow::Cow, ops::RangeInclusive};

/// The replacement of an invisible character.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Characters that end a line or move the cursor; a space replaces them.
const BREAKS: [char; 8] = ['\t', '\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Invisible characters, and characters that change the display of their neighbours: control
/// characters, `Default_Ignorable_Code_Point` (which has all bidirectional controls and all tags),
/// line separators, blank letters, and the private use areas of Unicode.
const HIDDEN: [RangeInclusive<char>; 29] = [
    '\0'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{70f}'..='\u{70f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{e000}'..='\u{f8ff}',
    '\u{fdd0}'..='\u{fdef}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{fffe}'..='\u{ffff}',
    '\u{13430}'..='\u{1343f}',
    '\u{16fe4}'..='\u{16fe4}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{1fffe}'..='\u{1ffff}',
    '\u{2fffe}'..='\u{2ffff}',
    '\u{3fffe}'..='\u{10ffff}',
];

/// Characters that shape the character before and belong to the spelling of Persian, Sinhala and
/// Hindi, of Japanese names, and of emoji: joiners and variation selectors.
fn shapes(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_hidden(c: char) -> bool {
    // Most text ends here.
    if matches!(c, ' '..='~') {
        return false;
    }
    HIDDEN.iter().any(|range| range.contains(&c))
}

/// Whether `c` is visible after `before`.
fn is_seen(before: Option<char>, c: char) -> bool {
    match (shapes(c), before) {
        // Only behind a letter or sign that it can shape: it hides nothing there.
        (true, Some(before)) => !before.is_ascii() && (!is_hidden(before) || shapes(before)),
        (true, None) => false,
        (false, _) => !is_hidden(c),
    }
}

/// The first invisible character of `text`, and its place, from 1.
#[must_use]
pub fn first_hidden(text: &str) -> Option<(usize, char)> {
    let mut before = None;
    for (place, c) in (1..).zip(text.chars()) {
        if !is_seen(before, c) {
            return Some((place, c));
        }
        before = Some(c);
    }
    None
}

/// Whether `text` is one line of visible characters: the rule for names, references and reasons.
#[must_use]
pub fn is_visible_line(text: &str) -> bool {
    first_hidden(text).is_none()
}

/// `text` as one line of visible characters. A line break becomes a space, every other invisible
/// character becomes `\u{FFFD}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_visible_line(text) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        let shown = match is_seen(before, c) {
            true => c,
            false if BREAKS.contains(&c) => ' ',
            false => REPLACEMENT,
        };
        seen.push(shown);
        before = Some(shown);
    }
    Cow::Owned(seen)
}

/// `text` as lines of visible characters, with its line feeds.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    match text.split('\n').all(is_visible_line) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.split('\n').map(visible).collect::<Vec<_>>().join("\n")),
    }
}

/// The same JSON on one line, with `\uXXXX` in place of every invisible character: a program reads
/// the same value, and a terminal obeys no control character.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !is_hidden(c) || shapes(c);
    if json.chars().all(is_plain) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match c {
            // Between values only: a string of JSON never has them as they are.
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if is_plain(c) => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    Cow::Owned(escaped)
}

/// The first characters of a spreadsheet's formula, in wide forms, too.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Characters that may end a spreadsheet's cell, for any program that wrote the file.
const SEPARATORS: [char; 5] = [',', ';', '|', '"', '\''];

/// Foreign text as a cell of a CSV file: visible, and never a formula. A cell that would be read as
/// a formula begins with `'`, which spreadsheets show as text; the same holds after a character at
/// which some spreadsheet splits cells. For texts only: amounts are written unchanged.
#[must_use]
pub fn csv_field(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut begins = true;
    for c in visible(text).chars() {
        if begins && FORMULAS.contains(&c) {
            cell.push('\'');
        }
        begins = SEPARATORS.contains(&c) || (begins && c.is_whitespace());
        cell.push(c);
    }
    cell
}

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn what_is_visible_is_left_as_it_is() {
        for text in [
            "",
            "Rent for November, flat 7 (2nd floor) <&>\"'",
            "Žluťoučký kůň, naïve façade, ẞ, Ελλάδα, Привет",
            "שלום, مرحبا, 東京都, 한국어",
            // No-break space, soft spaces of typography: blank, and on the same line.
            "1\u{a0}250,50\u{202f}€\u{3000}",
            // Persian and Sinhala are spelt with joiners, Japanese names with variants.
            "می\u{200c}خواهم ශ්\u{200d}රී 葛\u{e0100}城",
            // Emoji: a heart on fire, a family, one newer than any table.
            "❤\u{fe0f}\u{200d}🔥 👩\u{200d}👩\u{200d}👧 \u{1faea}",
            // Combining marks.
            "e\u{301}",
        ] {
            assert_eq!(first_hidden(text), None, "{text:?}");
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn what_is_hidden_or_steers_is_replaced() {
        for (text, expected) in [
            ("a\r\nb\tc", "a  b c"),
            ("Rent\u{2028}Your account is blocked", "Rent Your account is blocked"),
            ("a\u{2029}b\u{85}c\u{b}d\u{c}e", "a b c d e"),
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"),
            ("a\u{9b}31m\u{7f}\0", "a\u{fffd}31m\u{fffd}\u{fffd}"),
            ("100\u{202e}00.1\u{202c}", "100\u{fffd}00.1\u{fffd}"),
            ("\u{200f}\u{2067}\u{61c}", "\u{fffd}\u{fffd}\u{fffd}"),
            ("pay\u{200b}pal\u{ad}\u{feff}", "pay\u{fffd}pal\u{fffd}\u{fffd}"),
            ("\u{e0041}\u{e007f}", "\u{fffd}\u{fffd}"),
            ("\u{3164}\u{2800}\u{e000}\u{ffff}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            // Joiners and variants shape letters of other scripts, and nothing else.
            ("a\u{200d}b", "a\u{fffd}b"),
            ("\u{200d}", "\u{fffd}"),
            ("7\u{fe0f}", "7\u{fffd}"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
            assert!(!is_visible_line(text), "{text:?}");
            assert!(is_visible_line(&visible(text)), "{text:?}");
        }
        assert_eq!(first_hidden("ab\u{202e}c"), Some((3, '\u{202e}')));
    }

    /// All characters except most of the empty planes.
    fn all_that_matter() -> impl Iterator<Item = char> {
        ('\0'..'\u{20000}').chain('\u{dfff0}'..'\u{e1000}').chain('\u{10fff0}'..=char::MAX)
    }

    #[test]
    fn no_character_that_formats_or_controls_is_forgotten() {
        use GeneralCategory as Category;
        // They stand over numbers and verses, and are seen.
        let signs = ['\u{6dd}', '\u{8e2}', '\u{110bd}', '\u{110cd}'];
        let is_sign = |c: char| {
            signs.contains(&c) || matches!(c, '\u{600}'..='\u{605}' | '\u{890}'..='\u{891}')
        };
        for c in all_that_matter() {
            let hides = matches!(
                c.general_category(),
                Category::Control
                    | Category::Format
                    | Category::LineSeparator
                    | Category::ParagraphSeparator
                    | Category::PrivateUse
                    | Category::Surrogate
            );
            assert!(is_hidden(c) || !hides || is_sign(c), "U+{:04X}", c as u32);
            let is_letter = matches!(
                c.general_category(),
                Category::UppercaseLetter
                    | Category::LowercaseLetter
                    | Category::DecimalNumber
                    | Category::CurrencySymbol
                    | Category::MathSymbol
                    | Category::SpaceSeparator
            );
            assert!(!(is_letter && is_hidden(c)), "U+{:04X} can be seen", c as u32);
        }
    }

    #[test]
    fn whatever_comes_in_what_goes_out_is_xml_and_stays_as_it_is() {
        for c in all_that_matter() {
            let text = format!("ф{c}a{c}");
            let seen = visible(&text);
            let is_xml = |c: char| {
                let private = matches!(c, '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
                private || matches!(c, ' '..='\u{d7ff}')
            };
            assert!(seen.chars().all(is_xml), "U+{:04X}", c as u32);
            assert_eq!(visible(&seen), seen, "U+{:04X}", c as u32);
            assert_eq!(seen.chars().count(), 4, "U+{:04X}: as long as before", c as u32);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible_lines("a\nb\n"), "a\nb\n");
        assert_eq!(visible_lines("a\r\n\u{1b}b"), "a \n\u{fffd}b");
    }

    #[test]
    fn json_means_the_same_and_steers_no_terminal() {
        let strange = "a\n\u{9b}31m\u{202e}\u{7f}\u{e0041}ř 👩\u{200d}👧";
        let json = serde_json::to_string(&[strange]).expect("a string is JSON");
        let escaped = visible_json(&json);
        assert_eq!(escaped, "[\"a\\n\\u009b31m\\u202e\\u007f\\udb40\\udc41ř 👩\u{200d}👧\"]",);
        let read: Vec<String> = serde_json::from_str(&escaped).expect("it is JSON as before");
        assert_eq!(read, [strange]);
    }

    #[test]
    fn json_that_somebody_else_wrote_becomes_one_line_and_stays_json() {
        let json = "{\t\"a\":\r\n[1,\n\t\"x\\ty\u{2028}\u{7f}\"]}";
        let line = visible_json(json);
        assert_eq!(line, "{ \"a\":  [1,  \"x\\ty\\u2028\\u007f\"]}");
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        assert_eq!(value(&line), value(json));
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("Rent", "Rent"),
            ("a-b=c", "a-b=c"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-5 %", "'-5 %"),
            ("+420 123", "'+420 123"),
            ("  =1", "  '=1"),
            ("\t=1\r\n", " '=1  "),
            ("＝1", "'＝1"),
            // A spreadsheet that splits at semicolons or does not know the quotes.
            ("x; =1", "x; '=1"),
            ("x\",=1", "x\",'=1"),
        ] {
            assert_eq!(csv_field(text), cell, "{text:?}");
        }
    }
}
