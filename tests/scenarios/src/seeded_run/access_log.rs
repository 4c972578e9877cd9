//! Queries about the access logs. Their entries differ between two runs, so these find none.

use anyhow::Result;
use shared_events::{
    access_log::ListAccessLog,
    owned::{Accounts, Ledger, Notifications, Of},
};

use super::session::Session;

/// Asks each service what a stranger has asked for.
pub(super) async fn ask_all(session: &mut Session) -> Result<()> {
    session.transcript.chapter("access log");
    let of_stranger =
        || ListAccessLog { principal: Some("stranger".to_owned()), ..ListAccessLog::default() };
    session.ask(Of::<Accounts, _>::new(of_stranger())).await?;
    session.ask(Of::<Ledger, _>::new(of_stranger())).await?;
    session.ask(Of::<Notifications, _>::new(of_stranger())).await
}
