//! The words of proofs: hashes of a chain, authors, and commitments to text that can be erased.
//! Promise: every byte that goes into a hash is fixed by this module's documentation, so that
//! anybody can compute it again.
//!
//! ```text
//! hash        32 bytes, and the hash of the next record of a chain
//! authorship  the principal, the person behind it, and the approver
//! commitment  a digest of text under a salt: without the salt nobody can guess the text
//! ```

mod authorship;
mod commitment;
mod hash;

pub use authorship::Authorship;
pub use commitment::{Salt, commitment};
pub use hash::Hash256;
