//! Regular upkeep of the delivery tables. Promise: operators see how much the outbox holds and how
//! old its rows are; the inbox has tables for the days to come and drops old ones.

use std::time::Duration;

use metrics::gauge;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    amqp::health::Health,
    envelope::chain,
    messaging::{database::Database, inbox, outbox, supervise::Supervisor},
};

/// The interval between two prunings of the inbox.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// The interval between two measurements of the outbox.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);
/// Older rows mean that the broker or the relay does not work.
const OUTBOX_AGE_SECONDS_MAX: f64 = 10.0;
/// The outbox and the inbox, as their service's health names them.
const OUTBOX_PART: &str = "outbox";
const INBOX_PART: &str = "inbox";

/// Measures the outbox: the first two numbers on an operator's dashboard.
pub(super) async fn measure(database: Database, health: Health, shutdown: CancellationToken) {
    let mut supervisor = Supervisor::new(OUTBOX_PART.to_owned(), health.clone(), shutdown.clone());
    while supervisor.restarts_after(measure_outbox(&database, &health, &shutdown)).await {}
}

async fn measure_outbox(database: &Database, health: &Health, shutdown: &CancellationToken) {
    while tokio::time::timeout(MEASURE_INTERVAL, shutdown.cancelled()).await.is_err() {
        match outbox::waiting(database).await {
            Ok((rows, seconds)) => {
                gauge!("bus_outbox_rows").set(rows);
                gauge!("bus_outbox_age_seconds").set(seconds);
                if seconds < OUTBOX_AGE_SECONDS_MAX {
                    health.good(OUTBOX_PART);
                } else {
                    let why = format!("a committed event has waited for {seconds:.0} s");
                    health.bad(OUTBOX_PART, why);
                }
            }
            Err(error) => {
                warn!(error = %chain(&error), "the outbox was not measured");
                health.bad(OUTBOX_PART, format!("cannot be read: {}", chain(&error)));
            }
        }
    }
}

/// Prunes the inbox: drops old entries and creates the tables of the days to come.
pub(super) async fn prune(database: Database, health: Health, shutdown: CancellationToken) {
    let mut supervisor = Supervisor::new(INBOX_PART.to_owned(), health, shutdown.clone());
    while supervisor.restarts_after(prune_inbox(&database, &shutdown)).await {}
}

async fn prune_inbox(database: &Database, shutdown: &CancellationToken) {
    while tokio::time::timeout(PRUNE_INTERVAL, shutdown.cancelled()).await.is_err() {
        match inbox::prune(database).await {
            Ok(rows) => info!(rows, "pruned the inbox"),
            Err(error) => warn!(error = %chain(&error), "the inbox was not pruned"),
        }
    }
}
