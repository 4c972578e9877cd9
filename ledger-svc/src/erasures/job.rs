//! Carries erasures out. Promise: a step is short, so that no posting waits for one; an erasure
//! that fails delays no other.

use std::time::Duration;

use shared_events::{
    AccountId, CorrelationId, MessageId,
    envelope::chain,
    messaging::{BackgroundJob, Event, HandleError, JobContext},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    entity::{ErasedTexts, Request},
    repo,
};

/// The pause between two looks for erasures.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pause between two steps, so that other work gets its share of the disk.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries erasures out, and announces those that are done.
pub(crate) struct ErasureJob {
    announce: fn(&ErasedTexts) -> Event,
    /// The account of the last step.
    current: Option<AccountId>,
    /// Accounts whose last step failed: the others come first.
    failed: Vec<Uuid>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// More may be left to do.
    More,
    /// There is no erasure.
    Idle,
}

impl BackgroundJob for ErasureJob {
    fn name(&self) -> String {
        "erasures".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match context.bounded(self.step(&context)).await {
                Ok(Step::More) => PAUSE,
                Ok(Step::Idle) => {
                    self.failed.clear();
                    LOOK_EVERY
                }
                Err(error) => {
                    let account = self.current.take();
                    self.failed.extend(account.map(AccountId::uuid));
                    let account = account.map(|account| account.to_string());
                    warn!(account.id = account, error = %chain(&error), "texts were not erased");
                    LOOK_EVERY
                }
            };
            let _ = timeout(pause, shutdown.cancelled()).await;
        }
    }
}

impl ErasureJob {
    /// `announce` makes the event of an erasure that is done.
    pub(crate) const fn new(announce: fn(&ErasedTexts) -> Event) -> Self {
        Self { announce, current: None, failed: vec![] }
    }

    async fn step(&mut self, context: &JobContext) -> Result<Step, HandleError> {
        self.current = None;
        let mut work = context.begin().await?;
        self.current = repo::next_in_tx(&mut work.tx(), &self.failed).await?;
        let Some(account) = self.current else {
            work.commit().await?;
            return Ok(Step::Idle);
        };
        let mut erased = None;
        if repo::step_in_tx(&mut work.tx(), account).await? {
            erased = repo::remove_in_tx(&mut work.tx(), account).await?;
        }
        if let Some(erased) = &erased {
            let Request { cause, correlation, .. } = erased.request;
            work.announce(MessageId(cause), CorrelationId(correlation), (self.announce)(erased));
        }
        work.commit().await?;
        if let Some(ErasedTexts { records, kept, .. }) = erased {
            info!(account.id = %account, records, kept, "erased the texts of payments");
        }
        Ok(Step::More)
    }
}
