//! `teller access ...`

use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    MessageId,
    accounts::{
        AccessChanged, AccessListed, ApprovalBounds, Grant, GrantApproval, GrantBranches,
        GrantCeilings, PrincipalGrants, SetAccess,
    },
};
use teller_client::input;

use crate::{
    access_log::Log,
    failure::Failure,
    output::{Cell, Column, Text, card, table},
    session::{SendId, Session},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// List all principals with their grants
    List,
    /// Give a principal exactly these grants, instead of those that it has
    Set(Set),
    /// List who has asked which service for what (auditors)
    Log(Log),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The principal: a user of the broker (`teller client list`)
    principal: String,
    /// A role, and its bounds: clerk,branch=prague,ceiling='1000 EUR',approval-above='100 EUR'.
    /// Without any, the principal may do nothing. `approval=COMMAND` names a command that another
    /// principal has to approve, `approval=debits` says so of every debit
    #[arg(
        long = "grant",
        value_name = "ROLE[,branch=NAME][,ceiling='AMOUNT CURRENCY'][,approval=COMMAND|debits]\
                      [,approval-above='AMOUNT CURRENCY']"
    )]
    grants: Vec<String>,
    #[command(flatten)]
    id: SendId,
}

/// The change that a command made.
#[derive(Serialize)]
struct Changed {
    id: MessageId,
    #[serde(flatten)]
    changed: AccessChanged,
}

impl Access {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List => list(session).await,
            Self::Set(command) => command.run(session).await,
            Self::Log(command) => command.run(session).await,
        }
    }
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (principal, grants) = (self.principal.clone(), input::grants(&self.grants)?);
        let bank = session.bank().await?;
        let id = session.id(&self.id);
        let changed = bank.set_access(id, SetAccess { principal, grants }).await?;
        let changed = Changed { id, changed };
        let text = || {
            let AccessChanged { principal, before, grants, .. } = &changed.changed;
            card(&[
                ("principal", principal.clone()),
                ("before", shown(before)),
                ("now", shown(grants)),
            ])
        };
        session.out.show(&changed, text)?;
        Ok(())
    }
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let listed = session.bank().await?.access().await?;
    session.out.show(&listed, || describe(&listed))?;
    Ok(())
}

fn describe(listed: &AccessListed) -> Text {
    let columns = [
        Column::Left("principal"),
        Column::Left("role"),
        Column::Left("branches"),
        Column::Left("ceilings"),
        Column::Left("approval"),
    ];
    let rows = listed.principals.iter().flat_map(rows_of);
    table(&columns, rows)
}

fn rows_of(of: &PrincipalGrants) -> impl Iterator<Item = Vec<Cell>> {
    of.grants.iter().map(|grant| {
        let [branches, ceilings, approval] = bounds(grant);
        let cells = [of.principal.clone(), grant.role.to_string(), branches, ceilings, approval];
        cells.into_iter().map(Cell::from).collect()
    })
}

/// The branches and the ceilings of a grant, and what another principal has to approve.
fn bounds(grant: &Grant) -> [String; 3] {
    let branches = match &grant.branches {
        GrantBranches::All {} => "all".to_owned(),
        GrantBranches::Only(names) => names.join(", "),
    };
    let approval = match &grant.approval {
        GrantApproval::None {} => "none".to_owned(),
        GrantApproval::Needed(ApprovalBounds { commands, ceilings }) => {
            let debits = match ceilings {
                GrantCeilings::None {} => None,
                GrantCeilings::UpTo(all) if all.is_empty() => Some("debits".to_owned()),
                GrantCeilings::UpTo(_) => Some(format!("debits above {}", amounts(ceilings))),
            };
            commands.iter().cloned().chain(debits).collect::<Vec<_>>().join(", ")
        }
    };
    [branches, amounts(&grant.ceilings), approval]
}

fn amounts(ceilings: &GrantCeilings) -> String {
    match ceilings {
        GrantCeilings::None {} => "none".to_owned(),
        GrantCeilings::UpTo(all) => {
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    }
}

fn shown(grants: &[Grant]) -> String {
    let one = |grant: &Grant| {
        let [branches, ceilings, approval] = bounds(grant);
        format!("{} (branches: {branches}; ceilings: {ceilings}; approval: {approval})", grant.role)
    };
    match grants {
        [] => "nothing".to_owned(),
        grants => grants.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
