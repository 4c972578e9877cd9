//! Hold expiry.

pub mod job;
pub mod rules;
