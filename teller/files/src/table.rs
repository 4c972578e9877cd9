//! A file of rows under named columns, as offices save it. Promise: every row of the file is read,
//! or listed with its line and the rule that it breaks; where a quote hides rows in a field, the
//! file as a whole is refused.

use std::collections::HashMap;

use teller_client::input::{
    InvalidInput,
    space::{is_space, trim},
};

use crate::{
    encoding::{Fallback, Text, decode, decode_as, encoding},
    records::{Quotes, Record, fields_of, lines, records},
};

/// The possible delimiters. The first that gives a known header is taken.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// A first line that names the delimiter to spreadsheets.
const DELIMITER_LINE: &str = "sep=";

/// The columns that a file may have, in any order.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Their names.
    pub known: &'static [&'static str],
    /// How many of them, from the first on, must be there.
    pub required: usize,
}

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The encoding of its text, such as `UTF-8`.
    pub encoding: &'static str,
    /// The delimiter of its fields.
    pub delimiter: char,
    /// Its rows in their order, without the empty ones.
    pub rows: Vec<Row>,
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line that it begins on as an editor counts them, from 1; the header is on line 1, or
    /// below what stands above it.
    pub line: usize,
    /// Its cells, or the rule that it breaks.
    pub cells: Result<Cells, InvalidInput>,
}

/// The cells of a row, without spaces around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells(HashMap<&'static str, String>);

impl Cells {
    /// The cell of a column; empty where the file lacks the column.
    #[must_use]
    pub fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// The cell of a column, if it has content.
    #[must_use]
    pub fn given(&self, column: &str) -> Option<&str> {
        Some(self.get(column)).filter(|text| !text.is_empty())
    }
}

/// Reads a file, in the encoding that `named` names, or else in the one that it shows. Fails where
/// its text, its header or its quotes are wrong; rows that are wrong are among the rows.
pub fn table(file: &[u8], named: Option<&str>, columns: Columns) -> Result<Table, InvalidInput> {
    let Text { text, encoding } = match named {
        Some(name) => decode_as(file, encoding(name)?)?,
        None => decode(file, Fallback::default())?,
    };
    let mut above = lines(&text).zip(1..).skip_while(|(line, _)| trim(line).is_empty()).peekable();
    let named = above.next_if(|(line, _)| delimiter_line(line).is_some());
    let named = named.and_then(|(line, _)| delimiter_line(line));
    let (header, first) = above.find(|(line, _)| !trim(line).is_empty()).unwrap_or(("", 1));
    let delimiter = named.unwrap_or_else(|| delimiter_of(header, columns));
    let header = header_of(header, delimiter, columns)?;
    let mut rows = Vec::new();
    for record in records(&text, delimiter, Quotes::SpanLines, first + 1) {
        refuse_hidden_rows(&record, delimiter, header.len())?;
        rows.extend(row(record, &header));
    }
    Ok(Table { encoding, delimiter, rows })
}

/// `sep=;`, also in quotes.
fn delimiter_line(line: &str) -> Option<char> {
    let line = trim(line).trim_matches('"');
    let is_named = line.get(..DELIMITER_LINE.len())?.eq_ignore_ascii_case(DELIMITER_LINE);
    let mut rest = line[DELIMITER_LINE.len()..].chars();
    match (is_named, rest.next(), rest.next()) {
        (true, Some(delimiter), None) => Some(delimiter),
        // `sep=` and a tab, which was trimmed.
        (true, None, _) => Some('\t'),
        _ => None,
    }
}

fn delimiter_of(header: &str, columns: Columns) -> char {
    let known = |delimiter: &char| {
        let names = fields_of(header, *delimiter).unwrap_or_default();
        let known = |name: &String| columns.known.contains(&name_of(name).as_str());
        names.iter().filter(|name| known(name)).count()
    };
    // Of equals the last is the greatest.
    DELIMITERS.into_iter().rev().max_by_key(known).unwrap_or(',')
}

/// A column's name as it is written here: `End to end ID` is `end_to_end_id`.
fn name_of(text: &str) -> String {
    trim(text).to_lowercase().replace(|c: char| c == '-' || is_space(c), "_")
}

/// The names of the columns as they stand in the file; nothing for a column without a name.
fn header_of(
    line: &str,
    delimiter: char,
    columns: Columns,
) -> Result<Vec<Option<&'static str>>, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new("header", rule);
    let mut names = Vec::new();
    for name in fields_of(line, delimiter).map_err(|rule| wrong(rule.to_owned()))? {
        let called = name_of(&name);
        let known = columns.known.iter().copied().find(|known| *known == called);
        if called.is_empty() {
            names.push(None);
        } else if known.is_none() {
            let known = columns.known.join(", ");
            return Err(wrong(format!("has column {:?}; known are {known}", trim(&name))));
        } else if names.contains(&known) {
            return Err(wrong(format!("names column {called} twice")));
        } else {
            names.push(known);
        }
    }
    let required = columns.known.iter().take(columns.required);
    match required.copied().find(|name| !names.contains(&Some(*name))) {
        Some(missing) => Err(wrong(format!("lacks column {missing}"))),
        None => Ok(names),
    }
}

/// A field in quotes over several lines that holds as many delimiters as a row has is no text: a
/// quote was left open, and the rows up to the next one would be lost.
fn refuse_hidden_rows(
    record: &Record,
    delimiter: char,
    columns: usize,
) -> Result<(), InvalidInput> {
    let (line, last) = (record.line, record.last_line);
    let hides_rows = match &record.fields {
        Ok(fields) if last > line => {
            let broken = fields.iter().filter(|field| field.contains('\n'));
            let delimiters = broken.map(|field| field.matches(delimiter).count()).sum::<usize>();
            fields.len() != columns || delimiters + 1 >= columns
        }
        Ok(_) => false,
        Err(_) => last > line,
    };
    if !hides_rows {
        return Ok(());
    }
    let rule = format!(
        "has a quote that is not closed on its line, so that the rows up to line {last} would \
         belong to one field; nothing of the file was read"
    );
    Err(InvalidInput::new(format!("line {line}"), rule))
}

/// A row, unless nothing is in it: spreadsheets save empty rows, too.
fn row(record: Record, header: &[Option<&'static str>]) -> Option<Row> {
    let line = record.line;
    let wrong = |rule: String| Err(InvalidInput::new("line", rule));
    let fields = match record.fields {
        Ok(fields) => fields,
        Err(rule) => return Some(Row { line, cells: wrong(rule.to_owned()) }),
    };
    let fields: Vec<&str> = fields.iter().map(|field| trim(field)).collect();
    if fields.iter().all(|field| field.is_empty()) {
        return None;
    }
    let beyond = fields.iter().skip(header.len());
    if fields.len() < header.len() || beyond.clone().any(|field| !field.is_empty()) {
        let rule = format!("has {} fields, not {}", fields.len(), header.len());
        return Some(Row { line, cells: wrong(rule) });
    }
    let mut cells = HashMap::new();
    for (name, field) in header.iter().zip(fields) {
        match name {
            Some(name) => {
                cells.insert(*name, field.to_owned());
            }
            None if field.is_empty() => {}
            None => {
                let rule = format!("has {field:?} in a column without a name");
                return Some(Row { line, cells: wrong(rule) });
            }
        }
    }
    Some(Row { line, cells: Ok(Cells(cells)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns { known: &["name", "amount", "end_to_end_id"], required: 2 };

    fn shown(file: &str) -> Vec<String> {
        let table = match table(file.as_bytes(), None, COLUMNS) {
            Ok(table) => table,
            Err(error) => return vec![error.to_string()],
        };
        let shown = |row: &Row| match &row.cells {
            Ok(cells) => {
                let fields: Vec<&str> = COLUMNS.known.iter().map(|name| cells.get(name)).collect();
                format!("{} {}", row.line, fields.join("|"))
            }
            Err(error) => format!("{} {error}", row.line),
        };
        table.rows.iter().map(shown).collect()
    }

    #[test]
    fn whatever_stands_between_fields_is_found_in_the_header() {
        for file in [
            "name,amount\nada,1",
            "name;amount\nada;1",
            "Name\tAMOUNT\r\nada\t1\r\n",
            "\u{feff}\"Name\" ; \"Amount\"\n ada ;\u{a0}1\u{a0}",
            "amount|name\n1|ada",
        ] {
            assert_eq!(shown(file), ["2 ada|1|"], "{file:?}");
        }
        assert_eq!(shown("sep=;\r\nname;amount\r\nada;1"), ["3 ada|1|"]);
        assert_eq!(shown("\nSEP=\t\nname\tamount\nada\t1"), ["4 ada|1|"]);
        assert_eq!(shown("Name;Amount;End-to-end ID\nada;1;x"), ["2 ada|1|x"]);
    }

    #[test]
    fn a_wrong_header_is_named() {
        for (file, message) in [
            ("", "header: lacks column name"),
            ("name;\nada;", "header: lacks column amount"),
            ("name,name,amount", "header: names column name twice"),
            (
                "name,amount,e2e",
                r#"header: has column "e2e"; known are name, amount, end_to_end_id"#,
            ),
            ("name,\"amount\nada,1", "header: has a quote that is not closed"),
        ] {
            assert_eq!(shown(file), [message], "{file:?}");
        }
    }

    #[test]
    fn rows_without_content_are_none_and_all_others_are_listed() {
        let file = "name;amount;\r\nada;1;\r\n;;\r\n\r\n  \r\nbob\r\ncyd;2;;;\r\ndan;3;;x\r\n\
                    eve;4;y\r\n";
        assert_eq!(
            shown(file),
            [
                "2 ada|1|",
                "6 line: has 1 fields, not 3",
                "7 cyd|2|",
                "8 line: has 4 fields, not 3",
                r#"9 line: has "y" in a column without a name"#,
            ]
        );
    }

    #[test]
    fn a_quote_that_is_left_open_hides_no_rows() {
        let refused = |line: usize, last: usize| {
            format!(
                "line {line}: has a quote that is not closed on its line, so that the rows up to \
                 line {last} would belong to one field; nothing of the file was read"
            )
        };
        for (file, message) in [
            ("name,amount\nada,\"1\nbob,2\ncyd,3", refused(2, 4)),
            ("name,amount\n\"ada,1\nbob\",2\ncyd,3", refused(2, 3)),
            ("name,amount\nada,1\nbob,\"2\ncyd,3\"\ndan,4", refused(3, 4)),
            ("name,amount\rada,\"1\rbob,\"2\"\r", refused(2, 3)),
        ] {
            assert_eq!(shown(file), [message], "{file:?}");
        }
        // A text of two lines is one field, and a mark for inches is no quote.
        let file = "name,amount\n\"ada\nking\",1\n5\" pipe,2\n\"x\"y,3\nbob,4";
        assert_eq!(
            shown(file),
            [
                "2 ada\nking|1|",
                "4 5\" pipe|2|",
                "5 line: has text after a closing quote",
                "6 bob|4|"
            ]
        );
    }

    #[test]
    fn an_encoding_that_is_named_is_taken() {
        let file = b"name;amount\nBj\xf8rn;1";
        let read = table(file, Some("windows-1252"), COLUMNS).expect("the text is windows-1252");
        let name = read.rows[0].cells.as_ref().map(|cells| cells.get("name"));
        assert_eq!((read.encoding, name), ("windows-1252", Ok("Bjørn")));
    }
}
