//! The words of proofs: hashes of a chain, authors, commitments to text that can be erased, and
//! signed ends of chains.
//! Promise: every byte that goes into a hash is fixed by this module's documentation, so that
//! anybody can compute it again.
//!
//! ```text
//! hash        32 bytes, and the hash of the next record of a chain
//! authorship  the principal, the person behind it, and the approver
//! commitment  a digest of text under a salt: without the salt nobody can guess the text
//! chain_ends  where the chains of a service ended, as a text that the service signs
//! signed_note the signed form of a text (with the feature `client`)
//! ```

mod authorship;
mod chain_ends;
mod commitment;
mod hash;
#[cfg(feature = "client")]
mod signed_note;

pub use authorship::Authorship;
pub use chain_ends::{ChainEnds, NoChainEnds, StatedEnd, origin_of};
pub use commitment::{Salt, commitment};
pub use hash::Hash256;
#[cfg(feature = "client")]
pub use signed_note::{
    InvalidKey, InvalidNote, NOTE_BYTES_MAX, SigningKey, VerifyingKey, open_note,
};
