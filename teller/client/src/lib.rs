//! The client of the bank, for programs: it publishes commands, asks queries and watches events.
//!
//! ```text
//! input            text from a person, checked before anything is sent: field and rule
//! teller           `Teller`: one connection; commands under the caller's id, queries, live events
//!   accounts       open, freeze, close, change, look up; `account_history` who has changed what
//!   transfers      transfers, balances, the trial balance
//!   instructions   holds, captures, reversals, legs, exchanges; dry runs
//!   history        balances at an earlier instant, statements, searches
//!   arrangements   interest terms, closed periods, monitors, standing orders
//!   notifications  preferences, deliveries, history
//!   parked         parked messages of a service: list, show, replay, drop, edit
//!   approvals      commands that need an approval: list, show, approve, decline
//!   access_log     who has asked a service for what
//!   owner          the service that owns such messages
//!   names          the party behind an id, an IBAN or an external reference
//!   books          the ledger's state snapshot, page by page
//! in_order         long runs of transfers: batches that can never overtake each other
//! outcome          posted or rejected
//! short_reply      the outcomes that a reply has no room for
//! backoff          the pauses between queries that wait for a change
//! ```
//!
//! ```no_run
//! # async fn salaries() -> Result<(), Box<dyn std::error::Error>> {
//! use shared_events::{MessageId, amqp::ConnectionParameters, client::Client};
//! use teller_client::{Teller, input};
//!
//! let amqp = ConnectionParameters::new("amqp://teller:teller-dev@127.0.0.1:5672/bank", None)?;
//! let bank = Teller::new(Client::new(amqp, "salaries"));
//! let employer = bank.resolve(&input::party("debtor", "ref:employer")?).await?;
//! let clerk = bank.resolve(&input::party("creditor", "ref:clerk-7")?).await?;
//! let money = input::money("2400.00", "EUR")?;
//! // Keep the id: the same transfer sent again has the same outcome, and no second effect.
//! let id = MessageId::new();
//! let transfer = teller_client::transfer(id, employer, clerk, money);
//! let outcome = bank.transfer(id, transfer).await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod access;
mod access_log;
mod account_history;
mod accounts;
mod approvals;
mod arrangements;
mod backoff;
mod books;
mod error;
mod history;
pub mod in_order;
pub mod input;
mod instructions;
mod names;
mod notifications;
mod outcome;
mod owner;
mod parked;
mod short_reply;
mod teller;
mod transfers;

pub use backoff::Backoff;
pub use error::{Refusal, TellerError, code_of};
pub use instructions::{Debtors, Decided, account_on, debtors, instruction};
pub use outcome::Outcome;
pub use owner::OwningService;
pub use parked::Moved;
pub use teller::{AT_ONCE, Teller};
pub use transfers::transfer;
