//! `teller pay`.

use std::path::PathBuf;

use clap::Args;
use teller_client::in_order::BATCH_TRANSFERS;
use teller_files::payments::{self, FileId, Paid};

use crate::{
    failure::{Exit, Failure},
    output::{Column, Text, card, table},
    progress::Bar,
    session::{SendId, Session},
};

const COLUMNS_HELP: &str = "\
The first line names the columns, in any order:
  debtor, creditor    account id, IBAN, ref:<external reference> or code:<CODE>
  amount, currency    such as 12.50 and EUR
  reference           the remittance information, at most 140 characters (may be left out)
  end_to_end_id       the debtor's own id, at most 35 characters (may be left out)
  booking_date        YYYY-MM-DD (may be left out)
Commas, semicolons or tabs between fields, decimal commas, dates and encodings of spreadsheets are
read where they have one meaning only.
Every row is sent for itself: a bad row is listed with line, field and rule, and stops no other.
A payment's id follows from --id and from the payment's content: the same file may be sent again
with the same --id, corrected, sorted or with rows added, and no payment is posted twice. Where a
row was changed after its payment, nothing is sent, and the differences are listed.";

#[derive(Debug, Args)]
#[command(after_help = COLUMNS_HELP)]
pub(crate) struct Pay {
    /// The file
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// The number of payments in one command, 1 to 1000
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = BATCH_TRANSFERS as u16,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    batch: u16,
    /// The encoding of the file, such as windows-1252 [default: UTF-8 or UTF-16, else windows-1250]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    #[command(flatten)]
    id: SendId,
}

impl Pay {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let file = payments::parse(&teller_files::file(&self.file)?, self.encoding.as_deref())?;
        let bank = session.bank().await?;
        let id = match self.id.given() {
            Some(id) => FileId::Given(session.announce(id)),
            None => FileId::New(session.id(&self.id)),
        };
        let bar = Bar::new();
        let each = |done, total| bar.at("payments", done, total);
        let paid = payments::pay(&bank, id, file, usize::from(self.batch), each).await?;
        drop(bar);
        session.out.show(&paid, || describe(&paid))?;
        match (paid.rejected, paid.bad_rows.len()) {
            (0, 0) => Ok(()),
            (0, _) => Err(Failure::Shown(Exit::WrongInput)),
            (_, _) => Err(Failure::Shown(Exit::Refused)),
        }
    }
}

fn describe(paid: &Paid) -> Text {
    let mut text = card(&[
        (
            "read as",
            if paid.encoding == "UTF-8" { String::new() } else { paid.encoding.to_owned() },
        ),
        ("rows", paid.rows.to_string()),
        ("posted", paid.posted.to_string()),
        ("rejected", paid.rejected.to_string()),
        ("bad rows", paid.bad_rows.len().to_string()),
    ]);
    if !paid.rejections.is_empty() {
        let columns =
            [Column::Right("line"), Column::Left("rejected because"), Column::Left("transfer")];
        let rows = paid.rejections.iter().map(|rejection| {
            vec![
                rejection.line.to_string(),
                rejection.reason.to_string(),
                rejection.transfer_id.to_string(),
            ]
        });
        text = text.then(&table(&columns, rows));
    }
    if !paid.bad_rows.is_empty() {
        let columns = [Column::Right("line"), Column::Left("field"), Column::Left("rule")];
        let rows = paid
            .bad_rows
            .iter()
            .map(|bad| vec![bad.line.to_string(), bad.field.clone(), bad.rule.clone()]);
        text = text.then(&table(&columns, rows));
    }
    text
}
