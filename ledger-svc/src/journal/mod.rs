//! The journal: every decided instruction, as a record in one of four hash chains. Promise: the
//! bytes of a stored record, its digest and its chain hash never change, however the contract's
//! messages and the ledger's own types change.
//!
//! ```text
//! record_v1   the stored record and its JSON text: frozen, held by golden files
//! record_v2   the same with its author, and with a commitment in place of texts: what is written
//! content     the digest of an instruction's content, in both versions
//! chain       the hash that ties a record to the record before, and the end of a chain
//! repo        taking the end of a chain; finding records by their ids
//! job         tables for the months to come
//! ```

mod chain;
mod content;
mod job;
pub mod record_v1;
pub mod record_v2;
pub(crate) mod repo;

pub(crate) use chain::ChainEnd;
pub use chain::{CHAINS, ChainHash};
pub(crate) use job::JournalMonths;
