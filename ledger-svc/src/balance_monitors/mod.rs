//! Balance monitors: an event when a posting carries a balance over a mark.
//!
//! ```text
//! entity    the monitor, and the rule by which a posting raises it
//! command   setting and removing a monitor
//! repo      the table of monitors
//! ```

pub(crate) mod command;
mod entity;
pub(crate) mod repo;

pub(crate) use entity::observe;
pub use entity::{Monitor, MonitorCondition, MonitorRaised};
