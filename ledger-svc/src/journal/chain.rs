//! The hash chain of the journal. Promise: a record's hash covers every byte of the record and of
//! all records before it in its chain, so a change anywhere shows from there on.

use sha2::{Digest, Sha256};

use crate::bank_calendar::Clock;

/// The number of chains. Transactions that run side by side extend different chains.
pub const CHAINS: u8 = 4;

/// The hash at one sequence of a chain: SHA-256 (FIPS 180-4). Zeros before the first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// The hash of the next record: over this hash, the digest of the record's instruction, and the
    /// record's JSON text as it is stored.
    #[must_use]
    pub fn of_next(self, digest: [u8; 32], record: &str) -> Self {
        let hasher = Sha256::new().chain_update(self.0).chain_update(digest);
        Self(hasher.chain_update(record).finalize().into())
    }
}

/// The end of the chain that this transaction extends, and the instant of its decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainEnd {
    pub(crate) number: i16,
    /// The sequence of the last record.
    pub(crate) sequence: i64,
    pub(crate) hash: ChainHash,
    /// By the database's clock, after all accounts were locked. If that clock has gone back, the
    /// instant of the last decision: every earlier decision about these accounts was committed
    /// before they were locked, so it is seen here, and the instants of an account's entries never
    /// go back.
    pub(crate) clock: Clock,
}

impl ChainEnd {
    /// The end of the chain after one more record.
    pub(crate) fn after(self, digest: [u8; 32], record: &str) -> Self {
        Self { sequence: self.sequence + 1, hash: self.hash.of_next(digest, record), ..self }
    }
}
