//! An isolated delivery, processed message by message. Promise: the messages that were processed
//! before a process died keep their effect, and only the message that it died of is parked.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    batch::{BatchProcessor, Settled},
    decode::decode_with_rights,
    delivery_broker::DeliveryBroker,
    delivery_store::{BatchHandler, DeliveryStore},
    digest::Digests,
    disposition::{ProcessingResult, disposition},
    handler::Received,
    isolation::{isolation_key, isolation_verdict, pause_after},
    message_source::MessageSource,
    message_source::QueueDelivery,
    origin::{Way, origin},
    republish::attempts,
};
use crate::amqp::{answer::BusError, connection::Backoff};
use crate::envelope::chain;

/// An isolated message and its unfinished attempts.
#[derive(Debug)]
pub(crate) struct IsolatedMessage {
    pub(crate) key: Vec<u8>,
    pub(crate) attempts: i32,
}

impl<H, S, B> BatchProcessor<H, S, B>
where
    H: BatchHandler<S::Transaction>,
    S: DeliveryStore,
    B: DeliveryBroker,
{
    /// Like [`BatchProcessor::settle`], for a delivery that needs isolation.
    pub(crate) async fn settle_isolated(
        &self,
        batch: &[QueueDelivery; 1],
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let _turn = self.isolation.lock().await;
        let [delivery] = batch;
        warn!(queue = &*delivery.queue, "a message came back too often and is processed alone");
        let key = isolation_key(&[&delivery.message.data]);
        let Some(mut whole) = self.admit(key, shutdown).await else {
            return Ok(Settled::Abandoned);
        };
        if let Some(why) = isolation_verdict(whole.attempts) {
            let killed = ProcessingResult::KilledService { is_decoded: false, why };
            let attempts = attempts(&delivery.message.properties);
            let decided = disposition(killed, &delivery.queue, attempts);
            // Nobody has read its content: a replay compares that with the type.
            let origin = origin(&Way::of(delivery), self.settlement.service);
            let author = origin.ok().map(|origin| origin.author);
            let source = MessageSource { delivery, event: None, id: None, author };
            self.settlement.settle(std::iter::once((source, decided))).await?;
            return Ok(Settled::All);
        }
        if self.begin_attempt(&whole, shutdown).await.is_none() {
            return Ok(Settled::Abandoned);
        }
        let service = self.settlement.service;
        let Some(decoded) = decode_with_rights(batch, service, &self.access, shutdown).await else {
            return Ok(Settled::Abandoned);
        };
        self.end_attempts(&mut whole).await;
        self.settle_undecodable(batch, &decoded.undecodable).await?;
        let mut results = Vec::with_capacity(decoded.messages.len());
        for message in &decoded.messages {
            match self.process_alone(message, shutdown).await {
                Some(processed) => results.extend(processed),
                None => return Ok(Settled::Abandoned),
            }
        }
        self.settle_processed(batch, &decoded, results).await?;
        Ok(Settled::All)
    }

    async fn process_alone(
        &self,
        message: &Received<H::Message>,
        shutdown: &CancellationToken,
    ) -> Option<Vec<ProcessingResult>> {
        let id = message.id().uuid();
        let key = isolation_key(&[id.as_bytes(), &Digests::of(message).of_content]);
        let mut isolated = self.admit(key, shutdown).await?;
        if let Some(why) = isolation_verdict(isolated.attempts) {
            return Some(vec![ProcessingResult::KilledService { is_decoded: true, why }]);
        }
        let one = std::slice::from_ref(message);
        match self.attempt_until_settled(one, Some(&mut isolated), shutdown).await? {
            Ok(results) => Some(results),
            Err(error) => Some(vec![ProcessingResult::failed(&*error)]),
        }
    }

    /// Reads the attempts at an isolated message, and waits for its pause. `None` when the service
    /// stops before the database answers.
    async fn admit(&self, key: Vec<u8>, shutdown: &CancellationToken) -> Option<IsolatedMessage> {
        let mut backoff = Backoff::new();
        let attempts = loop {
            match self.store.unfinished_attempts(&key).await {
                Ok(attempts) => break attempts,
                Err(error) => warn!(error = %chain(&error), "an isolated message waits"),
            }
            pause(backoff.next_pause(), shutdown).await?;
        };
        if isolation_verdict(attempts).is_none() {
            pause(pause_after(attempts), shutdown).await?;
        }
        Some(IsolatedMessage { key, attempts })
    }

    async fn begin_attempt(
        &self,
        isolated: &IsolatedMessage,
        shutdown: &CancellationToken,
    ) -> Option<()> {
        let mut backoff = Backoff::new();
        while let Err(error) = self.store.begin_attempt(&isolated.key, isolated.attempts + 1).await
        {
            warn!(error = %chain(&error), "an isolated message waits");
            pause(backoff.next_pause(), shutdown).await?;
        }
        Some(())
    }

    /// Records that the process outlived the attempt, with any result. Where the database cannot
    /// record that, this process still counts from zero.
    pub(crate) async fn end_attempts(&self, isolated: &mut IsolatedMessage) {
        isolated.attempts = 0;
        if let Err(error) = self.store.end_attempts(&isolated.key).await {
            warn!(error = %chain(&error), "the end of an isolated attempt was not recorded");
        }
    }
}

/// Sleeps. `None` when the service stops meanwhile.
async fn pause(pause: Duration, shutdown: &CancellationToken) -> Option<()> {
    tokio::select! {
        () = shutdown.cancelled() => None,
        () = tokio::time::sleep(pause) => Some(()),
    }
}
