//! What the service does with messages: load, decide, save, announce.
//!
//! ```text
//! commands       what clients ask for
//! ledger_events  the ledger's half of opening and closing
//! queries        what clients want to know
//! announce       decisions as events of the contract
//! save           what a batch changed, as rows
//! ```

mod announce;
mod commands;
mod ledger_events;
mod queries;
mod save;

pub(crate) use commands::Commands;
pub(crate) use ledger_events::LedgerEvents;
pub(crate) use queries::Queries;
