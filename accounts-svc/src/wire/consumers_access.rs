//! The consumer of `accounts.grants`. Promise: every command is answered by one event; a change is
//! announced together with the grants of all principals after it.

use shared_events::{
    accounts::AccessReason,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
};

use super::{
    access::{AccessCommand, accepted, refused, rejected, request},
    history::of_command,
};
use crate::{
    access::{GrantChange, change_in_tx},
    history::Cause,
};

/// Consumes `accounts.grants`.
pub(crate) struct AccessCommands;

impl Handler for AccessCommands {
    type Message = AccessCommand;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<AccessCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let changes: Vec<GrantChange> =
            batch.iter().map(|received| request(received.message())).collect();
        let causes: Vec<Cause> = batch.iter().map(of_command).collect();
        let asked = changes.iter().zip(causes.iter().map(Some));
        let (results, current, now) = change_in_tx(tx, asked).await?;
        let conclude = |(received, result): (&Received<AccessCommand>, _)| match result {
            Ok(changed) => accepted(received, changed, &current, now),
            Err(refusal) => refused(received, &refusal),
        };
        Ok(batch.iter().zip(results).map(conclude).collect())
    }

    fn conflict(&self, received: &Received<AccessCommand>) -> Outcome {
        let rule = "the command's id was used before, with other content";
        rejected(received, AccessReason::IdempotencyConflict, None, rule.to_owned())
    }

    fn not_permitted(&self, received: &Received<AccessCommand>, why: &str) -> Outcome {
        rejected(received, AccessReason::NotPermitted, None, why.to_owned())
    }
}
