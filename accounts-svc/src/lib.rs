//! The accounts service: who has which account, on what terms, in what state. Promise: every change
//! of an account is one row, one version and one event, committed together.
//!
//! ```text
//! accounts.commands ─┐                                          ┌─> accounts.account.*, ...
//! accounts.events   ─┼─> handle ──> domain ──> store ──> outbox ┼─> accounts.command.rejected
//! (of the ledger)    │   (verbs)    (pure)     (tables)         └─> a reply, where one is asked
//! accounts.queries  ─┘
//!
//! opening   open ──> pending ── ledger.account.opened ──> active <──> frozen
//! closing   close ─> closing ─┬ ledger.account.locked ──────────────> closed
//!                             └ ledger.account.close_refused ──────> active
//! ```
//!
//! A batch is handled as a whole: all its accounts are loaded and locked by one statement, its
//! commands are decided in order in memory, and all that changed is written by one or two.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod settings;

mod wire;

mod accounts;

mod holders;

mod account_numbers;

mod directory;

pub use settings::Settings;

use shared_events::{
    host::Host,
    messaging::{Service, ServiceError},
    topology::{ACCOUNTS_COMMANDS, ACCOUNTS_EVENTS, ACCOUNTS_QUERIES},
};

use accounts::Commands;
use directory::Queries;
use sqlx::migrate::Migrator;
use wire::LedgerEvents;

/// The schema of the service's database.
static MIGRATOR: Migrator = sqlx::migrate!();

/// Runs the service until it is asked to stop.
///
/// # Errors
/// When its database cannot be migrated, or a part of it died.
pub async fn run(host: Host, settings: Settings) -> Result<(), ServiceError> {
    Service::new("accounts", host.amqp, host.pool, &MIGRATOR, host.health)
        .consume(ACCOUNTS_COMMANDS, Commands::new(settings.bank))
        .consume(ACCOUNTS_EVENTS, LedgerEvents)
        .answer(ACCOUNTS_QUERIES, Queries)
        .run(host.shutdown)
        .await
}
