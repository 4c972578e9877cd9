//! `teller audit verify`, `export` and `witness`.

mod witness;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use shared_events::ledger::ChainEnd;
use teller_audit::{
    self as audit, Anchors, Difference, ExportError, Exported, KeyFile, Verdict, Verified,
    WitnessKeys,
};

use crate::{
    failure::{Exit, Failure},
    output::{Column, Text, card, note, sum_digits, table},
    progress::Bar,
    session::Session,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Recompute the journal's chains, all balances, holds and reversals; ends with 4 and names the
    /// first row that differs
    Verify(Verify),
    /// Write the journal with its hashes as JSON Lines
    Export(Export),
    /// Hear the signed ends of the chains and keep them in a file, outside the bank; ends with 4 at
    /// the first that contradicts an earlier one or is not signed by its service
    Witness(witness::Command),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Verify this export with nothing but the file, instead of the bank
    #[arg(long)]
    file: Option<PathBuf>,
    /// An export, the output of `audit verify --json`, or the file of `audit witness`, from a place
    /// that nobody with access to the books can write to: all records that it has seen must still
    /// be there, unchanged. May be given several times
    #[arg(long, value_name = "FILE")]
    expect: Vec<PathBuf>,
    /// A file with the public keys (PEM) of a service, which have signed what the witness's file
    /// has: ledger=FILE, accounts=FILE. May be given several times
    #[arg(long = "key", value_name = "SERVICE=FILE", requires = "expect")]
    keys: Vec<KeyFile>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file; an earlier export is continued. Standard output if not given
    file: Option<PathBuf>,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Verify(command) => command.run(session).await,
            Self::Export(command) => command.run(session).await,
            Self::Witness(command) => command.run(session).await,
        }
    }
}

impl Verify {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let anchors = self.anchors()?;
        if self.file.is_some() && !anchors.history.is_empty() {
            note(
                "an export has no history of accounts and grants: the ends of that history are not \
                  looked for. Without --file they are",
            );
        }
        let bar = Bar::new();
        let progress = |done, total| bar.at("records", done, total);
        let verdict = match &self.file {
            Some(file) => audit::verify(file, &anchors, progress).await?,
            None => audit::verify_books(&session.patient_bank().await?, &anchors, progress).await?,
        };
        drop(bar);
        if let Verdict::Verified(Verified { beyond: beyond @ 1.., .. }) = &verdict {
            let of = anchors.ends.len();
            note(&format!(
                "{beyond} of {of} expected ends of the journal's chains are beyond the end of the \
                 export, and are not looked for. Without --file they are"
            ));
        }
        session.out.show(&verdict, || match &verdict {
            Verdict::Verified(verified) => describe(verified),
            Verdict::Different(difference) => name(difference),
        })?;
        match verdict {
            Verdict::Verified(_) => Ok(()),
            Verdict::Different(_) => Err(Failure::Shown(Exit::NotVerified)),
        }
    }

    /// The ends of all files that are expected.
    fn anchors(&self) -> Result<Anchors, Failure> {
        let keys = WitnessKeys::new(self.keys.clone());
        let mut anchors = Anchors::default();
        for file in &self.expect {
            let (found, skipped) = audit::anchors(file, &keys)?;
            anchors.extend(found);
            if let Some(first) = &skipped.first {
                note(&format!(
                    "warning: {} has {} lines that are no statement of a service, and count for \
                     nothing. The first: {first}",
                    file.display(),
                    skipped.lines
                ));
            }
        }
        Ok(anchors)
    }
}

fn describe(verified: &Verified) -> Text {
    let changes = verified.history.as_ref().map(|end| end.place.to_string()).unwrap_or_default();
    let erased = match verified.erased {
        0 => String::new(),
        count => count.to_string(),
    };
    let counts = card(&[
        ("records", verified.records.to_string()),
        ("texts erased", erased),
        ("entries", verified.entries.to_string()),
        ("accounts", verified.accounts.to_string()),
        ("holds", verified.holds.to_string()),
        ("reversed transfers", verified.reversals.to_string()),
        ("changes of accounts and grants", changes),
    ]);
    let columns = [Column::Left("currency"), Column::Right("debits"), Column::Right("credits")];
    let sums = verified.turnover.iter().map(|turnover| {
        let money = |sum| sum_digits(sum, turnover.currency);
        vec![turnover.currency.to_string(), money(turnover.debits), money(turnover.credits)]
    });
    let (sums, ends) = (table(&columns, sums), ends(&verified.ends));
    Text::line("the books verify").then(&counts).then(&sums).then(&ends)
}

fn ends(ends: &[ChainEnd]) -> Text {
    let columns =
        [Column::Right("chain"), Column::Right("records"), Column::Left("hash at its end")];
    let row =
        |end: &ChainEnd| vec![end.chain.to_string(), end.place.to_string(), end.hash.to_string()];
    table(&columns, ends.iter().map(row))
}

fn name(difference: &Difference) -> Text {
    let heading = Text::line("the books do not verify. The first row that differs:");
    let fields = card(&[
        ("row", difference.row.to_string()),
        ("column", difference.column.to_owned()),
        ("expected", difference.expected.clone()),
        ("found", difference.found.clone()),
    ]);
    heading.then(&fields)
}

impl Export {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let bank = session.patient_bank().await?;
        let bar = Bar::new();
        let progress = |done, total| bar.at("records", done, total);
        let Some(file) = self.file else {
            let mut out = session.out.stream();
            audit::export_journal(&bank, &mut out, &BTreeMap::new(), progress).await?;
            return Ok(());
        };
        let exported = audit::export_journal_to(&bank, &file, progress).await?;
        drop(bar);
        session.out.show(&exported, || describe_export(&exported))?;
        Ok(())
    }
}

fn describe_export(exported: &Exported) -> Text {
    let before = if exported.before == 0 { String::new() } else { exported.before.to_string() };
    let counts = card(&[("records", exported.records.to_string()), ("there before", before)]);
    counts.then(&ends(&exported.ends))
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Teller(error) => error.into(),
            ExportError::Output(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erased_texts_are_shown_where_there_are_any() {
        let of = |erased| Verified {
            records: 7,
            entries: 0,
            accounts: 0,
            holds: 0,
            reversals: 0,
            turnover: vec![],
            ends: vec![],
            history: None,
            erased,
            beyond: 0,
        };
        let shown = |erased| format!("{:?}", describe(&of(erased)));
        assert!(!shown(0).contains("texts erased"), "{}", shown(0));
        assert!(shown(2).contains("texts erased                    2"), "{}", shown(2));
    }
}
