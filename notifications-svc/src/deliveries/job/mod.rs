//! Sends due deliveries.

pub(crate) mod backlog;
pub(crate) mod recording;
pub(crate) mod wakeup;
pub(crate) mod worker;
