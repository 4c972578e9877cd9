//! The proof of the books. Promise: books that verify follow, row by row, from a journal that
//! is unchanged since an anchor was taken; of other books the first row that differs is named.
//!
//! ```text
//! walk        records of all chains, in an order in which every account's versions follow
//!   links     places without a gap; each hash from the one before; the ends; anchors
//!   beside    columns and entries that stand beside a record follow from it
//!   erased    records without texts name an account that was erased
//!   replay    balances, holds and reversals, as the records lead to them
//! compare     the ledger's state snapshot, against the replay
//! history     changes of accounts and grants; the rows that follow from them, in both services
//! books       all of this over the bus, while the bank works
//! export      the journal as JSON Lines; file: the same proof of such a file, without any bank
//! witness     signed statements of chain ends, kept outside the bank and compared
//! ```
//!
//! Memory grows with accounts, changes of their status and limits, holds and reversed transfers,
//! not with records or entries; of records without texts, with those that are erased meanwhile.
//!
//! ```no_run
//! # async fn prove(bank: teller_client::Teller) -> Result<(), Box<dyn std::error::Error>> {
//! use teller_audit::{Anchors, Verdict};
//!
//! match teller_audit::verify_books(&bank, &Anchors::default(), |_, _| {}).await? {
//!     Verdict::Verified(verified) => println!("{} records follow", verified.records),
//!     Verdict::Different(difference) => println!("{difference}"),
//! }
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod beside;
mod books;
mod compare;
mod difference;
mod erased;
mod export;
mod file;
mod history;
mod line;
mod links;
mod replay;
mod walk;
mod witness;

#[cfg(test)]
mod tests;

use serde::Serialize;
use shared_events::{Currency, Total, accounts::HistoryEnd, ledger::ChainEnd};

pub use books::verify_books;
pub use difference::{Difference, Row, Table};
pub use export::{ExportError, Exported, export_journal, export_journal_to};
pub use file::{anchors, verify};
pub use line::{Anchors, Ends, Line};
pub use witness::{Contradiction, Heard, KeyFile, Skipped, Witness, WitnessError, WitnessKeys};

/// The result of a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// All of it follows.
    Verified(Verified),
    /// The first row that differs.
    Different(Box<Difference>),
}

/// The figures of the proved books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Records of the journal.
    pub records: u64,
    /// Entries that follow from them.
    pub entries: u64,
    /// Accounts that they touch.
    pub accounts: usize,
    /// Holds that they placed.
    pub holds: usize,
    /// Transfers of which they reversed something.
    pub reversals: usize,
    /// The turnover by currency: debits and credits are equal.
    pub turnover: Vec<Turnover>,
    /// Where the chains end: the anchor for a later proof.
    pub ends: Vec<ChainEnd>,
    /// Where the history of accounts and grants ends: its place is the number of changes. Absent:
    /// the proof of a file, which has no history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryEnd>,
    /// Records whose texts were erased. Zero in the proof of a file, which has no texts.
    #[serde(skip_serializing_if = "is_zero")]
    pub erased: u64,
    /// Ends that were expected beyond the end of a file, which were not looked for: the bank has
    /// them, and a file of an earlier day does not.
    #[serde(skip_serializing_if = "is_zero")]
    pub beyond: usize,
}

fn is_zero<N: Default + PartialEq>(count: &N) -> bool {
    *count == N::default()
}

/// The sums of all entries in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turnover {
    /// Which currency.
    pub currency: Currency,
    /// All debits.
    pub debits: Total,
    /// All credits.
    pub credits: Total,
}
