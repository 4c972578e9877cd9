//! Standing orders.

pub mod command;
pub mod entity;
pub mod execution;
pub mod job;
pub mod repo;
pub mod schedule;
