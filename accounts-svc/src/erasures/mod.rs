//! Erasures: holders whose data are erased in all services. Promise: an erasure is completed once,
//! when each of the other services has erased its part; one that is not completed is seen.
//!
//! ```text
//! entity    the services' parts, and a completed erasure
//! command   begins erasures; follows what the other services have erased
//! job       shows erasures that are not completed
//! repo      the table of erasures
//! ```

mod command;
mod entity;
mod job;
mod repo;

pub(crate) use command::{begin_in_tx, follow_in_tx};
pub(crate) use entity::{Completed, Part, PartErased};
pub(crate) use job::ErasureGauges;
