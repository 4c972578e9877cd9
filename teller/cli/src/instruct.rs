//! The common options of instructions, `teller instruct` and `teller instruction show`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    MessageId, TransferId,
    ledger::{Action, Instruction, InstructionFound, InstructionOutcome},
};
use teller_client::{
    Decided, Teller, TellerError,
    input::{self, InvalidInput},
};
use teller_files::instruction_list;
use uuid::Uuid;

use crate::{
    failure::{Exit, Failure},
    outcome::{describe, refusal, word},
    output::{Column, Text, card, digits, or_empty, table},
    session::{SendId, Session},
};

/// Options of everything that moves money.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// The remittance information
    #[arg(long)]
    reference: Option<String>,
    /// The debtor's own id of the payment
    #[arg(long, value_name = "ID")]
    end_to_end_id: Option<String>,
    /// The day to book it on [default: the day it is posted]
    #[arg(long, value_name = "YYYY-MM-DD")]
    booking_date: Option<String>,
    /// The day from which the money counts for interest [default: the booking date]
    #[arg(long, value_name = "YYYY-MM-DD")]
    value_date: Option<String>,
    #[command(flatten)]
    sending: Sending,
}

/// How it is sent.
#[derive(Debug, Args)]
pub(crate) struct Sending {
    /// Only show the outcome and the balances that would follow; nothing is stored
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) id: SendId,
}

impl Sending {
    /// The id of the command. The id of a dry run is not announced: nothing is stored under it.
    pub(crate) fn id(&self, session: &Session) -> MessageId {
        if self.dry_run { self.id.or_new() } else { session.id(&self.id) }
    }
}

impl Details {
    /// Checks the details before anything is sent: an instruction that lacks its id and action.
    pub(crate) fn checked(&self) -> Result<Checked, InvalidInput> {
        let day = |field: &str, day: &Option<String>| {
            day.as_deref().map(|day| input::date(field, day)).transpose()
        };
        Ok(Checked(Instruction {
            reference: input::checked(self.reference.as_deref(), input::reference)?,
            end_to_end_id: input::checked(self.end_to_end_id.as_deref(), input::end_to_end_id)?,
            booking_date: day("booking_date", &self.booking_date)?,
            value_date: day("value_date", &self.value_date)?,
            ..teller_client::instruction(MessageId(Uuid::nil()), NOTHING)
        }))
    }

    pub(crate) const fn sending(&self) -> &Sending {
        &self.sending
    }
}

/// The action of an instruction that has none yet.
const NOTHING: Action =
    Action::Release(shared_events::ledger::Release { hold_id: TransferId(Uuid::nil()) });

/// Details that are right.
#[derive(Debug)]
pub(crate) struct Checked(Instruction);

impl Checked {
    pub(crate) fn instruction(self, id: MessageId, action: Action) -> Instruction {
        Instruction { transfer_id: TransferId(id.0), action, ..self.0 }
    }
}

#[derive(Serialize)]
struct InstructionReport<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<MessageId>,
    dry_run: bool,
    #[serde(flatten)]
    decided: &'d Decided,
}

/// Carries one instruction out, or tries it out, and shows what came of it.
pub(crate) async fn carry_out(
    session: &mut Session,
    bank: &Teller,
    (id, dry_run): (MessageId, bool),
    instruction: Instruction,
) -> Result<(), Failure> {
    let all = vec![instruction];
    let decided = if dry_run { bank.preview(all).await? } else { bank.instruct(id, all).await? };
    for decided in &decided {
        let report = InstructionReport { id: (!dry_run).then_some(id), dry_run, decided };
        if let InstructionOutcome::Rejected(rejected) = &decided.outcome {
            if session.json() {
                session.out.show(&report, Text::default)?;
            }
            return Err(TellerError::from(refusal(decided.transfer_id, rejected)).into());
        }
        session.out.show(&report, || match dry_run {
            true => Text::line("dry run: nothing is stored").then(&describe(decided)),
            false => describe(decided),
        })?;
    }
    Ok(())
}

const FILE_HELP: &str = "\
The file is JSON: a list of instructions as `ledger.instructions.submit.v1` has them (its schema is
in shared-events/schemas), or an object with that list in `instructions`. An instruction without
`transfer_id` gets one from --id and from its content, so the same list may be sent again with the
same --id, also sorted or with instructions added or deleted, and no instruction is executed twice.
Where an instruction was changed after its execution, nothing is sent, and the differences are
listed. The instructions of one `group` (a number) are all executed, or none of them is.";

#[derive(Debug, Args)]
#[command(after_help = FILE_HELP)]
pub(crate) struct Instruct {
    /// The file
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Serialize)]
struct ListReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<MessageId>,
    dry_run: bool,
    instructions: Vec<Decided>,
}

impl Instruct {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let file = teller_files::file(&self.file)?;
        let bank = session.bank().await?;
        let id = self.sending.id(session);
        let dry_run = self.sending.dry_run;
        let mut listed = instruction_list::read(&file, id)?;
        if self.sending.id.given().is_some() {
            instruction_list::keep_what_was_instructed(&bank, id, &mut listed).await?;
        }
        let all = listed.into_iter().map(|listed| listed.instruction).collect();
        let instructions =
            if dry_run { bank.preview(all).await? } else { bank.instruct(id, all).await? };
        let report = ListReport { id: (!dry_run).then_some(id), dry_run, instructions };
        session.out.show(&report, || list(&report.instructions))?;
        let is_no = |decided: &Decided| matches!(decided.outcome, InstructionOutcome::Rejected(_));
        match report.instructions.iter().any(is_no) {
            true => Err(Failure::Shown(Exit::Refused)),
            false => Ok(()),
        }
    }
}

fn list(all: &[Decided]) -> Text {
    let columns = [Column::Right("place"), Column::Left("instruction"), Column::Left("outcome")];
    let row = |(place, decided): (usize, &Decided)| {
        vec![place.to_string(), decided.transfer_id.to_string(), word(&decided.outcome).to_owned()]
    };
    table(&columns, all.iter().enumerate().map(row))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Lookup {
    /// Show an instruction and its outcome
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id: the --id that it was sent with
    id: Uuid,
}

impl Lookup {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self::Show(command) = self;
        command.run(session).await
    }
}

impl Show {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let found = session.bank().await?.instruction(TransferId(self.id)).await?;
        session.out.show(&found, || describe_found(&found))?;
        Ok(())
    }
}

fn describe_found(found: &InstructionFound) -> Text {
    let record = &found.record;
    let transfer_id = record.instruction.transfer_id;
    let outcome = describe(&Decided { transfer_id, outcome: record.outcome.clone() });
    let currency = match &record.outcome {
        InstructionOutcome::Posted(posted) => posted.legs.first().map(|leg| leg.money.currency),
        InstructionOutcome::Held(held) => Some(held.money.currency),
        InstructionOutcome::Released(released) => Some(released.money.currency),
        InstructionOutcome::Rejected(_) => None,
    };
    let shown = |amount| match currency {
        Some(currency) => digits(amount, currency),
        None => amount.to_string(),
    };
    let hold = found.hold.as_ref();
    let rest = card(&[
        ("reference", or_empty(record.instruction.reference.as_ref())),
        ("end-to-end id", or_empty(record.instruction.end_to_end_id.as_ref())),
        ("booked on", record.booking_date.to_string()),
        ("value date", record.value_date.to_string()),
        ("decided at", record.decided_at.to_rfc3339()),
        ("given by", or_empty(record.author.as_ref())),
        ("hold is", hold.map(|hold| hold.status.to_string()).unwrap_or_default()),
        ("still held", hold.map(|hold| shown(hold.remaining)).unwrap_or_default()),
        ("reversed", found.reversed.map(shown).unwrap_or_default()),
    ]);
    outcome.then(&rest)
}
