//! Notifications on their way through one channel.

pub(crate) mod attempt;
pub(crate) mod entity;
pub(crate) mod job;
pub(crate) mod recovery;
pub(crate) mod repo;
pub(crate) mod schedule;
pub(crate) mod traffic;
