//! The accounts service: holders, accounts, their terms and their states. Promise: every change of
//! an account is one row, one version, one record of the history and one event, committed together.
//!
//! ```text
//! accounts.commands ─┐                                        ┌─> accounts.account.*, ...
//! accounts.events   ─┼─> wire ──> accounts, directory ──> wire ┼─> accounts.command.rejected
//! (of the ledger)    │  inbound   (rules, tables)     outbound └─> a reply, where one is asked for
//! accounts.queries  ─┘
//!
//! opening   open ──> pending ── ledger.account.opened ──> active <──> frozen
//! closing   close ─> closing ─┬ ledger.account.locked ──────────────> closed
//!                             └ ledger.account.close_refused ──────> active
//! erasing   erase ───────────────── (closed for long enough) ─────────> erased
//! ```
//!
//! The service is cut by capability, in the order of the flow:
//!
//! ```text
//! wire             the border to the bus: messages in, requests; outcomes, messages out
//! access           principals and their grants, for all services
//! fields           checks of fields that the capabilities share
//! holders          the holder of an account
//! account_numbers  the bank, serial numbers and IBANs
//! accounts         opening, freezing, limits, closing: the batch in one transaction
//! directory        one account by a key, or a list
//! erasures         holders whose data are erased in all services
//! history          the chain of all changes, for auditors
//! settings         the configuration
//! ```
//!
//! `accounts` is one capability although it has four kinds of command: all of them change the same
//! row under the same lock, and a batch mixes them in order.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod wire;

mod fields;
mod holders;

mod access;

mod account_numbers;
mod accounts;
mod directory;
mod erasures;
mod history;

mod settings;

pub use settings::Settings;

use futures_util::TryFutureExt;
use shared_events::{
    host::{Host, Running},
    messaging::{ChainEndsJob, ReadEnds, Schema, Service},
    topology::{
        ACCOUNTS_ACCESS, ACCOUNTS_COMMANDS, ACCOUNTS_ERASURES, ACCOUNTS_EVENTS, ACCOUNTS_QUERIES,
    },
};
use sqlx::migrate::Migrator;

use access::{AccessJob, PrincipalsFile};
use erasures::ErasureGauges;
use wire::{
    AccessCommands, AccountCommands, AccountQueries, ErasureEvents, LedgerEvents, access_events,
};

/// The schema of the service's database.
pub static SCHEMA: Schema = Schema { migrations: &MIGRATOR, rights: include_str!("../rights.sql") };
static MIGRATOR: Migrator = sqlx::migrate!();

/// Runs the service until it is asked to stop.
///
/// # Errors
/// When its database cannot be used, or a part of it died.
pub fn run(host: Host, settings: Settings) -> Running {
    let read_ends: ReadEnds = |tx| Box::pin(history::stated_ends_in_tx(tx));
    let evidence = ChainEndsJob::new("accounts", host.evidence, read_ends, host.health.clone());
    let kept_days = settings.erasure.days_after_closing;
    let service = Service::new("accounts", host.amqp, host.pool, &SCHEMA, host.health)
        .consume(ACCOUNTS_COMMANDS, AccountCommands::new(settings.bank, kept_days))
        .access_limits(host.access_limits)
        .without(host.retired)
        .work(AccessJob::new(PrincipalsFile::new(settings.principals), access_events))
        .work(evidence)
        .work(ErasureGauges)
        .consume(ACCOUNTS_ERASURES, ErasureEvents)
        .consume(ACCOUNTS_ACCESS, AccessCommands)
        .consume(ACCOUNTS_EVENTS, LedgerEvents)
        .answer(ACCOUNTS_QUERIES, AccountQueries);
    Box::pin(service.run(host.shutdown).err_into())
}
