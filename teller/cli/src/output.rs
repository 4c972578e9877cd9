//! How results look: tables for people, JSON for programs.

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

/// A column's header, and where its cells stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Left(&'static str),
    Right(&'static str),
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, stdout: io::stdout() }
    }

    /// Prints a result: `value` for programs, or the text of `human` for people.
    pub(crate) fn show<T: Serialize>(
        &mut self,
        value: &T,
        human: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.json {
            true => self.json(&serde_json::to_string(value)?),
            false => self.line(&human()),
        }
    }

    /// Prints JSON. Text of strangers in it steers no terminal, and is exact to a program.
    pub(crate) fn json(&mut self, json: &str) -> io::Result<()> {
        self.print(&visible_json(json))
    }

    /// Prints text in lines. Text of strangers in it steers no terminal.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.print(&visible_lines(text))
    }

    /// Prints text as it is, at once: of ours only.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = self.stdout.lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }
}

/// Prints a line that is no result. The line is lost where standard error is closed.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible_lines(text));
}

/// A table with one row for each item.
pub(crate) fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
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
        table.add_row(row.iter().map(|cell| visible_lines(cell)));
    }
    table.to_string()
}

/// One thing: a name and a value on each line. Empty values are left out.
pub(crate) fn card(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> =
        lines.map(|(name, value)| format!("{name:<width$}  {}", visible(value))).collect();
    lines.join("\n")
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
        assert_eq!(card(&fields), "id      7\nstatus  ok");
    }

    #[test]
    fn strangers_text_steers_no_terminal() {
        let reference = "Rent\u{2028}\u{1b}[2J\u{202e}";
        let rows = [vec![reference.to_owned(), "two\nlines".to_owned()]];
        let text = table(&[Column::Left("reference"), Column::Left("legs")], rows);
        assert!(text.contains("│ Rent \u{fffd}[2J\u{fffd} ┆ two   │"), "{text}");
        assert!(text.contains("┆ lines │"), "{text}");
        assert_eq!(card(&[("id", "a\nb".to_owned())]), "id  a b");
    }

    #[test]
    fn numbers_stand_right() {
        let rows = [["1993-01-01", "7.00"], ["1993-01-02", "12.00"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let text = table(&[Column::Left("day"), Column::Right("amount")], rows);
        assert!(text.contains("│ 1993-01-01 ┆   7.00 │"), "{text}");
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let eur = "EUR".parse().expect("EUR is a currency");
        assert_eq!(digits("12.5".parse().expect("an amount"), eur), "12.50");
    }
}
