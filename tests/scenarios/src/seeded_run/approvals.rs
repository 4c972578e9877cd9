//! Queries and commands about approvals, of which nobody has asked for one.

use anyhow::Result;
use shared_events::{
    CommandId,
    approvals::{ApproveCommand, DeclineCommand, GetApproval, ListApprovals},
    owned::{Accounts, Ledger, Notifications, Of, Owner},
};

use super::session::Session;

/// Sends each message to each service.
pub(super) async fn ask_all(session: &mut Session) -> Result<()> {
    session.transcript.chapter("approvals");
    ask::<Accounts>(session).await?;
    ask::<Ledger>(session).await?;
    ask::<Notifications>(session).await
}

async fn ask<S: Owner>(session: &mut Session) -> Result<()> {
    let command_id: CommandId = "01a20299-4444-7d22-9a0b-2f5d1c7ea300".parse()?;
    session.ask(Of::<S, _>::new(ListApprovals::default())).await?;
    session.ask(Of::<S, _>::new(GetApproval { command_id })).await?;
    session.send(Of::<S, _>::new(ApproveCommand { command_id })).await?;
    let reason = "nobody asked".to_owned();
    session.send(Of::<S, _>::new(DeclineCommand { command_id, reason })).await
}
