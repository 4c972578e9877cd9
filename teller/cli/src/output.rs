//! How results look: tables for people, JSON for programs. Promise: all that is printed passes
//! here, and no text of a stranger steers the terminal.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;
use shared_events::{
    Amount, Currency, Money, Total,
    text::{visible, visible_json, visible_lines},
};

/// Where results go.
pub(crate) struct Output {
    json: bool,
    stdout: io::Stdout,
}

/// Text for people, line by line. Promise: every line went through [`visible`], so no text of a
/// stranger steers the terminal or adds a line, whoever put the text together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

/// A cell of a table.
pub(crate) enum Cell {
    One(String),
    /// A part on each line.
    Lines(Vec<String>),
}

/// A column's header, and where its cells stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Left(&'static str),
    Right(&'static str),
}

impl Text {
    /// One line.
    pub(crate) fn line(text: &str) -> Self {
        Self(visible(text).into_owned())
    }

    /// The lines of a text that is long or has a form: JSON with indents, a statement's document,
    /// the explanation of a wrong option.
    pub(crate) fn lines(text: &str) -> Self {
        Self(visible_lines(text).into_owned())
    }

    /// This text, and another one below.
    pub(crate) fn then(self, below: &Self) -> Self {
        Self(format!("{}\n{}", self.0, below.0))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::One(text) => visible(text).into_owned(),
            Self::Lines(parts) => {
                parts.iter().map(|part| visible(part)).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, stdout: io::stdout() }
    }

    /// Prints a result: `value` for programs, or the text of `human` for people.
    pub(crate) fn show<T: Serialize>(
        &mut self,
        value: &T,
        human: impl FnOnce() -> Text,
    ) -> io::Result<()> {
        match self.json {
            true => self.json(value),
            false => self.text(&human()),
        }
    }

    /// Prints JSON on one line. Text of strangers in it steers no terminal, and is exact to a
    /// program.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string(value)?;
        self.ours(&visible_json(&json))
    }

    /// Prints text for people.
    pub(crate) fn text(&mut self, text: &Text) -> io::Result<()> {
        self.ours(&text.0)
    }

    /// Prints text as it is, at once: the program's own, with no word of a stranger in it.
    pub(crate) fn ours(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = self.stdout.lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    /// Writes JSON Lines that come one after another, for as long as there are any.
    pub(crate) fn stream(&self) -> impl Write + Send + use<> {
        io::BufWriter::new(io::stdout())
    }
}

/// Prints a line that is no result. The line is lost where standard error is closed.
pub(crate) fn note(text: &str) {
    note_text(&Text::line(text));
}

/// Prints a line for programs that is no result.
pub(crate) fn note_json(value: &serde_json::Value) {
    note_text(&Text(visible_json(&value.to_string()).into_owned()));
}

/// Prints text that is no result.
pub(crate) fn note_text(text: &Text) {
    let _ = writeln!(io::stderr(), "{}", text.0);
}

/// A panic is an error of this program; its text may quote a stranger.
pub(crate) fn keep_panics_visible() {
    std::panic::set_hook(Box::new(|panic| note(&panic.to_string())));
}

/// A table with one row for each item.
pub(crate) fn table<C: Into<Cell>>(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<C>>,
) -> Text {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(columns.iter().map(|column| match column {
        Column::Left(name) | Column::Right(name) => *name,
    }));
    for (index, column) in columns.iter().enumerate() {
        if let (Column::Right(_), Some(column)) = (column, table.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        // Before the widths are counted: invisible characters have none.
        table.add_row(row.into_iter().map(|cell| cell.into().text()));
    }
    Text(table.to_string())
}

/// One thing: a name and a value on each line. Empty values are left out.
pub(crate) fn card(fields: &[(&str, String)]) -> Text {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = lines
        .map(|(name, value)| format!("{:<width$}  {}", visible(name), visible(value)))
        .collect();
    Text(lines.join("\n"))
}

/// An amount with its currency's digits.
pub(crate) fn digits(amount: Amount, currency: Currency) -> String {
    let money = Money { amount, currency }.to_string();
    match money.split_once(' ') {
        Some((amount, _)) => amount.to_owned(),
        None => money,
    }
}

/// A sum with its currency's digits.
pub(crate) fn sum_digits(sum: Total, currency: Currency) -> String {
    sum.amount().map_or_else(|| sum.to_string(), |amount| digits(amount, currency))
}

/// A value that may not be there.
pub(crate) fn or_empty<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_leaves_out_what_is_empty() {
        let fields = [("id", "7".to_owned()), ("note", String::new()), ("status", "ok".to_owned())];
        assert_eq!(card(&fields).0, "id      7\nstatus  ok");
    }

    /// What a stranger would write to clear the screen, to reverse a line, or to add one.
    const EVIL: &str = "Rent\u{2028}\u{1b}[2J\u{202e}\r\n\u{85}\u{9b}31mok\u{2066}\u{7f}\u{61c}";

    #[test]
    fn strangers_text_steers_no_terminal_and_adds_no_line() {
        let seen = "Rent \u{fffd}[2J\u{fffd}   \u{fffd}31mok\u{fffd}\u{fffd}\u{fffd}";
        let rows = [vec![Cell::One(EVIL.to_owned()), Cell::Lines(vec!["two".into(), EVIL.into()])]];
        let Text(text) = table(&[Column::Left("reference"), Column::Left("legs")], rows);
        assert!(text.contains(&format!("│ {seen} ┆ two ")), "{text}");
        assert!(text.contains(&format!("┆ {seen} │")), "{text}");
        assert_eq!(text.lines().count(), 6, "{text}");
        assert_eq!(card(&[("id", EVIL.to_owned())]).0, format!("id  {seen}"));
        assert_eq!(Text::line(EVIL).0, seen);
        let Text(below) = Text::line(EVIL).then(&Text::lines("a\nb\u{1b}"));
        assert_eq!(below, format!("{seen}\na\nb\u{fffd}"));
    }

    #[test]
    fn numbers_stand_right() {
        let rows = [["1993-01-01", "7.00"], ["1993-01-02", "12.00"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let Text(text) = table(&[Column::Left("day"), Column::Right("amount")], rows);
        assert!(text.contains("│ 1993-01-01 ┆   7.00 │"), "{text}");
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let eur = "EUR".parse().expect("EUR is a currency");
        assert_eq!(digits("12.5".parse().expect("an amount"), eur), "12.50");
    }
}
