//! Erasures: the texts of closed customers' payments. Promise: references and end-to-end ids of an
//! account's payments are erased in the end, whatever stops the ledger meanwhile; no record, hash
//! or balance changes, and posting goes on.
//!
//! The journal has no index by account, and no posting pays for one: an erasure looks through each
//! chain up to the end that it had, a bounded number of records at a time. Refusals that name the
//! account are found like payments. What is refused to others later, because the account is closed,
//! keeps its texts like any refusal.
//!
//! ```text
//! entity    an account whose texts are to be erased, and an erasure that is done
//! command   begins an erasure
//! job       carries erasures out, and announces those that are done
//! repo      the table of erasures, and the texts
//! ```

mod command;
mod entity;
mod job;
mod repo;

pub(crate) use command::begin_in_tx;
pub(crate) use entity::{ErasedTexts, Request};
pub(crate) use job::ErasureJob;
