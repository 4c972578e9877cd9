//! Erasure of a holder's data. Promise: no name, address or key of the holder stays, and nothing
//! that the holder was told; an older description of the holder that comes late brings nothing
//! back.
//!
//! ```text
//! command   erases the data of holders
//! repo      a recipient without a holder; all notifications of an account
//! ```

mod command;
mod repo;

pub(crate) use command::{ErasedHolder, erase_in_tx};
