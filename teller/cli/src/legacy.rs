//! `teller legacy ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use teller_client::input::{self, InvalidInput};
use teller_files::Rejection;
use teller_legacy::{
    self as legacy, BadRow, Imported, LoadedOrders, Mismatch, Progress, Reconciled, Tally,
};

use crate::{
    failure::{Exit, Failure},
    output::{Column, Text, card, table},
    progress::Bar,
    session::Session,
};

/// People are shown so many rejected rows; `--json` lists all.
const REJECTIONS_SHOWN_MAX: usize = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open the accounts of an export and post its transactions; may be stopped and started again
    Import(Import),
    /// Compare the ledger with the balances that the legacy bank printed; ends with 0 when it ran
    Reconcile(Reconcile),
    /// Set the standing orders of an export, which pay from a day to come on
    Orders(Orders),
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The folder with account.asc, client.asc, disp.asc and trans.asc
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The folder with account.asc, client.asc, disp.asc and trans.asc
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Orders {
    /// The folder with account.asc, client.asc, disp.asc and order.asc; its accounts must be open
    folder: PathBuf,
    /// The first day on which they pay, after today; then each month on the same day
    #[arg(long, value_name = "YYYY-MM-DD")]
    first: String,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Import(command) => command.run(session).await,
            Self::Reconcile(command) => command.run(session).await,
            Self::Orders(command) => command.run(session).await,
        }
    }
}

impl Import {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let export = legacy::read(&self.folder)?;
        let bank = session.patient_bank().await?;
        let bar = Bar::new();
        let progress = |progress| match progress {
            Progress::Accounts { done, total } => bar.at("accounts", done, total),
            Progress::Rows { done, total } => bar.at("rows", done, total),
        };
        let imported = legacy::import(&bank, &export, progress).await?;
        drop(bar);
        session.out.show(&imported, || describe_import(&imported))?;
        match (imported.rejected, imported.bad_rows.len()) {
            (0, 0) => Ok(()),
            (0, _) => Err(Failure::Shown(Exit::WrongInput)),
            (_, _) => Err(Failure::Shown(Exit::Refused)),
        }
    }
}

fn describe_import(imported: &Imported) -> Text {
    let accounts = &imported.accounts;
    let mut text = card(&[
        ("accounts opened", accounts.opened.to_string()),
        ("accounts already there", accounts.already_there.to_string()),
        ("  with a raised limit", or_nothing(accounts.raised)),
        ("accounts that cannot be used", or_nothing(accounts.unusable)),
        ("rows", imported.rows.to_string()),
        ("posted", imported.posted.to_string()),
        ("rejected", imported.rejected.to_string()),
        ("not sent", or_nothing(imported.not_sent)),
        ("bad rows", imported.bad_rows.len().to_string()),
        ("seconds", format!("{:.1}", imported.seconds)),
        ("rows/s", format!("{:.0}", imported.rows_per_second)),
    ]);
    if imported.rejected > 0 {
        let columns = [Column::Left("rejected because"), Column::Right("rows")];
        let counts = imported.rejected_by_reason.iter();
        let rows = counts.map(|(reason, count)| vec![reason.to_owned(), count.to_string()]);
        text = text.then(&table(&columns, rows)).then(&rejections(&imported.rejections));
    }
    with_bad_rows(text, &imported.bad_rows)
}

fn or_nothing(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn rejections(rejections: &[Rejection]) -> Text {
    let columns =
        [Column::Right("line"), Column::Left("rejected because"), Column::Left("transfer")];
    let shown = rejections.iter().take(REJECTIONS_SHOWN_MAX);
    let rows = shown.map(|rejection| {
        vec![
            rejection.line.to_string(),
            rejection.reason.to_string(),
            rejection.transfer_id.to_string(),
        ]
    });
    let text = table(&columns, rows);
    match rejections.len().saturating_sub(REJECTIONS_SHOWN_MAX) {
        0 => text,
        more => text.then(&Text::line(&format!("and {more} more, which --json lists"))),
    }
}

fn with_bad_rows(text: Text, bad_rows: &[BadRow]) -> Text {
    if bad_rows.is_empty() {
        return text;
    }
    let columns = [
        Column::Left("file"),
        Column::Right("line"),
        Column::Left("field"),
        Column::Left("what is wrong"),
    ];
    let row = |bad: &BadRow| {
        vec![bad.file.to_owned(), bad.line.to_string(), bad.field.clone(), bad.rule.clone()]
    };
    text.then(&table(&columns, bad_rows.iter().map(row)))
}

impl Reconcile {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let export = legacy::read(&self.folder)?;
        let total = export.accounts.len();
        let bank = session.patient_bank().await?;
        let bar = Bar::new();
        let each = |done| bar.at("accounts", done, total);
        let reconciled = legacy::reconcile(&bank, &export, each).await?;
        drop(bar);
        session.out.show(&reconciled, || describe_comparison(&reconciled))?;
        Ok(())
    }
}

impl Orders {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let first = input::date("first", &self.first)?;
        let orders = legacy::read_orders(&self.folder)?;
        let total = orders.orders.len();
        let bank = session.patient_bank().await?;
        // Orders that pay at once would do so into books that are still being compared.
        if first <= bank.today().await? {
            return Err(InvalidInput::new("first", "must be after today").into());
        }
        let bar = Bar::new();
        let each = |done| bar.at("orders", done, total);
        let loaded = legacy::load_orders(&bank, orders, first, each).await?;
        drop(bar);
        session.out.show(&loaded, || describe_orders(&loaded))?;
        match (loaded.refused, loaded.bad_rows.len()) {
            (0, 0) => Ok(()),
            (0, _) => Err(Failure::Shown(Exit::WrongInput)),
            (_, _) => Err(Failure::Shown(Exit::Refused)),
        }
    }
}

fn describe_orders(loaded: &LoadedOrders) -> Text {
    let text = card(&[
        ("rows", loaded.rows.to_string()),
        ("orders set", loaded.set.to_string()),
        ("refused", or_nothing(loaded.refused)),
        ("bad rows", loaded.bad_rows.len().to_string()),
    ]);
    with_bad_rows(text, &loaded.bad_rows)
}

fn describe_comparison(reconciled: &Reconciled) -> Text {
    let columns = [
        Column::Left(""),
        Column::Right("exact"),
        Column::Right("rounding (up to 1.00)"),
        Column::Right("mismatch"),
    ];
    let row = |name: &str, tally: Tally| {
        let counts = [tally.exact, tally.rounding, tally.mismatch].map(|count| count.to_string());
        [vec![name.to_owned()], counts.to_vec()].concat()
    };
    let rows = [
        row("account-days", reconciled.account_days),
        row("accounts, by their worst day", reconciled.accounts),
    ];
    let sums = card(&[
        ("rows", reconciled.rows.to_string()),
        ("posted", reconciled.posted.to_string()),
        ("rejected", reconciled.rejected.to_string()),
        ("not sent", or_nothing(reconciled.not_sent)),
        ("sum of the closing balances", format!("{:.2}", reconciled.closing_sum)),
    ]);
    let mut text = table(&columns, rows).then(&sums);
    if !reconciled.mismatches.is_empty() {
        text = text.then(&mismatches(&reconciled.mismatches));
    }
    with_bad_rows(text, &reconciled.bad_rows)
}

fn mismatches(mismatches: &[Mismatch]) -> Text {
    let columns = [
        Column::Right("account"),
        Column::Left("day"),
        Column::Right("ledger"),
        Column::Right("nearest printed"),
        Column::Right("difference"),
    ];
    let row = |mismatch: &Mismatch| {
        let money = [mismatch.ledger, mismatch.printed, mismatch.difference]
            .map(|mismatch| format!("{mismatch:.2}"));
        [vec![mismatch.account.to_string(), mismatch.day.to_string()], money.to_vec()].concat()
    };
    table(&columns, mismatches.iter().map(row))
}
