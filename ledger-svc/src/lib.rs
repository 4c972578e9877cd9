//! The ledger: what is on every account. Promise: for every currency debits equal credits at every
//! commit; no account passes its limit; a transfer has one outcome for ever.
//!
//! ```text
//! ledger.commands.0-3 ──> handle::post ──> domain (pure) ──> store ──> outbox ──> bank.events
//!   transfers, account events   │   one transaction for a whole batch   │
//! ledger.arrangements ─> handle::arrange (terms, orders, periods) ─> store ─┤
//! ledger.queries ───────> handle::answer ───────────────────> store ────┴──> bank.replies
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod account_lifecycle;
pub mod accounting_periods;
pub mod accounts;
pub mod audit;
pub mod balance_monitors;
pub mod bank_calendar;
pub mod columns;
pub mod command_batch;
pub mod digit_correction;
pub mod due_work;
pub mod hold_expiry;
pub mod holds;
pub mod interest;
pub mod journal;
#[allow(dead_code, unused_imports)]
pub mod legacy;
pub mod posting;
#[cfg(test)]
mod properties;
pub mod refusals;
pub mod standing_orders;
pub mod statements;
pub mod wire;

pub use legacy::domain;

use chrono_tz::Tz;
use serde::Deserialize;
use shared_events::{host::Host, ledger::BOOKING_DAYS_AHEAD, messaging::Service, topology};

use legacy::domain::Calendar;
use legacy::handle::{Answers, Arrange, BankTime, Due, Months, Post};

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
#[serde(default)]
pub struct Bank {
    /// The time zone that decides which day it is, by its IANA name.
    pub time_zone: Tz,
    /// The days on which the bank is closed, besides weekends and the holidays of TARGET.
    pub holidays: Calendar,
    /// How many days after today a booking date may lie.
    pub booking_days_ahead: u16,
}

impl Default for Bank {
    fn default() -> Self {
        Self {
            time_zone: Tz::Europe__Prague,
            holidays: Calendar::default(),
            booking_days_ahead: BOOKING_DAYS_AHEAD,
        }
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
    let Bank { time_zone, holidays, booking_days_ahead } = settings.bank;
    let time = BankTime::new(time_zone, booking_days_ahead);
    let due = Due::new(time, holidays.clone(), host.health.clone());
    Service::new("ledger", host.amqp, host.pool, &MIGRATIONS, host.health)
        .consume(topology::LEDGER_COMMANDS, Post::new(time))
        .consume(topology::LEDGER_ARRANGEMENTS, Arrange::new(time, holidays))
        .answer(topology::LEDGER_QUERIES, Answers::new(time))
        .work(due)
        .work(Months)
        .run(host.shutdown)
        .await?;
    Ok(())
}
