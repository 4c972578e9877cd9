//! States where the chains of a service end, signs that, and announces it. Promise: the
//! statement is of one snapshot, and locks nothing; its instant is at most a second before that
//! snapshot, or nothing is stated: a witness would take old ends of a paused service for a chain
//! that became shorter; the key is read for each signature, so that a new one needs no restart; a
//! key that cannot be used shows in the service's health.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    background_job::{BackgroundJob, JobContext},
    database::Tx,
    handler::{Event, HandleError},
};
use crate::{
    amqp::health::Health,
    chains::ChainsSigned,
    envelope::chain,
    evidence::{ChainEnds, InvalidKey, SigningKey, StatedEnd, origin_of},
    ids::{CorrelationId, MessageId},
    secret::{Secret, SecretError},
};

/// The part of the service's health.
const PART: &str = "evidence";
/// The pause between two statements.
const STATE_EVERY: Duration = Duration::from_secs(60);
/// The pause after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How much later than its instant the snapshot of a statement may be. Witnesses tolerate 5 s,
/// most of it for clocks that differ.
const READ_WITHIN_MAX: TimeDelta = TimeDelta::seconds(1);

/// How a service states the ends of its chains.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The private key that signs statements: Ed25519, PKCS #8 as PEM. Without one nothing is
    /// stated.
    pub key: Option<Secret>,
    /// The pause between two statements.
    pub every: Duration,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { key: None, every: STATE_EVERY }
    }
}

/// Reads the ends of all chains by one statement, in the order of their numbers.
pub type ReadEnds = for<'a> fn(&'a mut Tx<'_>) -> BoxFuture<'a, sqlx::Result<Vec<StatedEnd>>>;

/// States the ends of the chains of a service.
#[derive(Debug)]
pub struct ChainEndsJob {
    service: &'static str,
    evidence: Evidence,
    read: ReadEnds,
    health: Health,
}

/// Why nothing was stated.
#[derive(Debug, thiserror::Error)]
enum Unstated {
    #[error("the ends of the chains are not signed: evidence.key cannot be used")]
    Secret(#[from] SecretError),
    #[error("the ends of the chains are not signed: evidence.key cannot be used")]
    Key(#[from] InvalidKey),
    #[error("the ends of the chains are not announced")]
    Database(#[from] HandleError),
    #[error(
        "the ends of the chains are not stated: between the instant before they were read and the \
         one after lay {0} ms. The service was paused, its clock was set, or its database is slow"
    )]
    NoOneInstant(i64),
}

impl ChainEndsJob {
    /// The job of the service `service` (`ledger`).
    #[must_use]
    pub const fn new(
        service: &'static str,
        evidence: Evidence,
        read: ReadEnds,
        health: Health,
    ) -> Self {
        Self { service, evidence, read, health }
    }

    async fn round(&self, context: &JobContext, key: &Secret) -> Result<(), Unstated> {
        let key = SigningKey::from_pem(key.read()?.expose_secret())?;
        let read_within = context.bounded(self.announce(context, &key)).await?;
        match is_one_instant(read_within) {
            true => Ok(()),
            false => Err(Unstated::NoOneInstant(read_within.num_milliseconds())),
        }
    }

    /// Announces the ends, if they were read quickly. Returns how long the reading took.
    async fn announce(
        &self,
        context: &JobContext,
        key: &SigningKey,
    ) -> Result<TimeDelta, HandleError> {
        let mut work = context.begin().await?;
        let before = Utc::now();
        let ends = (self.read)(&mut work.tx()).await?;
        let read_within = Utc::now() - before;
        if is_one_instant(read_within) {
            let stated = ChainEnds::new(self.service, before, ends);
            let note = key.sign(&origin_of(self.service), &stated.to_string());
            let cause = MessageId::new();
            let event = Event::owned(self.service, &ChainsSigned { note });
            work.announce(cause, CorrelationId(cause.0), event);
        }
        work.commit().await?;
        Ok(read_within)
    }
}

/// Whether the snapshot of a reading that took so long may be said to be of the instant before it.
fn is_one_instant(read_within: TimeDelta) -> bool {
    read_within >= TimeDelta::zero() && read_within <= READ_WITHIN_MAX
}

impl BackgroundJob for ChainEndsJob {
    fn name(&self) -> String {
        "chain ends".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        let Some(key) = &self.evidence.key else {
            info!("evidence.key is not set: the ends of the chains are not signed");
            return shutdown.cancelled().await;
        };
        while !shutdown.is_cancelled() {
            let pause = match self.round(&context, key).await {
                Ok(()) => {
                    self.health.good(PART);
                    self.evidence.every
                }
                Err(error) => {
                    let why = chain(&error).to_string();
                    warn!(error = why, "nothing was stated");
                    self.health.bad(PART, why);
                    RETRY_AFTER.min(self.evidence.every)
                }
            };
            let _ = timeout(pause, shutdown.cancelled()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The service was paused, or its clock was set.
    #[test]
    fn only_a_quick_reading_is_of_one_instant() {
        for (milliseconds, is_one) in
            [(0, true), (1_000, true), (1_001, false), (60_000, false), (-1, false)]
        {
            let read_within = TimeDelta::milliseconds(milliseconds);
            assert_eq!(is_one_instant(read_within), is_one, "{milliseconds}");
        }
    }
}
