//! The journal: every decided instruction, as a record in one of four hash chains. Promise: the
//! bytes of a stored record, its digest and its chain hash never change, whatever becomes of the
//! contract's messages or of the ledger's own types.
//!
//! ```text
//! record_v1   the stored record, its digest and its JSON text: frozen, held by golden files
//! chain       the hash that ties a record to the one before
//! conversion  from what the ledger decided to the record, and back
//! ```

pub(crate) mod chain;
pub(crate) mod conversion;
pub(crate) mod job;
pub mod record_v1;
pub(crate) mod repo;
