//! Digit correction.

pub mod job;
pub mod rules;
