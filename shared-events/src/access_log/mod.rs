//! Who has asked a service for what: the same query for every service. The names here are the
//! latest versions.

pub mod v1;

pub use v1::*;
