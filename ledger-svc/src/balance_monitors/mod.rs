//! Balance monitors.

pub mod command;
pub mod entity;
pub mod repo;
