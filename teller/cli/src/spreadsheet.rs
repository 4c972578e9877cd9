//! CSV for spreadsheets. Promise: a cell is a text or an amount, and no text is a formula.

use shared_events::{Amount, Currency, text::csv_field};

use crate::output::digits;

/// The content of a cell.
#[derive(Clone, Debug)]
pub(crate) enum CsvCell {
    /// Any text, also the program's own.
    Text(String),
    /// A number, which stays one: the only content that may begin with a sign.
    Amount(Amount, Currency),
}

/// A sheet with a header and rows of as many cells.
pub(crate) struct Spreadsheet<const COLUMNS: usize>(csv::Writer<Vec<u8>>);

impl CsvCell {
    pub(crate) fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    fn written(&self) -> String {
        match self {
            Self::Text(text) => csv_field(text),
            Self::Amount(amount, currency) => digits(*amount, *currency),
        }
    }
}

impl<const COLUMNS: usize> Spreadsheet<COLUMNS> {
    pub(crate) fn new(header: [&'static str; COLUMNS]) -> Self {
        let mut sheet = Self(csv::Writer::from_writer(Vec::new()));
        sheet.row(&header.map(CsvCell::text));
        sheet
    }

    pub(crate) fn row(&mut self, cells: &[CsvCell; COLUMNS]) {
        let written = self.0.write_record(cells.iter().map(CsvCell::written));
        written.expect("memory takes rows of one length");
    }

    /// The whole sheet.
    pub(crate) fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes all that is written");
        String::from_utf8(bytes).expect("texts are UTF-8, and so is what is made of them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_formulas_and_amounts_stay_numbers() {
        let eur: Currency = "EUR".parse().expect("a currency");
        let amount = |text: &str| CsvCell::Amount(text.parse().expect("an amount"), eur);
        let mut sheet = Spreadsheet::new(["reference", "amount"]);
        for (text, number) in [
            ("=HYPERLINK(\"http://evil.example\",\"statement\")", "-7.5"),
            ("\t@SUM(A1:A9)", "0"),
            ("\r\n-2+3", "12"),
            ("+1", "1"),
            ("x\",=1+1,\"", "-0.01"),
            ("a\u{202e}b\u{1b}[2J", "3"),
            ("Rent, \"November\"", "4"),
        ] {
            sheet.row(&[CsvCell::text(text), amount(number)]);
        }
        assert_eq!(
            sheet.finish(),
            "reference,amount\n\
             \"'=HYPERLINK(\"\"http://evil.example\"\",\"\"statement\"\")\",-7.50\n \
             '@SUM(A1:A9),0.00\n  \
             '-2+3,12.00\n\
             '+1,1.00\n\
             \"x\"\",'=1+1,\"\"\",-0.01\n\
             a\u{fffd}b\u{fffd}[2J,3.00\n\
             \"Rent, \"\"November\"\"\",4.00\n"
        );
    }
}
