//! `teller statement`: an account's entries on some days, with opening and closing balance, for
//! people, spreadsheets and programs.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use shared_events::{
    Amount,
    ledger::{Direction, StatementEntry, StatementFound, StatementPeriod},
};
use teller_camt053::Servicer;
use teller_client::input::{self, InvalidInput};

use crate::{
    books::Of,
    failure::Failure,
    output::{Column, Text, digits, or_empty, table},
    session::Session,
    spreadsheet::{CsvCell, Spreadsheet},
};

#[derive(Debug, Args)]
pub(crate) struct Statement {
    #[command(flatten)]
    of: Of,
    /// The first booking date to show
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// The last booking date to show
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// How to write it; `--json` is the same as `--format json`
    #[arg(long, value_enum, default_value_t = Format::Table, conflicts_with = "json")]
    format: Format,
    /// Show the author and the approver of each instruction
    #[arg(long)]
    authors: bool,
    /// The bank's name in a camt053
    #[arg(long, value_name = "NAME", env = "TELLER_BANK_NAME", default_value = "Bankwire")]
    bank_name: String,
    /// The bank's BIC (ISO 9362) in a camt053
    #[arg(long, value_name = "BIC", env = "TELLER_BIC")]
    bic: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// Comma-separated, with a header; the first and the last row are the balances
    Csv,
    /// The ledger's answer
    Json,
    /// ISO 20022 camt.053.001.08 (XML); needs both days
    Camt053,
}

impl Statement {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (name, currency) = self.of.checked()?;
        let from = self.from.as_deref().map(|day| input::date("from", day)).transpose()?;
        let to = self.to.as_deref().map(|day| input::date("to", day)).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(InvalidInput::new("to", "must not be before from").into());
        }
        let camt053 = match self.format {
            Format::Camt053 => Some((days(from, to)?, self.servicer()?)),
            Format::Table | Format::Csv | Format::Json => None,
        };
        let bank = session.bank().await?;
        let account = bank.resolve(&name).await?;
        let statement = bank.statement(account.clone(), currency, (from, to)).await?;
        let text = match (self.format, camt053) {
            (Format::Camt053, Some((days, servicer))) => {
                teller_camt053::document(&bank, &servicer, &account, days, &statement).await?
            }
            (Format::Csv, _) => csv(&statement),
            (Format::Json, _) => {
                session.out.json(&statement)?;
                return Ok(());
            }
            (Format::Table | Format::Camt053, _) => {
                session.out.show(&statement, || lines(&statement, self.authors))?;
                return Ok(());
            }
        };
        session.out.text(&Text::lines(text.trim_end()))?;
        Ok(())
    }
}

impl Statement {
    fn servicer(&self) -> Result<Servicer, InvalidInput> {
        let bic = self.bic.as_deref().map(input::bic).transpose()?;
        Ok(Servicer { name: input::bank_name(&self.bank_name)?, bic })
    }
}

/// A camt.053 states the days of its balances.
fn days(
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Result<(NaiveDate, NaiveDate), InvalidInput> {
    let needed = |field: &str| InvalidInput::new(field, "is needed for camt053");
    Ok((from.ok_or_else(|| needed("from"))?, to.ok_or_else(|| needed("to"))?))
}

fn signed(entry: &StatementEntry) -> Amount {
    match entry.direction {
        Direction::Debit => Amount(-entry.amount.decimal()),
        Direction::Credit => entry.amount,
    }
}

fn lines(statement: &StatementFound, authors: bool) -> Text {
    let columns = [
        Column::Left("booked on"),
        Column::Left("value date"),
        Column::Right("amount"),
        Column::Right("balance"),
        Column::Left("counterparty"),
        Column::Left("reference"),
        Column::Left("end-to-end id"),
        Column::Left("given by"),
    ];
    let columns = &columns[..columns.len() - usize::from(!authors)];
    let row = |entry: &StatementEntry| {
        let mut cells = vec![
            entry.booking_date.to_string(),
            or_empty(entry.value_date.as_ref()),
            digits(signed(entry), statement.currency),
            digits(entry.balance_after, statement.currency),
            entry.counterparty.to_string(),
            or_empty(entry.reference.as_ref()),
            or_empty(entry.end_to_end_id.as_ref()),
        ];
        if authors {
            cells.push(or_empty(entry.author.as_ref()));
        }
        cells
    };
    let title = format!("account {} in {}", statement.account_id, statement.currency);
    let entries = table(columns, statement.entries.iter().map(row));
    let title = Text::line(&title);
    let Some(period) = &statement.period else { return title.then(&entries) };
    let amount = |amount: Amount| digits(amount, statement.currency);
    let StatementPeriod { opening_balance, closing_balance, debits, credits, .. } = *period;
    let sums = format!(
        "{} debits {}, {} credits {}",
        period.debit_count,
        amount(debits),
        period.credit_count,
        amount(credits),
    );
    title
        .then(&Text::line(&format!("opening balance {}", amount(opening_balance))))
        .then(&entries)
        .then(&Text::line(&sums))
        .then(&Text::line(&format!("closing balance {}", amount(closing_balance))))
}

const COLUMNS: usize = 12;
const CSV_COLUMNS: [&str; COLUMNS] = [
    "row",
    "booking_date",
    "value_date",
    "posted_at",
    "amount",
    "currency",
    "balance",
    "counterparty",
    "reference",
    "end_to_end_id",
    "transfer_id",
    "version",
];

/// The balance before the first entry, or after the last one.
fn balance_row(statement: &StatementFound, row: &str, balance: Amount) -> [CsvCell; COLUMNS] {
    let mut cells = [const { CsvCell::Text(String::new()) }; COLUMNS];
    cells[0] = CsvCell::text(row);
    cells[5] = CsvCell::text(&statement.currency);
    cells[6] = CsvCell::Amount(balance, statement.currency);
    cells
}

fn csv(statement: &StatementFound) -> String {
    let mut sheet = Spreadsheet::new(CSV_COLUMNS);
    if let Some(period) = &statement.period {
        sheet.row(&balance_row(statement, "opening", period.opening_balance));
    }
    for entry in &statement.entries {
        sheet.row(&[
            CsvCell::text("entry"),
            CsvCell::text(&entry.booking_date),
            CsvCell::text(&entry.value_date.unwrap_or(entry.booking_date)),
            CsvCell::text(&entry.posted_at.to_rfc3339()),
            CsvCell::Amount(signed(entry), statement.currency),
            CsvCell::text(&statement.currency),
            CsvCell::Amount(entry.balance_after, statement.currency),
            CsvCell::text(&entry.counterparty),
            CsvCell::text(&or_empty(entry.reference.as_ref())),
            CsvCell::text(&or_empty(entry.end_to_end_id.as_ref())),
            CsvCell::text(&entry.transfer_id),
            CsvCell::text(&entry.version),
        ]);
    }
    if let Some(period) = &statement.period {
        sheet.row(&balance_row(statement, "closing", period.closing_balance));
    }
    sheet.finish()
}
