//! The notifications service: who is told what, through which channel, and whether it arrived.
//! Promise: every event that concerns a holder becomes one notification; every delivery ends, and
//! how it ended is an event.
//!
//! ```text
//! notifications.events ──┐                                  ┌─> notifications.preferences.changed,
//! (accounts, ledger)     ├─> handle ─> domain ─> store ─> outbox  notifications.command.rejected
//! notifications.commands ┤   (verbs)   (pure)   (tables)
//! notifications.queries ─┘                         │
//!                                deliveries that are due
//!                                                  v
//! deliver: claim (short transaction, lease) ─> send (e-mail, webhook) ─> record (one transaction:
//!          attempt, delivery, event) ─> outbox ─> notifications.delivery.succeeded, .failed,
//!          notifications.endpoint.disabled; and what is old is deleted
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod settings;

mod wire;

mod recipients;

mod triggers;

mod notifications;

mod deliveries;

mod letters;

mod transports;

mod retention;

mod ids;

mod time_limit;

#[cfg(test)]
mod samples;

mod domain;

mod store;

pub use settings::Settings;
pub use transports::email::mail::InvalidSmtp;

use std::sync::Arc;

use shared_events::{
    host::Host,
    messaging::{Service, ServiceError},
    notifications::Channel,
    topology::{NOTIFICATIONS_COMMANDS, NOTIFICATIONS_EVENTS, NOTIFICATIONS_QUERIES},
};

use deliveries::job::{
    backlog::Gauges,
    wakeup::Bells,
    worker::{Courier, Way},
};
use notifications::{command::Events, query::Queries};
use retention::job::Pruner;
use sqlx::migrate::Migrator;
use transports::{email::mail::Mailer, webhook::client::Caller};
use wire::consumers::Commands;

/// The service's own tables.
static MIGRATOR: Migrator = sqlx::migrate!();

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// `smtp.url` or `smtp.from` cannot be used.
    #[error("smtp.url or smtp.from cannot be used")]
    Smtp(#[source] InvalidSmtp),
    /// There are no root certificates on this machine.
    #[error("webhooks cannot be called")]
    Webhook(#[source] reqwest::Error),
    /// A part that every service has.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Runs the service until it is asked to stop.
///
/// # Errors
/// When it cannot send with these settings, its database cannot be migrated, or a part of it died.
pub async fn run(host: Host, settings: Settings) -> Result<(), RunError> {
    let mailer = Mailer::new(settings.smtp).map_err(RunError::Smtp)?;
    let caller = Caller::new(settings.webhook).map_err(RunError::Webhook)?;
    let bells = Arc::new(Bells::default());
    let schedule = Arc::new(settings.delivery.schedule);
    let first_delay = schedule.delay_before(1, 0.0).unwrap_or_default();
    let courier = |way| Courier::new(way, Arc::clone(&schedule), Arc::clone(&bells));
    Service::new("notifications", host.amqp, host.pool, &MIGRATOR, host.health)
        .consume(NOTIFICATIONS_EVENTS, Events::new(first_delay, Arc::clone(&bells)))
        .consume(NOTIFICATIONS_COMMANDS, Commands::new(Arc::clone(&bells)))
        .answer(NOTIFICATIONS_QUERIES, Queries)
        .work(courier(Way::Email(mailer)))
        .work(courier(Way::Webhook(caller)))
        .work(Gauges { channels: [Channel::Email, Channel::Webhook] })
        .work(Pruner::new(settings.retention))
        .run(host.shutdown)
        .await?;
    Ok(())
}
