//! The consumer of `notifications.erasures`. Promise: a holder whose data were erased is announced
//! once.

use shared_events::{
    accounts::HolderErased,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
    notifications::RecipientErased,
};
use tracing::info;

use crate::erasure::{ErasedHolder, erase_in_tx};

shared_events::message_set! {
    /// The events on `notifications.erasures`.
    pub(crate) enum ErasureEvent {
        Holder(HolderErased),
    }
}

/// Consumes `notifications.erasures`.
pub(crate) struct ErasureEvents;

impl Handler for ErasureEvents {
    type Message = ErasureEvent;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<ErasureEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let erased: Vec<ErasedHolder> =
            batch.iter().map(|received| erased_holder(received.message())).collect();
        let mut deleted = erase_in_tx(tx, erased.iter().copied()).await?;
        let outcomes = erased.into_iter().map(|ErasedHolder { account_id, .. }| {
            // Of two events about one holder, the first has deleted the notifications.
            let notifications = deleted.remove(&account_id).unwrap_or_default();
            info!(account.id = %account_id, notifications, "erased the data of a holder");
            Outcome::announce(&RecipientErased { account_id, notifications })
        });
        Ok(outcomes.collect())
    }
}

const fn erased_holder(event: &ErasureEvent) -> ErasedHolder {
    match event {
        ErasureEvent::Holder(HolderErased { account_id, version }) => {
            ErasedHolder { account_id: *account_id, version: *version }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_events::{message::MessageSet, topology::NOTIFICATIONS_ERASURES};

    use super::*;

    #[test]
    fn the_set_has_the_types_that_its_queue_carries() {
        assert_eq!(ErasureEvent::TYPES, NOTIFICATIONS_ERASURES.types);
    }
}
