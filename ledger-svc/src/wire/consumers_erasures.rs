//! The handler of `ledger.erasures`, and the event of an erasure that is done.

use shared_events::{
    accounts::HolderErased,
    ledger::TextsErased,
    messaging::{Event, HandleError, Handler, Outcome, Received, Tx},
};

use crate::erasures::{ErasedTexts, Request, begin_in_tx};

shared_events::message_set! {
    /// The events on `ledger.erasures`.
    pub(crate) enum ErasureRequest {
        Holder(HolderErased),
    }
}

/// Handles `ledger.erasures`.
pub(crate) struct ErasureHandler;

impl Handler for ErasureHandler {
    type Message = ErasureRequest;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<ErasureRequest>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let requests: Vec<Request> = batch.iter().map(request).collect();
        begin_in_tx(tx, &requests).await?;
        // The job announces what is done.
        Ok(requests.iter().map(|_| Outcome::silent()).collect())
    }
}

fn request(received: &Received<ErasureRequest>) -> Request {
    let ErasureRequest::Holder(HolderErased { account_id, .. }) = received.message();
    Request {
        account: *account_id,
        cause: received.id().uuid(),
        correlation: received.envelope.correlationid.0,
    }
}

/// The event of an erasure that is done.
pub(crate) fn texts_erased(erased: &ErasedTexts) -> Event {
    let ErasedTexts { request, records, kept } = *erased;
    Event::new(&TextsErased { account_id: request.account, records, kept })
}

#[cfg(test)]
mod tests {
    use shared_events::{message::MessageSet, topology::LEDGER_ERASURES};

    use super::*;

    #[test]
    fn the_set_has_the_types_that_its_queue_carries() {
        assert_eq!(ErasureRequest::TYPES, LEDGER_ERASURES.types);
    }
}
