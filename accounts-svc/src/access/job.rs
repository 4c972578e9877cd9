//! Enters new principals of the file, and confirms all grants. Promise: as long as this service
//! works, every other service knows grants that are at most a minute old.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_events::{
    envelope::chain,
    ids::{CorrelationId, MessageId},
    messaging::{BackgroundJob, Event, HandleError, JobContext},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    command::{change_in_tx, confirm_in_tx, current_in_tx},
    entity::{CurrentGrants, GrantChange, GrantChanged},
    file::PrincipalsFile,
    rules::GrantRefusal,
};

/// The pause between two announcements.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(30);
/// The pause after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The events of changes, and of the grants after them.
pub(crate) type ToEvents = fn(&[GrantChanged], &CurrentGrants, DateTime<Utc>) -> Vec<Event>;

/// Enters principals and confirms grants.
pub(crate) struct AccessJob {
    file: PrincipalsFile,
    announce: ToEvents,
}

impl AccessJob {
    pub(crate) const fn new(file: PrincipalsFile, announce: ToEvents) -> Self {
        Self { file, announce }
    }

    async fn round(&self, context: &JobContext) -> Result<(), HandleError> {
        let of_file = self.file.read().unwrap_or_else(|why| {
            warn!(why, "the file of principals cannot be used");
            vec![]
        });
        // Before they are read: of two announcements the one that was read later is the later one.
        let mut at = Utc::now();
        let mut work = context.begin().await?;
        let known = current_in_tx(&mut work.tx()).await?;
        let is_new = |change: &&GrantChange| !known.of.contains_key(&change.principal);
        let new: Vec<&GrantChange> = of_file.iter().filter(is_new).collect();
        let (changed, current): (Vec<GrantChanged>, _) = match new.is_empty() {
            true => (vec![], known),
            false => {
                let changes = new.into_iter().map(|change| (change, None));
                let (results, current, changed_at) = change_in_tx(&mut work.tx(), changes).await?;
                at = changed_at;
                (results.into_iter().filter_map(warn_of_refusal).collect(), current)
            }
        };
        confirm_in_tx(&mut work.tx(), &current, at).await?;
        let cause = MessageId::new();
        for event in (self.announce)(&changed, &current, at) {
            work.announce(cause, CorrelationId(cause.0), event);
        }
        work.commit().await?;
        for GrantChanged { principal, .. } in &changed {
            info!(principal, "entered a principal of the file");
        }
        Ok(())
    }
}

fn warn_of_refusal(result: Result<GrantChanged, GrantRefusal>) -> Option<GrantChanged> {
    result.inspect_err(|refusal| warn!(%refusal, "a principal of the file gets no grants")).ok()
}

impl BackgroundJob for AccessJob {
    fn name(&self) -> String {
        "access".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match context.bounded(self.round(&context)).await {
                Ok(()) => ANNOUNCE_EVERY,
                Err(error) => {
                    warn!(error = %chain(&error), "the grants could not be announced");
                    RETRY_AFTER
                }
            };
            let _ = timeout(pause, shutdown.cancelled()).await;
        }
    }
}
