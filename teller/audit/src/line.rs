//! The lines of an exported journal: records, and where the chains ended.

use serde::{Deserialize, Serialize};
use shared_events::{
    TransferId,
    ledger::{ChainEnd, ChainedRecord, Hash256},
};

use super::difference::{Row, Table};

/// A record in its place: what a chain can be proved with, and nothing else.
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
    /// The end of each chain.
    pub ends: Vec<ChainEnd>,
}

impl Line {
    /// The row that it comes from.
    pub(super) const fn row(&self) -> Row {
        Row::of(Table::Journal).in_chain(self.chain, self.place).transfer(self.transfer_id)
    }
}

impl From<&ChainedRecord> for Line {
    fn from(it: &ChainedRecord) -> Self {
        Self {
            chain: it.chain.into(),
            place: it.place,
            transfer_id: it.transfer_id,
            digest: it.digest,
            hash: it.hash,
            record: it.record.clone(),
        }
    }
}
