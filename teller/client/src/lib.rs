//! The client of the bank, for programs: it publishes commands, asks questions and watches events.
//!
//! ```text
//! input          what a person wrote, checked before anything is sent: field and rule
//! bank           `Teller`: one connection; commands under the caller's id, questions, live events
//!   accounts     open, freeze, close, change, look up
//!   ledger       transfers, balances, the trial balance
//!   history      balances as of then, statements, searches
//!   instructions holds, captures, reversals, legs, exchanges; dry runs
//!   arrangements terms of interest, closed periods, standing orders
//!   notices      what holders are told, and how
//!   names        an account by its id, IBAN or external reference
//!   books        what the ledger keeps beside its journal
//! in_order       long runs of transfers: batches that can never overtake each other
//! outcome        posted or rejected
//! short_reply    what a reply had no room for, looked up
//! backoff        the pauses between queries that wait for a change
//! ```
//!
//! ```no_run
//! # async fn salaries() -> Result<(), Box<dyn std::error::Error>> {
//! use shared_events::{MessageId, amqp::ConnectionParameters, client::Client};
//! use teller_client::{Teller, input};
//!
//! let amqp = ConnectionParameters::new("amqp://client:client-dev@127.0.0.1:5672/bank", None)?;
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

mod accounts;
mod arrangements;
mod backoff;
mod bank;
mod books;
mod error;
mod history;
pub mod in_order;
pub mod input;
mod instructions;
mod ledger;
mod names;
mod notices;
mod outcome;
mod short_reply;

pub use backoff::Backoff;
pub use bank::{AT_ONCE, Teller};
pub use error::{Refusal, TellerError, code_of};
pub use instructions::{Decided, account_on, instruction};
pub use ledger::transfer;
pub use outcome::Outcome;
