//! What became of the rows of a file.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use shared_events::{TransferId, code::Open, ledger::RejectReason};

use crate::ledger::Outcome;

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

/// What became of the rows so far.
pub(crate) struct Results {
    lines: HashMap<TransferId, usize>,
    pub(crate) posted: usize,
    pub(crate) rejections: Vec<Rejection>,
}

impl Results {
    /// None yet of these transfers, each with its line.
    pub(crate) fn of(rows: impl Iterator<Item = (TransferId, usize)>) -> Self {
        Self { lines: rows.collect(), posted: 0, rejections: vec![] }
    }

    pub(crate) fn take(&mut self, outcomes: Vec<Outcome>) {
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

    pub(crate) fn count(&self) -> usize {
        self.posted + self.rejections.len()
    }

    pub(crate) fn by_reason(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for rejection in &self.rejections {
            *counts.entry(rejection.reason.to_string()).or_default() += 1;
        }
        counts
    }
}
