//! Gives approved commands back to their queues, and ends what nobody has approved. Promise: an
//! approved command reaches its queue once the broker confirms it; a crash in between gives it back
//! twice, which its handler notices.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{record::ApprovalRecord, repo};
use crate::{
    amqp::publish::Outgoing,
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
    async fn round(&self, context: &JobContext) -> Result<(), HandleError> {
        let mut work = context.begin().await?;
        let now = Utc::now();
        let expired = repo::expire_in_tx(work.tx().connection(), now).await?;
        let approved = repo::to_return_in_tx(work.tx().connection()).await?;
        if !approved.is_empty() {
            self.give_back(&approved).await?;
            let commands: Vec<Uuid> = approved.iter().map(|record| record.command.uuid()).collect();
            repo::returned_in_tx(work.tx().connection(), &commands, now).await?;
        }
        for record in &expired {
            let event = record.event(self.settlement.service, "");
            work.announce(record.command, record.correlation, event);
        }
        work.commit().await?;
        for record in approved {
            info!(command.id = %record.command, kind = record.kind, by = record.decided_by,
                "an approved command is handled next");
        }
        for record in expired {
            info!(command.id = %record.command, kind = record.kind, "nobody approved a command");
        }
        Ok(())
    }

    async fn give_back(&self, approved: &[ApprovalRecord]) -> Result<(), HandleError> {
        let broker = &self.settlement.broker;
        let originals = approved.iter().filter_map(ApprovalRecord::original);
        let outgoing: Vec<Outgoing> = originals
            .map(|original| republish(original, RepublishTarget::Queue, broker.user()))
            .collect();
        let confirmed = broker.publish_confirmed(&outgoing).await;
        confirmed.map_err(|error| HandleError::Transient(error.into()))
    }
}

impl BackgroundJob for ApprovalsJob {
    fn name(&self) -> String {
        "approvals".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        while timeout(ROUND_INTERVAL, shutdown.cancelled()).await.is_err() {
            if let Err(error) = context.bounded(self.round(&context)).await {
                warn!(error = %chain(&error), "approved commands wait for the next round");
            }
        }
    }
}
