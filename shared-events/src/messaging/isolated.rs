//! A suspect delivery, handled message by message. Promise: what is done before its process dies is
//! done, and only the message that it died of is parked.

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    batch::{BatchProcessor, Settled, Verdict, digest},
    decode::{Intake, QueueDelivery, whole},
    disposition::ParkReason,
    handler::{Handler, Received},
    redelivery::{Trial, fingerprint},
};
use crate::amqp::connection::{Backoff, BusError};
use crate::envelope::chain;

impl<H: Handler> BatchProcessor<H> {
    /// Like [`BatchProcessor::settle`], for a delivery that came back too often.
    pub(crate) async fn settle_suspect(
        &self,
        arrival: QueueDelivery,
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let _turn = self.suspects.turn.lock().await;
        warn!(queue = &*arrival.queue, "a message came back too often; it is handled alone");
        let batch = [arrival];
        let body = fingerprint(&[&batch[0].delivery.data]);
        let Some(mut reading) = self.admit(body, shutdown).await else {
            return Ok(Settled::Abandoned);
        };
        if let Some(why) = reading.verdict() {
            let parked = (whole(&batch[0]), ParkReason::KillsTheService, why);
            self.disposal.park(vec![parked]).await?;
            return Ok(Settled::All);
        }
        if self.begin(&reading, shutdown).await.is_none() {
            return Ok(Settled::Abandoned);
        }
        let Intake { origins, messages, unread } = Intake::read(&batch);
        self.end(&mut reading).await;
        self.set_aside(&batch, unread).await?;
        let mut verdicts = Vec::with_capacity(messages.len());
        for message in &messages {
            match self.decide_alone(message, shutdown).await {
                Some(verdict) => verdicts.extend(verdict),
                None => return Ok(Settled::Abandoned),
            }
        }
        self.dispose(&batch, origins.iter().zip(verdicts)).await?;
        Ok(Settled::All)
    }

    async fn decide_alone(
        &self,
        message: &Received<H::Message>,
        shutdown: &CancellationToken,
    ) -> Option<Vec<Verdict>> {
        let id = message.id().uuid();
        let known_by = fingerprint(&[id.as_bytes(), &digest(message)]);
        let mut trial = self.admit(known_by, shutdown).await?;
        if let Some(why) = trial.verdict() {
            return Some(vec![Verdict::Park { reason: ParkReason::KillsTheService, why }]);
        }
        let one = std::slice::from_ref(message);
        match self.attempt_until_decided(one, Some(&mut trial), shutdown).await? {
            Ok(verdicts) => Some(verdicts),
            Err(error) => {
                let why = chain(&*error).to_string();
                Some(vec![Verdict::Park { reason: ParkReason::Hopeless, why }])
            }
        }
    }

    /// What is known of a suspect, after the pause that it has to wait. `None` when the service
    /// stops before the database answers.
    async fn admit(&self, message: Vec<u8>, shutdown: &CancellationToken) -> Option<Trial> {
        let mut backoff = Backoff::new();
        let trial = loop {
            match self.suspects.trial(message.clone()).await {
                Ok(trial) => break trial,
                Err(error) => warn!(error = %chain(&error), "holding a suspect"),
            }
            rest(backoff.next_pause(), shutdown).await?;
        };
        if trial.verdict().is_none() {
            rest(trial.pause(), shutdown).await?;
        }
        Some(trial)
    }

    async fn begin(&self, trial: &Trial, shutdown: &CancellationToken) -> Option<()> {
        let mut backoff = Backoff::new();
        while let Err(error) = trial.begin().await {
            warn!(error = %chain(&error), "holding a suspect");
            rest(backoff.next_pause(), shutdown).await?;
        }
        Some(())
    }

    /// Where the database does not learn of it, this process does: the trial begins anew.
    pub(crate) async fn end(&self, trial: &mut Trial) {
        if let Err(error) = trial.survived().await {
            warn!(error = %chain(&error), "a suspect that was survived is still noted");
        }
    }
}

/// A pause. `None` when the service stops meanwhile.
async fn rest(pause: std::time::Duration, shutdown: &CancellationToken) -> Option<()> {
    tokio::select! {
        () = shutdown.cancelled() => None,
        () = tokio::time::sleep(pause) => Some(()),
    }
}
