//! Regular upkeep of the delivery tables. Promise: operators see how much the outbox holds and how
//! old its rows are; the inbox and the access log have tables for the days to come and drop old
//! ones.

use std::{num::NonZeroU16, time::Duration};

use metrics::gauge;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    amqp::health::Health,
    envelope::chain,
    messaging::{access_log, database::Database, inbox, outbox, supervise::Supervisor},
};

/// The interval between two prunings of the inbox and of the access log.
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

/// Prunes the inbox and the access log, which keeps so many days: drops old entries and creates the
/// tables of the days to come.
pub(super) async fn prune(
    (database, log_days): (Database, NonZeroU16),
    health: Health,
    shutdown: CancellationToken,
) {
    let mut supervisor = Supervisor::new(INBOX_PART.to_owned(), health, shutdown.clone());
    while supervisor.restarts_after(prune_tables(&database, log_days, &shutdown)).await {}
}

async fn prune_tables(database: &Database, log_days: NonZeroU16, shutdown: &CancellationToken) {
    while tokio::time::timeout(PRUNE_INTERVAL, shutdown.cancelled()).await.is_err() {
        match inbox::prune(database).await {
            Ok(rows) => info!(rows, "pruned the inbox"),
            Err(error) => warn!(error = %chain(&error), "the inbox was not pruned"),
        }
        match access_log::keep_days(database, log_days).await {
            Ok(days) => info!(days, "pruned the access log"),
            Err(error) => warn!(error = %chain(&error), "the access log was not pruned"),
        }
        match access_log::bytes(database).await {
            Ok(bytes) => gauge!("bus_access_log_bytes").set(bytes),
            Err(error) => warn!(error = %chain(&error), "the access log was not measured"),
        }
    }
}
