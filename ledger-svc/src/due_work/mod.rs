//! Due work.

pub mod gauges;
pub mod job;
pub mod repo;
