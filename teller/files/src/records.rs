//! Text as records of fields. Promise: a record's line number is the line number of an editor, with
//! every kind of line end; an unclosed quote hides no record.

/// Whether a field in quotes may have line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// It may, as RFC 4180 has it.
    SpanLines,
    /// It ends on its line, or its line is wrong.
    EndOnTheirLine,
}

/// A record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The line it ends on.
    pub last_line: usize,
    /// Its fields, or the rule that it breaks.
    pub fields: Result<Vec<String>, &'static str>,
}

/// The lines of a text, without what ends them: CR LF, LF or CR.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let after = &text[end..];
        rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
        Some(&text[..end])
    })
}

/// The records of a text, from its line `first` on. Empty lines are none.
pub fn records(text: &str, delimiter: char, quotes: Quotes, first: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let mut open: Option<(usize, Fields)> = None;
    let mut last = first;
    for (text, number) in lines(text).zip(1..).skip(first - 1) {
        last = number;
        if open.is_none() && text.is_empty() {
            continue;
        }
        let (line, mut fields) = open.take().unwrap_or_else(|| (number, Fields::new(delimiter)));
        let fields = match fields.feed(text) {
            Ok(Fed::Whole) => Ok(fields.done),
            Ok(Fed::WithinQuotes) if quotes == Quotes::SpanLines => {
                open = Some((line, fields));
                continue;
            }
            Ok(Fed::WithinQuotes) => Err(NOT_CLOSED),
            Err(rule) => Err(rule),
        };
        records.push(Record { line, last_line: number, fields });
    }
    if let Some((line, _)) = open {
        records.push(Record { line, last_line: last, fields: Err(NOT_CLOSED) });
    }
    records
}

/// The fields of one line.
pub fn fields_of(line: &str, delimiter: char) -> Result<Vec<String>, &'static str> {
    let mut fields = Fields::new(delimiter);
    match fields.feed(line)? {
        Fed::Whole => Ok(fields.done),
        Fed::WithinQuotes => Err(NOT_CLOSED),
    }
}

const NOT_CLOSED: &str = "has a quote that is not closed";

/// Whether a record ended with the line.
enum Fed {
    Whole,
    WithinQuotes,
}

/// The fields of a record so far.
struct Fields {
    delimiter: char,
    done: Vec<String>,
    /// The field in quotes that is not closed yet.
    open: Option<String>,
}

impl Fields {
    const fn new(delimiter: char) -> Self {
        Self { delimiter, done: Vec::new(), open: None }
    }

    /// Takes one more line. A quote within quotes is doubled; one within a field that began
    /// without is an ordinary character.
    fn feed(&mut self, line: &str) -> Result<Fed, &'static str> {
        let mut rest = line;
        if let Some(field) = &mut self.open {
            field.push('\n');
        }
        loop {
            let quoted = rest.trim_start_matches(' ').strip_prefix('"');
            let after = match (self.open.take(), quoted) {
                (Some(field), _) => match self.close(field, rest) {
                    Some(after) => after.trim_start_matches(' '),
                    None => return Ok(Fed::WithinQuotes),
                },
                (None, Some(quoted)) => {
                    (self.open, rest) = (Some(String::new()), quoted);
                    continue;
                }
                (None, None) => {
                    let end = rest.find(self.delimiter).unwrap_or(rest.len());
                    self.done.push(rest[..end].to_owned());
                    &rest[end..]
                }
            };
            match after.strip_prefix(self.delimiter) {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Fed::Whole),
                None => return Err("has text after a closing quote"),
            }
        }
    }

    /// Reads up to the closing quote, and returns what follows it. Without one the field stays
    /// open.
    fn close<'l>(&mut self, mut field: String, mut rest: &'l str) -> Option<&'l str> {
        loop {
            let Some((before, after)) = rest.split_once('"') else {
                field.push_str(rest);
                self.open = Some(field);
                return None;
            };
            field.push_str(before);
            match after.strip_prefix('"') {
                Some(next) => {
                    field.push('"');
                    rest = next;
                }
                None => {
                    self.done.push(field);
                    return Some(after);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, quotes: Quotes) -> Vec<String> {
        let shown = |record: &Record| {
            let fields = record.fields.as_ref().map(|fields| fields.join("|").replace('\n', "/"));
            let fields = fields.unwrap_or_else(|rule| format!("({rule})"));
            format!("{}-{} {fields}", record.line, record.last_line)
        };
        records(text, ';', quotes, 1).iter().map(shown).collect()
    }

    #[test]
    fn fields_are_split_outside_of_quotes() {
        for (text, expected) in [
            (r#"1;"a;b";"";;"#, vec!["1", "a;b", "", "", ""]),
            (r#""say ""yes""";2"#, vec![r#"say "yes""#, "2"]),
            (r#"5" pipe;2"#, vec![r#"5" pipe"#, "2"]),
            (r#" "a"  ;2"#, vec!["a", "2"]),
            ("", vec![""]),
        ] {
            assert_eq!(fields_of(text, ';'), Ok(expected.into_iter().map(str::to_owned).collect()));
        }
    }

    #[test]
    fn a_line_is_what_an_editor_shows_whatever_ends_it() {
        let expected = ["1-1 a", "3-3 b", "5-5 c"];
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a", "", "b", "", "c", ""].join(end);
            assert_eq!(shown(&text, Quotes::SpanLines), expected, "{end:?}");
        }
    }

    #[test]
    fn a_quoted_field_may_span_lines_and_the_lines_go_on_counting() {
        let text = "a;\"x\r\ny\n\nz\";c\r\nd;e";
        assert_eq!(shown(text, Quotes::SpanLines), ["1-4 a|x/y//z|c", "5-5 d|e"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_a_wrong_record() {
        let text = "a;\"b\nc;d\n";
        let open = "has a quote that is not closed";
        assert_eq!(shown(text, Quotes::SpanLines), [format!("1-3 ({open})")]);
        let line_by_line = [format!("1-1 ({open})"), "2-2 c|d".to_owned()];
        assert_eq!(shown(text, Quotes::EndOnTheirLine), line_by_line);
        let text = "\"x\"y\nc";
        assert_eq!(
            shown(text, Quotes::EndOnTheirLine),
            ["1-1 (has text after a closing quote)", "2-2 c"]
        );
    }
}
