//! Gives approved commands back to their queues, and ends what nobody has approved. Promise: an
//! approved command reaches its queue once the broker confirms it; a crash in between gives it back
//! twice, which its handler notices.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::repo;
use crate::{
    envelope::chain,
    messaging::{
        background_job::{BackgroundJob, JobContext},
        delivery_broker::{DeliveryBroker, ServiceBroker},
        handler::HandleError,
        republish::{RepublishTarget, republish},
        settlement::Settlement,
    },
};

/// The pause between two rounds.
const ROUND_INTERVAL: Duration = Duration::from_secs(1);

/// Ends what approvals have decided.
pub(crate) struct ApprovalsJob {
    pub(crate) settlement: Arc<Settlement<ServiceBroker>>,
}

impl ApprovalsJob {
    /// Ends the commands whose deadline is over.
    async fn expire(&self, context: &JobContext) -> Result<(), HandleError> {
        let mut work = context.begin().await?;
        let expired = repo::expire_in_tx(work.tx().connection(), Utc::now()).await?;
        for record in &expired {
            let event = record.event(self.settlement.service, "");
            work.announce(record.command, record.correlation, event);
        }
        work.commit().await?;
        for record in expired {
            info!(command.id = %record.command, kind = record.kind, "nobody approved a command");
        }
        Ok(())
    }

    /// Gives approved commands back. A command whose queue refuses it stops no other.
    async fn give_back(&self, context: &JobContext) -> Result<(), HandleError> {
        let mut work = context.begin().await?;
        let mut returned: Vec<Uuid> = vec![];
        for record in repo::to_return_in_tx(work.tx().connection()).await? {
            let Some(original) = record.original() else { continue };
            let broker = &self.settlement.broker;
            let message = republish(original, RepublishTarget::Queue, broker.user());
            match broker.publish_confirmed(&[message]).await {
                Ok(()) => {
                    info!(command.id = %record.command, kind = record.kind, by = record.decided_by,
                        "an approved command is handled next");
                    returned.push(record.command.uuid());
                }
                Err(error) => {
                    warn!(command.id = %record.command, kind = record.kind, error = %chain(&error),
                        "an approved command is given back later");
                }
            }
        }
        if !returned.is_empty() {
            repo::returned_in_tx(work.tx().connection(), &returned, Utc::now()).await?;
        }
        work.commit().await
    }
}

impl BackgroundJob for ApprovalsJob {
    fn name(&self) -> String {
        "approvals".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while timeout(ROUND_INTERVAL, shutdown.cancelled()).await.is_err() {
            if let Err(error) = context.bounded(self.expire(&context)).await {
                warn!(error = %chain(&error), "deadlines of approvals wait for the next round");
            }
            if let Err(error) = context.bounded(self.give_back(&context)).await {
                warn!(error = %chain(&error), "approved commands wait for the next round");
            }
        }
    }
}
