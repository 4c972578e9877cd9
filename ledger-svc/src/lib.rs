//! The ledger: what is on every account. Promise: for every currency debits equal credits at every
//! commit; no account passes its limit; a transfer has one outcome for ever.
//!
//! ```text
//! ledger.commands.0-3 ──> handle::post ──> domain (pure) ──> store ──> outbox ──> bank.events
//!   transfers, account events   │   one transaction for a whole batch   │
//! ledger.arrangements ─> handle::arrange (terms of interest) ──> store ─┤
//! ledger.queries ───────> handle::answer ───────────────────> store ────┴──> bank.replies
//! ```

pub mod domain;
mod handle;
mod store;

use chrono_tz::Tz;
use serde::Deserialize;
use shared_events::{bus::Service, host::Host, topology};

use handle::{Answers, Arrange, Due, Post};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What the ledger is configured with, besides what every service is.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    /// About the bank.
    #[serde(default)]
    pub bank: Bank,
}

/// About the bank.
#[derive(Clone, Debug, Deserialize)]
pub struct Bank {
    /// The time zone that decides which day it is, by its IANA name.
    pub time_zone: Tz,
}

impl Default for Bank {
    fn default() -> Self {
        Self { time_zone: Tz::Europe__Prague }
    }
}

/// Runs the ledger until it is asked to stop.
///
/// # Errors
/// When its database cannot be brought up to date, or a part of it died.
pub async fn run(
    host: Host,
    settings: Settings,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Service::new("ledger", host.amqp, host.pool, &MIGRATIONS, host.health)
        .consume(topology::LEDGER_COMMANDS, Post::new(settings.bank.time_zone))
        .consume(topology::LEDGER_ARRANGEMENTS, Arrange::new(settings.bank.time_zone))
        .answer(topology::LEDGER_QUERIES, Answers::new(settings.bank.time_zone))
        .work(Due::new(settings.bank.time_zone))
        .run(host.shutdown)
        .await?;
    Ok(())
}
