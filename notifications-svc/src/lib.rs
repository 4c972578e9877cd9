//! The notifications service: notifies holders of events, by e-mail and webhook. Promise: every
//! event that concerns a holder becomes one notification; every delivery ends, and its end is an
//! event.
//!
//! ```text
//! notifications.events ──┐         ┌─> recipients     profiles, preferences
//! (accounts, ledger)     ├─> wire ─┼─> triggers       event ──> account + payload
//! notifications.commands ┤ inbound └─> notifications  ids, routing ──> notifications, deliveries
//! notifications.queries ─┘                                                    │
//!                                                                   deliveries that are due
//!                                                                             v
//! deliveries: claim (short transaction, lease) ──> transports: letters by SMTP, signed webhooks
//!             record (one transaction: attempt, delivery, event) ──> wire outbound ──> outbox
//! retention:  old notifications are deleted
//! ```
//!
//! The service is cut by capability, in the order of the flow:
//!
//! ```text
//! wire           the border to the bus: messages in, requests; outcomes, messages out
//! recipients     holders of accounts: profiles, channels, topics, preferences, keys
//! triggers       the holders that an event concerns, and the facts for each
//! notifications  made of events, stored once, listed
//! deliveries     claims, attempts, schedule, caps; resending
//! letters        the e-mails in the languages of the bank
//! transports     SMTP and webhooks
//! retention      deletes old notifications
//! erasure        erases the data of a holder
//! ids            ids of notifications and deliveries
//! time_limit     the time limit of database work in jobs
//! settings       the configuration
//! named_receivers  the webhook receivers that the bank itself names
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod wire;

mod recipients;
mod triggers;

mod deliveries;
mod notifications;

mod letters;
mod transports;

mod erasure;
mod retention;

mod ids;
mod named_receivers;
#[cfg(test)]
mod samples;
mod settings;
mod time_limit;

pub use settings::Settings;
pub use transports::email::InvalidSmtp;

use std::{future::ready, sync::Arc};

use futures_util::TryFutureExt;
use shared_events::{
    host::{Host, Running},
    messaging::{Schema, Service},
    topology::{
        NOTIFICATIONS_COMMANDS, NOTIFICATIONS_ERASURES, NOTIFICATIONS_EVENTS, NOTIFICATIONS_QUERIES,
    },
};
use sqlx::migrate::Migrator;

use deliveries::{
    Wakeup,
    job::{BacklogMetrics, DeliveryWorker},
};
use retention::RetentionJob;
use transports::{email::Mailer, webhook::WebhookClient};
use wire::{
    ErasureEvents, NotifiableEvents, NotificationCommands, NotificationQueries, delivery_event,
};

/// The schema of the service's database.
pub static SCHEMA: Schema = Schema { migrations: &MIGRATOR, rights: include_str!("../rights.sql") };
static MIGRATOR: Migrator = sqlx::migrate!();

/// The service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// `smtp.url` or `smtp.from` cannot be used.
    #[error("smtp.url or smtp.from cannot be used")]
    Smtp(#[source] InvalidSmtp),
    /// There are no root certificates on this machine.
    #[error("webhooks cannot be called")]
    Webhook(#[source] reqwest::Error),
}

/// Runs the service until it is asked to stop.
///
/// # Errors
/// When it cannot send with these settings, its database cannot be used, or a part of it died.
pub fn run(host: Host, settings: Settings) -> Running {
    match service(&host, settings) {
        Ok(service) => Box::pin(service.run(host.shutdown).err_into()),
        Err(error) => Box::pin(ready(Err(error.into()))),
    }
}

fn service(host: &Host, settings: Settings) -> Result<Service, RunError> {
    let mailer = Mailer::new(settings.smtp).map_err(RunError::Smtp)?;
    let webhooks = WebhookClient::new(settings.webhook).map_err(RunError::Webhook)?;
    let wakeup = Arc::new(Wakeup::default());
    let schedule = Arc::new(settings.delivery.schedule);
    let first_delay = schedule.delay_before(1, 0.0).unwrap_or_default();
    let (schedule, wakeup_of) = (|| Arc::clone(&schedule), || Arc::clone(&wakeup));
    let (amqp, pool, health) = (host.amqp.clone(), host.pool.clone(), host.health.clone());
    Ok(Service::new("notifications", amqp, pool, &SCHEMA, health)
        .access_limits(host.access_limits)
        .without(host.retired.clone())
        .consume(NOTIFICATIONS_EVENTS, NotifiableEvents::new(first_delay, wakeup_of()))
        .consume(NOTIFICATIONS_COMMANDS, NotificationCommands::new(wakeup_of()))
        .consume(NOTIFICATIONS_ERASURES, ErasureEvents)
        .answer(NOTIFICATIONS_QUERIES, NotificationQueries)
        .work(DeliveryWorker::new(mailer, schedule(), wakeup_of(), delivery_event))
        .work(DeliveryWorker::new(webhooks, schedule(), wakeup_of(), delivery_event))
        .work(BacklogMetrics)
        .work(RetentionJob::new(settings.retention)))
}
