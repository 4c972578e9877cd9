//! Erasure of a holder's data. Promise: no name, IBAN, address, key or preference of the holder
//! stays, and nothing that the holder was told; nothing that comes late brings any of it back.
//!
//! **A batch of erasures** has these steps, for any size:
//! 1. Lock the deliveries, in the order of their ids. A delivery worker that records an attempt has
//!    locked its deliveries in the same order, and the erasure waits for it. Only a later statement
//!    sees the attempt, so nothing is deleted here.
//! 2. Lock the table of recipients. Whoever makes notifications has read it: none that has read
//!    addresses of before the erasure stores a text after it, or a row between the statements. A
//!    delivery worker, too, locks recipients after deliveries. No batch of events pays for this.
//! 3. Lock the deliveries that were made meanwhile.
//! 4. Erase the recipients, or store them erased, so that later descriptions bring nothing back.
//! 5. Delete attempts, deliveries, pending ones as well, and notifications.
//!
//! An attempt that ends after the erasure finds no delivery: it stores, decides and announces
//! nothing.
//!
//! ```text
//! entity    a holder whose data are to be erased
//! command   erases the data of holders
//! repo      the locks; erased recipients; what an account's holder was told
//! ```

mod command;
mod entity;
mod repo;

pub(crate) use command::erase_in_tx;
pub(crate) use entity::ErasedHolder;
