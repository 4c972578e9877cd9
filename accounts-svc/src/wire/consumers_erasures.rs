//! The consumer of `accounts.erasures`. Promise: an erasure that all services have carried out is
//! announced once.

use shared_events::{
    accounts::HolderErasureCompleted,
    ledger::TextsErased,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
    notifications::RecipientErased,
};
use tracing::info;

use crate::erasures::{self, Completed, Part, PartErased};

shared_events::message_set! {
    /// The events on `accounts.erasures`.
    pub(crate) enum ErasureEvent {
        Texts(TextsErased),
        Recipient(RecipientErased),
    }
}

/// Consumes `accounts.erasures`.
pub(crate) struct ErasureEvents;

impl Handler for ErasureEvents {
    type Message = ErasureEvent;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<ErasureEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let parts: Vec<PartErased> = batch.iter().map(|event| part(event.message())).collect();
        let completed = erasures::follow_in_tx(tx, &parts).await?;
        Ok(completed.into_iter().map(announced).collect())
    }
}

const fn part(event: &ErasureEvent) -> PartErased {
    match event {
        ErasureEvent::Texts(TextsErased { account_id, .. }) => {
            PartErased { account_id: *account_id, part: Part::Ledger }
        }
        ErasureEvent::Recipient(RecipientErased { account_id, .. }) => {
            PartErased { account_id: *account_id, part: Part::Notifications }
        }
    }
}

fn announced(completed: Option<Completed>) -> Outcome {
    let Some(Completed { account_id, erased_at, completed_at }) = completed else {
        return Outcome::silent();
    };
    info!(account.id = %account_id, "the holder's data are erased in all services");
    Outcome::announce(&HolderErasureCompleted { account_id, erased_at, completed_at })
}

#[cfg(test)]
mod tests {
    use shared_events::{message::MessageSet, topology::ACCOUNTS_ERASURES};

    use super::*;

    #[test]
    fn the_set_has_the_types_that_its_queue_carries() {
        assert_eq!(ErasureEvent::TYPES, ACCOUNTS_ERASURES.types);
    }
}
