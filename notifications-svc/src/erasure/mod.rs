//! Erasure of a holder's data. Promise: no name, address or key of the holder stays, and nothing
//! that the holder was told; an older description of the holder that comes late brings nothing
//! back.
//!
//! ```text
//! entity    a holder whose data are to be erased
//! command   erases the data of holders
//! repo      a recipient without a holder; all notifications of an account
//! ```

mod command;
mod entity;
mod repo;

pub(crate) use command::erase_in_tx;
pub(crate) use entity::ErasedHolder;
