//! Deletes old notifications.

pub(crate) mod job;
pub(crate) mod repo;
