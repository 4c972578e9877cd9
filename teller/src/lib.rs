//! The client of the bank: a library to publish commands, ask questions and watch events, and the
//! command line on top of it.
//!
//! ```text
//! input          what a person wrote, checked before anything is sent: field and rule
//! bank           `Teller`: one connection; commands under the caller's id, questions, live events
//!   accounts     open, freeze, close, change, look up
//!   ledger       transfers, balances, the trial balance
//!   history      balances as of then, statements, searches
//!   camt053      a statement as ISO 20022 camt.053
//!   instructions holds, captures, reversals, legs, exchanges; dry runs
//!   instruction_list  a JSON file of them: read it, give ids that follow from what is asked
//!   notices      what holders are told, and how
//!   names        an account by its id, IBAN or external reference
//! short_reply    what a reply had no room for, looked up
//! in_order       long runs of transfers: batches that can never overtake each other
//! changed        what was changed in a file since it was sent: recognised, and told field by field
//! payments       a file of payments, from rows to outcomes; what was paid is not paid again
//! audit          the proof of the books: journal, balances, export
//! legacy         a legacy bank's export: read it, plan it, import it, compare it
//! cli            the command line: one file for each group of commands
//! ```
//!
//! ```no_run
//! # async fn salaries() -> Result<(), Box<dyn std::error::Error>> {
//! use shared_events::{MessageId, amqp::ConnectionParameters, client::Client};
//! use teller::{Teller, input};
//!
//! let amqp = ConnectionParameters::new("amqp://client:client-dev@127.0.0.1:5672/bank", None)?;
//! let bank = Teller::new(Client::new(amqp, "salaries"));
//! let employer = bank.resolve(&input::party("debtor", "ref:employer")?).await?;
//! let clerk = bank.resolve(&input::party("creditor", "ref:clerk-7")?).await?;
//! let money = input::money("2400.00", "EUR")?;
//! // Keep the id: the same transfer sent again has the same outcome, and no second effect.
//! let id = MessageId::new();
//! let transfer = teller::transfer(id, employer, clerk, money);
//! let outcome = bank.transfer(id, transfer).await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod accounts;
mod arrangements;
pub mod audit;
mod bank;
mod camt053;
mod changed;
pub mod cli;
mod error;
mod history;
pub mod in_order;
pub mod input;
pub mod instruction_list;
mod instructions;
mod ledger;
pub mod legacy;
mod names;
mod notices;
mod pause;
pub mod payments;
mod results;
mod short_reply;

pub use bank::Teller;
pub use camt053::Servicer;
pub use error::{Refusal, TellerError};
pub use instructions::{Decided, instruction};
pub use ledger::{Outcome, transfer};
pub use results::Rejection;
