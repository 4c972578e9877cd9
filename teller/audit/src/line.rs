//! The lines of an exported journal: records, and where the chains ended.

use serde::{Deserialize, Serialize};
use shared_events::{
    TransferId,
    accounts::HistoryEnd,
    evidence::{ChainEnds, Hash256, StatedEnd},
    ledger::{CHAINS, ChainEnd, ChainedRecord},
    owned::{Ledger, Owner as _},
};

use super::difference::{Row, Table};

/// A record in its place: the fields that prove a chain, and no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which chain, from 0.
    pub chain: i16,
    /// The place in the chain, from 1, without gaps.
    pub place: i64,
    /// The id that it is kept under.
    pub transfer_id: TransferId,
    /// The digest of the instruction's content (BLAKE3).
    pub digest: Hash256,
    /// SHA-256 of the hash before it, the digest and the record's text.
    pub hash: Hash256,
    /// The record's text, as it is hashed.
    pub record: String,
}

/// Where the chains ended when an export was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// The end of each chain of the journal.
    pub ends: Vec<ChainEnd>,
    /// The end of the history of accounts and grants. Lines of older exports do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryEnd>,
}

/// Ends of chains that were kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// Ends of chains of the journal.
    pub ends: Vec<ChainEnd>,
    /// Ends of the history of accounts and grants.
    pub history: Vec<HistoryEnd>,
}

impl Anchors {
    /// Adds the ends of another file.
    pub fn extend(&mut self, others: Self) {
        self.ends.extend(others.ends);
        self.history.extend(others.history);
    }

    /// Adds the ends of a line.
    pub(super) fn add(&mut self, ends: Ends) {
        self.ends.extend(ends.ends);
        self.history.extend(ends.history);
    }

    /// Adds the ends of a statement that a service has signed. While nothing is written, its
    /// statements say the same again.
    pub(super) fn add_stated(&mut self, stated: &ChainEnds) {
        for &StatedEnd { chain, place, hash } in stated.ends() {
            match stated.service() {
                Ledger::NAME => add_new(&mut self.ends, ChainEnd { chain, place, hash }),
                _ => add_new(&mut self.history, HistoryEnd { place, hash }),
            }
        }
    }
}

/// Adds an end that is none of the last statement's.
fn add_new<T: PartialEq>(ends: &mut Vec<T>, end: T) {
    let is_known = ends.iter().rev().take(CHAINS.into()).any(|known| *known == end);
    if !is_known {
        ends.push(end);
    }
}

impl Line {
    /// The row that it comes from.
    pub(super) const fn row(&self) -> Row {
        Row::of(Table::Journal).in_chain(self.chain, self.place).transfer(self.transfer_id)
    }
}

impl From<&ChainedRecord> for Line {
    fn from(record: &ChainedRecord) -> Self {
        Self {
            chain: record.chain.into(),
            place: record.place,
            transfer_id: record.transfer_id,
            digest: record.digest,
            hash: record.hash,
            record: record.record.clone(),
        }
    }
}
