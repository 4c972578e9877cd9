//! The hash chain of the journal. Promise: a record's hash covers every byte of the record and of
//! all records before it in its chain, so a change anywhere shows from there on.

use sha2::{Digest, Sha256};

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
