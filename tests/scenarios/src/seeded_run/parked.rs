//! Queries and commands of operators about parked messages, of which the bank has none.

use anyhow::Result;
use serde_json::Map;
use shared_events::{
    owned::{Accounts, Ledger, Notifications, Of, Owner},
    parked::{ChosenParked, DropParked, EditParked, GetParked, ListParked, ReplayParked},
};

use super::session::Session;

/// Sends each message to each service.
pub(super) async fn ask_all(session: &mut Session) -> Result<()> {
    session.transcript.chapter("parked messages");
    ask::<Accounts>(session).await?;
    ask::<Ledger>(session).await?;
    ask::<Notifications>(session).await
}

async fn ask<S: Owner>(session: &mut Session) -> Result<()> {
    let (message, before) = ("fp-0000000000000000".to_owned(), None);
    let named = || ChosenParked::Named(vec![message.clone()]);
    session.ask(Of::<S, _>::new(ListParked::default())).await?;
    session.ask(Of::<S, _>::new(GetParked { message: message.clone() })).await?;
    let all = || ReplayParked { chosen: ChosenParked::All {}, before };
    let other = ReplayParked { chosen: named(), before };
    session.send_again(Of::<S, _>::new(all()), Of::new(other)).await?;
    session.send(Of::<S, _>::new(DropParked { chosen: named(), before })).await?;
    session.send(Of::<S, _>::new(EditParked { message, data: Map::new() })).await
}
