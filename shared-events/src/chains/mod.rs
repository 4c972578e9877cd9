//! Signed ends of a service's chains: the same event for every service that has chains. The names
//! here are the latest versions.

pub mod v1;

pub use v1::*;
