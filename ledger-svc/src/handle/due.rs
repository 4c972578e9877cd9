//! What is due by the clock: holds whose time is over. Promise: it is done within a second of its
//! time, or of the service's start; by one instance, once.

use std::time::Duration;

use chrono_tz::Tz;
use shared_events::{
    CorrelationId, MessageId, TransferId,
    bus::{HandleError, Worker, Workshop},
    envelope::chain,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{announce::Told, desk::Named, post::count};
use crate::store::holds;

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most holds that end in one transaction.
const HOLDS_MAX: i64 = 250;

/// Does what is due.
pub(crate) struct Due {
    time_zone: Tz,
}

impl Due {
    pub(crate) const fn new(time_zone: Tz) -> Self {
        Self { time_zone }
    }

    /// Ends holds whose time is over. Says whether there may be more.
    async fn expire(&self, workshop: &Workshop) -> Result<bool, HandleError> {
        let mut work = workshop.begin().await?;
        let due = holds::due_in_tx(&mut work.tx(), HOLDS_MAX).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let mut named = Named::default();
        due.iter().for_each(|id| named.hold(TransferId(*id)));
        let mut desk = named.lock_in_tx(&mut work.tx(), self.time_zone).await?;
        let now = desk.now;
        // Another instance, or a capture, may have been faster.
        let expired: Vec<(MessageId, TransferId)> = due
            .iter()
            .filter_map(|id| Some((MessageId(*id), desk.books.expire(TransferId(*id), now)?)))
            .collect();
        let books = desk.save_in_tx(&mut work.tx()).await?;
        for (cause, id) in &expired {
            let mut told = Told::default();
            told.decided(&books, *id);
            for event in told.into_expiries() {
                work.announce(*cause, CorrelationId(cause.0), event);
            }
        }
        work.commit().await?;
        count(&books);
        info!(holds = expired.len(), "expired holds");
        Ok(due.len() == usize::try_from(HOLDS_MAX).unwrap_or(usize::MAX))
    }
}

impl Worker for Due {
    async fn run(self, workshop: Workshop, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.expire(&workshop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => warn!(error = %chain(&error), "cannot look for what is due"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
