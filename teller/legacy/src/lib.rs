//! A legacy bank's export: its accounts and every transaction they ever had, moved into this bank
//! and compared day by day. Promise: an import does nothing twice and can be stopped and started
//! at any point; a bad row is listed and stops nothing else.
//!
//! ```text
//! lines            fields of one line; a line that cannot be split is a bad row
//! customers        account.asc, client.asc, disp.asc: accounts and their owners
//! transactions     trans.asc: rows, and the internal account on the other side of each
//! read             all of it, and the bad rows
//! plan             accounts to open and rows to post, in their order    (pure)
//! ready            opens accounts, and waits until they can take rows
//! import           does it
//! compare          the ledger's books against the printed balances      (pure)
//! reconcile        fetches the ledger's books
//! orders           order.asc: standing orders, set for the future
//! ```
//!
//! ```no_run
//! # async fn migrate(bank: teller_client::Teller) -> Result<(), Box<dyn std::error::Error>> {
//! let export = teller_legacy::read(std::path::Path::new("export"))?;
//! let imported = teller_legacy::import(&bank, &export, |_| {}).await?;
//! let reconciled = teller_legacy::reconcile(&bank, &export, |_| {}).await?;
//! assert_eq!(imported.posted, reconciled.posted);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod compare;
mod customers;
mod import;
mod lines;
mod orders;
mod plan;
mod read;
mod ready;
mod reconcile;
mod transactions;

pub use compare::{Class, Comparison, Entry, LedgerEntries, Mismatch, Tally, compare};
pub use customers::LegacyAccount;
pub use import::{Imported, Progress, import};
pub use lines::BadRow;
pub use orders::{LegacyOrder, LegacyOrders, LoadedOrders, load_orders, read_orders};
pub use plan::{Plan, PlannedAccount, PlannedRow, account_id, plan, transfer_id};
pub use read::{Export, Files, parse, read};
pub use ready::AccountCounts;
pub use reconcile::{Reconciled, reconcile};
pub use transactions::LegacyRow;
