//! `teller approvals ...`: commands that need the approval of another principal.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use shared_events::{
    CommandId,
    approvals::{Approval, ApprovalState, CoveredDebit, DeclineCommand, NeededApproval},
    code::Open,
};
use teller_client::{OwningService, Teller, TellerError, input::InvalidInput};

use crate::{
    failure::Failure,
    output::{Column, Text, card, or_empty, table},
    session::{SendId, Session},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the commands that wait for an approval: your own, and those that you may approve
    List(List),
    /// Show one command with its content
    Show(Show),
    /// Approve a command of another principal, which is then carried out
    Approve(Decide),
    /// Refuse the approval of a command, or withdraw your own
    Decline(Decline),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The service alone: accounts, ledger or notifications
    #[arg(long)]
    service: Option<String>,
    /// Those that do not wait any more, too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The id of the command
    #[arg(value_name = "COMMAND_ID")]
    command: CommandId,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The id of the command
    #[arg(value_name = "COMMAND_ID")]
    command: CommandId,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Decline {
    #[command(flatten)]
    decide: Decide,
    /// The reason, for the author of the command
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
struct Of {
    /// The service of the command; all are asked if none is named
    #[arg(long)]
    service: Option<String>,
}

impl Of {
    /// The service that has set the command aside.
    async fn owner(&self, bank: &Teller, command: CommandId) -> Result<OwningService, TellerError> {
        if let Some(name) = &self.service {
            return Ok(OwningService::named(name)?);
        }
        for of in OwningService::ALL {
            match bank.approval(of, command).await {
                Ok(_) => return Ok(of),
                Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => {}
                Err(error) => return Err(error),
            }
        }
        let rule = format!("no service has set {command} aside");
        Err(InvalidInput::new("command_id", rule).into())
    }
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List(options) => {
                let services = match &options.service {
                    Some(name) => vec![OwningService::named(name)?],
                    None => OwningService::ALL.to_vec(),
                };
                let state = (!options.all).then_some(ApprovalState::Waiting);
                let (bank, mut found) = (session.bank().await?, Vec::new());
                for of in services {
                    found.extend(bank.list_approvals(of, state).await?);
                }
                session.out.show(&found, || list(&found))?;
            }
            Self::Show(options) => {
                let bank = session.bank().await?;
                let of = options.of.owner(&bank, options.command).await?;
                let found = bank.approval(of, options.command).await?;
                let shown = Shown { approval: &found.approval, data: found.data.as_ref() };
                session.out.show(&shown, || describe(&shown))?;
            }
            Self::Approve(options) => {
                let bank = session.bank().await?;
                let of = options.of.owner(&bank, options.command).await?;
                let id = session.id(&options.id);
                let approval = bank.approve(of, id, options.command).await?;
                session.out.show(&approval, || card(&fields(&approval)))?;
            }
            Self::Decline(Decline { decide, reason }) => {
                let bank = session.bank().await?;
                let of = decide.of.owner(&bank, decide.command).await?;
                let command = DeclineCommand { command_id: decide.command, reason };
                let approval = bank.decline(of, session.id(&decide.id), command).await?;
                session.out.show(&approval, || card(&fields(&approval)))?;
            }
        }
        Ok(())
    }
}

/// A command with its content.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    approval: &'a Approval,
    data: Option<&'a Value>,
}

fn list(found: &[Approval]) -> Text {
    let columns = ["command", "type", "principal", "needs", "state", "until"];
    let row = |approval: &Approval| {
        vec![
            approval.command_id.to_string(),
            approval.command_type.clone(),
            approval.principal.clone(),
            needs(&approval.needs),
            approval.state.to_string(),
            approval.deadline.to_rfc3339(),
        ]
    };
    table(&columns.map(Column::Left), found.iter().map(row))
}

fn describe(shown: &Shown<'_>) -> Text {
    let card = card(&fields(shown.approval));
    match shown.data {
        Some(data) => card.then(&Text::lines(&format!("{data:#}"))),
        None => card,
    }
}

fn fields(approval: &Approval) -> [(&'static str, String); 10] {
    let approval = approval.clone();
    [
        ("command", approval.command_id.to_string()),
        ("type", approval.command_type),
        ("principal", approval.principal),
        ("actor", or_empty(approval.actor.as_ref())),
        ("needs", needs(&approval.needs)),
        ("requested at", approval.requested_at.to_rfc3339()),
        ("until", approval.deadline.to_rfc3339()),
        ("state", approval.state.to_string()),
        ("by", or_empty(approval.decided_by.as_ref())),
        ("reason", or_empty(approval.reason.as_ref())),
    ]
}

/// The parts of a command that need an approval: `4000.00 EUR, of the bank itself (clerk)`.
fn needs(needs: &[NeededApproval]) -> String {
    let one = |needed: &NeededApproval| {
        let act = match &needed.debit {
            CoveredDebit::None {} => String::new(),
            CoveredDebit::UpTo(money) => format!("{money}, "),
            CoveredDebit::Any {} => "any amount, ".to_owned(),
        };
        let of = match &needed.branch {
            Some(branch) => format!("branch {branch}"),
            None => "of the bank itself".to_owned(),
        };
        let roles: Vec<&str> = needed.roles.iter().map(Open::as_str).collect();
        format!("{act}{of} ({})", roles.join(" or "))
    };
    needs.iter().map(one).collect::<Vec<_>>().join("; ")
}
