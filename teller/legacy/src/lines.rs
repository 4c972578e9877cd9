//! Lines of an export: fields between semicolons, texts in double quotes, in Latin-1 or as somebody
//! saved it since. Promise: any bytes can be read; a line that does not have the file's form is a
//! bad row and nothing more.

use serde::Serialize;
use teller_client::input::InvalidInput;
use teller_files::{
    Fallback, Text, decode,
    records::{Quotes, Record, records},
};

const DELIMITER: char = ';';

/// A row that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file.
    pub file: &'static str,
    /// Its line, from 1; the header is line 1.
    pub line: usize,
    /// The column, or `line` where the line as a whole is wrong.
    pub field: String,
    /// The rule that it breaks.
    pub rule: String,
}

impl BadRow {
    pub(super) fn new(file: &'static str, line: usize, why: InvalidInput) -> Self {
        Self { file, line, field: why.field, rule: why.rule }
    }
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1; the header is line 1.
    pub(super) number: usize,
    /// As many fields as the header has.
    pub(super) fields: Vec<String>,
}

/// A file as rows. `total` counts the rows that cannot be read, too.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) lines: Vec<Line>,
    pub(super) total: usize,
    pub(super) bad: Vec<BadRow>,
}

/// Splits a file. Another header than `columns` means that it is another file: an error.
pub(super) fn split(
    file: &'static str,
    bytes: &[u8],
    columns: &[&str],
) -> Result<Table, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new(file, rule);
    let Text { text, .. } = decode(bytes, Fallback::Latin1).map_err(|error| wrong(error.rule))?;
    let mut records = records(&text, DELIMITER, Quotes::EndOnTheirLine, 1).into_iter();
    let header = records.next().and_then(|header| header.fields.ok());
    if header.is_none_or(|header| header != columns) {
        return Err(wrong(format!("the header must be {}", columns.join(";"))));
    }
    let mut table = Table { lines: vec![], total: 0, bad: vec![] };
    for Record { line: number, fields, .. } in records {
        table.total += 1;
        match fields.map_err(str::to_owned).and_then(|fields| row(fields, columns.len())) {
            Ok(fields) => table.lines.push(Line { number, fields }),
            Err(rule) => {
                let why = InvalidInput::new("line", rule);
                table.bad.push(BadRow::new(file, number, why));
            }
        }
    }
    Ok(table)
}

fn row(fields: Vec<String>, columns: usize) -> Result<Vec<String>, String> {
    match fields.len() {
        found if found == columns => Ok(fields),
        found => Err(format!("has {found} fields, not {columns}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_another_form_are_bad_rows_and_the_others_are_read() {
        let file = b"\"a\";\"b\"\r\n1;\"caf\xe9\"\r\n1;\"open\n\n1\n1;\"x\"y\n3;4";
        let table = split("f.asc", file, &["a", "b"]).expect("the header is right");
        let rows: Vec<_> =
            table.lines.iter().map(|line| (line.number, line.fields.join("|"))).collect();
        assert_eq!(rows, [(2, "1|café".to_owned()), (7, "3|4".to_owned())]);
        let bad: Vec<_> = table
            .bad
            .iter()
            .map(|bad| format!("{}: {} {}", bad.line, bad.field, bad.rule))
            .collect();
        assert_eq!(
            bad,
            [
                "3: line has a quote that is not closed",
                "5: line has 1 fields, not 2",
                "6: line has text after a closing quote",
            ]
        );
        assert_eq!(table.total, 5);
    }

    #[test]
    fn another_header_is_another_file() {
        let error = split("f.asc", b"a;c\n1;2\n", &["a", "b"]).expect_err("wrong header");
        assert_eq!(error.to_string(), "f.asc: the header must be a;b");
    }

    #[test]
    fn an_export_that_was_saved_anew_is_read_the_same() {
        let text = "a;b\n1;café\n2;x\n";
        let read = |bytes: &[u8]| {
            let table = split("f.asc", bytes, &["a", "b"]).expect("the header is right");
            table.lines.iter().map(|line| line.fields.join("|")).collect::<Vec<_>>()
        };
        let utf16 = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin1: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c).ok()).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            text.replace('\n', "\r").into_bytes(),
            utf16,
            latin1,
        ] {
            assert_eq!(read(&bytes), ["1|café", "2|x"], "{bytes:?}");
        }
    }
}
