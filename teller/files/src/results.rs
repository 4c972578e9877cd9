//! The outcomes of a file's rows.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use shared_events::{TransferId, code::Open, ledger::RejectReason};
use teller_client::Outcome;

/// A row that the ledger rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Its line in the file.
    pub line: usize,
    /// The transfer.
    pub transfer_id: TransferId,
    /// The reason code.
    pub reason: Open<RejectReason>,
}

/// The outcomes of the rows so far.
#[derive(Debug)]
pub struct Results {
    lines: HashMap<TransferId, usize>,
    /// How many are posted.
    pub posted: usize,
    /// The rejected ones.
    pub rejections: Vec<Rejection>,
}

impl Results {
    /// None yet of these transfers, each with its line.
    pub fn of(rows: impl Iterator<Item = (TransferId, usize)>) -> Self {
        Self { lines: rows.collect(), posted: 0, rejections: vec![] }
    }

    /// Adds the outcomes of one command.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Posted(_) => self.posted += 1,
                Outcome::Rejected(rejected) => {
                    let transfer_id = rejected.transfer_id;
                    let line = self.lines.get(&transfer_id).copied().unwrap_or_default();
                    let reason = rejected.reason;
                    self.rejections.push(Rejection { line, transfer_id, reason });
                }
            }
        }
    }

    /// How many have an outcome.
    #[must_use]
    pub fn count(&self) -> usize {
        self.posted + self.rejections.len()
    }

    /// How many were rejected for which reason.
    #[must_use]
    pub fn by_reason(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for rejection in &self.rejections {
            *counts.entry(rejection.reason.to_string()).or_default() += 1;
        }
        counts
    }
}
