//! The ledger's half of opening and closing. Promise: each event is followed once; one that comes
//! late changes nothing; one that comes before its account waits.

use shared_events::{
    AccountId,
    ledger::LedgerAccountEvent,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
};
use tracing::{debug, info};

use super::outbound::{announce, done};
use crate::accounts::{Book, Reaction, followed_by, repo, save::save_in_tx};

/// Handles `accounts.events`.
pub(crate) struct LedgerEvents;

impl Handler for LedgerEvents {
    type Message = LedgerAccountEvent;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerAccountEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let ids: Vec<AccountId> = batch.iter().map(|it| followed_by(it.message())).collect();
        let mut book = Book::new(repo::lock_accounts_in_tx(tx, &ids).await?, vec![]);
        let follow = |received: &Received<_>| book.follow(received.message());
        let reactions: Vec<Reaction> = batch.iter().map(follow).collect();
        save_in_tx(tx, &book).await?;
        Ok(batch.iter().zip(&reactions).map(|(it, reaction)| conclude(it, reaction)).collect())
    }
}

fn conclude(received: &Received<LedgerAccountEvent>, reaction: &Reaction) -> Outcome {
    let (id, kind) = (followed_by(received.message()), &received.envelope.kind);
    match reaction {
        Reaction::Changed(changed) => {
            info!(account.id = %id, account.version = changed.account.version,
                "{}", done(&changed.change));
            announce(changed)
        }
        Reaction::Ignored => {
            debug!(account.id = %id, kind, "the account has moved on; ignored an event");
            Outcome::silent()
        }
        Reaction::Unknown => Outcome::Later { why: format!("account {id} is not known here yet") },
    }
}
