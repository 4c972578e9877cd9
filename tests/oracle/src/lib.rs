//! The required behaviour of a ledger. Promise: written from the documents of the contract alone;
//! no line of the ledger service is imported, so that a fault of the ledger cannot be a fault here
//! as well.
//!
//! ```text
//! model      the ledger in its simplest form: single-threaded, no storage, no batches
//! checker    compares everything that a ledger received, announced and stored with the model
//! ```

pub mod checker;
pub mod model;
