//! The ledger: the balance of every account. Promise: for every currency debits equal credits at
//! every commit; no account passes its limit; an instruction has one outcome for ever.
//!
//! ```text
//!  ledger.commands.0-3      ledger.arrangements       ledger.queries        the clock
//!  instructions, changes    terms, orders,            balances, statements, holds, interest,
//!  of accounts              monitors, periods         audit                 orders
//!        |                        |                         |                   |
//!  ------+------------------------+------- wire ------------+-------------------+-----------
//!        |     messages become requests, outcomes become events                 |
//!        v                        |                         |                   v
//!  command_batch                  |                         |               due_work
//!        |                        |                         |                   |
//!        +--> account_lifecycle   |                         |     hold_expiry, interest,
//!        |          |             |                         |     standing_orders,
//!        |          |             |                         |     digit_correction
//!        v          v             v                         v                   |
//!     posting <-----+---- interest, standing_orders,   statements, audit        |
//!        ^                balance_monitors,                                     |
//!        |                accounting_periods                                    |
//!        +----------------------------------------------------------------------+
//!        |
//!        v
//!     accounts, holds, balance_monitors, journal, bank_calendar     tables and pure rules
//!        |
//!        +--> one transaction: balances, records, entries, outbox --> bank.events
//! ```
//!
//! A folder is a capability; its files are roles: `entity` and rules are pure, `session`,
//! `command`, `query` and `job` are async, SQL stands in `repo`. A module uses those below it in
//! the list only.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod wire;

pub mod account_lifecycle;
mod command_batch;
pub mod digit_correction;
mod due_work;
pub mod hold_expiry;
pub mod interest;
pub mod standing_orders;

mod audit;
mod erasures;
mod statements;

pub mod posting;

mod accounting_periods;
pub mod accounts;
pub mod balance_monitors;
pub mod bank_calendar;
pub mod holds;
pub mod journal;

pub mod refusals;
mod repo;

#[cfg(test)]
mod properties;

use chrono_tz::Tz;
use futures_util::TryFutureExt;
use serde::Deserialize;
use shared_events::{
    host::{Host, Running},
    messaging::{ChainEndsJob, ReadEnds, Schema, Service},
    topology,
};

use bank_calendar::{BOOKING_DAYS_AHEAD, BankTime, Calendar};
use erasures::ErasureJob;
use journal::JournalMonths;
use wire::{
    ArrangementHandler, CommandHandler, DueJobs, ErasureHandler, QueryAnswers, texts_erased,
};

/// The schema of the service's database.
pub static SCHEMA: Schema =
    Schema { migrations: &MIGRATIONS, rights: include_str!("../rights.sql") };
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The ledger's configuration, besides that of every service.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Settings {
    /// The bank.
    #[serde(default)]
    pub bank: Bank,
}

/// The configuration of the bank.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Bank {
    /// The time zone of the bank's day, by its IANA name.
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
/// If its database cannot be used, or a part of it died.
pub fn run(host: Host, settings: Settings) -> Running {
    let Bank { time_zone, holidays, booking_days_ahead } = settings.bank;
    let time = BankTime::new(time_zone, booking_days_ahead);
    let due = DueJobs::new(time, holidays.clone(), host.health.clone());
    let read_ends: ReadEnds = |tx| Box::pin(journal::repo::ends_in_tx(tx));
    let evidence = ChainEndsJob::new("ledger", host.evidence, read_ends, host.health.clone());
    let service = Service::new("ledger", host.amqp, host.pool, &SCHEMA, host.health)
        .access_limits(host.access_limits)
        .without(host.retired.clone())
        .consume(topology::LEDGER_COMMANDS, CommandHandler::new(time))
        .consume(topology::LEDGER_ARRANGEMENTS, ArrangementHandler::new(time, holidays))
        .consume(topology::LEDGER_ERASURES, ErasureHandler)
        .answer(topology::LEDGER_QUERIES, QueryAnswers::new(time))
        .work(due)
        .work(JournalMonths)
        .work(ErasureJob::new(texts_erased))
        .work(evidence);
    Box::pin(service.run(host.shutdown).err_into())
}
