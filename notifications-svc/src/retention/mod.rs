//! Retention: deletes old notifications. Promise: the tables grow with the notifications of some
//! months, and not with the age of the bank; a step is short, and pending deliveries stay.
//!
//! ```text
//! job    walks through old notifications, once an hour
//! repo   one step of the walk
//! ```

mod job;
mod repo;

pub(crate) use job::RetentionJob;
