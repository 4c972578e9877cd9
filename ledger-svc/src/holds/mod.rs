//! Holds.

pub mod entity;
pub mod repo;
