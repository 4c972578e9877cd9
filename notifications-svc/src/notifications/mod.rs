//! Notifications of events.

pub(crate) mod command;
pub(crate) mod page;
pub(crate) mod query;
pub(crate) mod repo;
pub(crate) mod routing;
