//! Lines of an export: fields between semicolons, texts in double quotes, in Latin-1. Promise: any
//! bytes can be read; a line that does not have the file's form is a bad row and nothing more.

use serde::Serialize;

use crate::input::InvalidInput;

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
    let mut lines = bytes.split(|byte| *byte == b'\n').map(latin1);
    let header = fields(&lines.next().unwrap_or_default());
    if !header.is_ok_and(|header| header == columns) {
        let rule = format!("the header must be {}", columns.join(";"));
        return Err(InvalidInput::new(file, rule));
    }
    let mut table = Table { lines: vec![], total: 0, bad: vec![] };
    for (text, number) in lines.zip(2..) {
        if text.is_empty() {
            continue;
        }
        table.total += 1;
        match row(&text, columns.len()) {
            Ok(fields) => table.lines.push(Line { number, fields }),
            Err(rule) => {
                let why = InvalidInput::new("line", rule);
                table.bad.push(BadRow::new(file, number, why));
            }
        }
    }
    Ok(table)
}

fn row(text: &str, columns: usize) -> Result<Vec<String>, String> {
    let fields = fields(text)?;
    match fields.len() {
        found if found == columns => Ok(fields),
        found => Err(format!("has {found} fields, not {columns}")),
    }
}

/// In Latin-1 every byte is the character with its number.
fn latin1(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    bytes.iter().copied().map(char::from).collect()
}

/// The fields of a line. A quote within a quoted field is doubled.
fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err("has text after a closing quote".to_owned()),
        }
    }
}

/// A field after its opening quote, and what follows the closing one.
fn quoted_field(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) =
            rest.split_once('"').ok_or_else(|| "has a quote that is not closed".to_owned())?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Ok((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_semicolons_outside_of_quotes() {
        for (text, expected) in [
            (r#"1;"a;b";"";;"#, vec!["1", "a;b", "", "", ""]),
            (r#""say ""yes""";2"#, vec![r#"say "yes""#, "2"]),
            ("", vec![""]),
        ] {
            assert_eq!(fields(text), Ok(expected.into_iter().map(str::to_owned).collect()));
        }
    }

    #[test]
    fn lines_of_another_form_are_bad_rows_and_the_others_are_read() {
        let file = b"\"a\";\"b\"\r\n1;\"caf\xe9\"\r\n1;\"open\n\n1\n1;\"x\"y\n3;4";
        let table = split("f.asc", file, &["a", "b"]).expect("the header is right");
        let rows: Vec<_> = table.lines.iter().map(|it| (it.number, it.fields.join("|"))).collect();
        assert_eq!(rows, [(2, "1|café".to_owned()), (7, "3|4".to_owned())]);
        let bad: Vec<_> =
            table.bad.iter().map(|it| format!("{}: {} {}", it.line, it.field, it.rule)).collect();
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
}
