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

    /// A few statements for each event: erasures are rare.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<ErasureEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let ErasureEvent::Holder(HolderErased { account_id, version }) = *received.message();
            let notifications = erase_in_tx(tx, ErasedHolder { account_id, version }).await?;
            info!(account.id = %account_id, notifications, "erased the data of a holder");
            outcomes.push(Outcome::announce(&RecipientErased { account_id, notifications }));
        }
        Ok(outcomes)
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
