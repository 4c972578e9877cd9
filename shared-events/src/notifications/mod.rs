//! Who is told what, and whether it arrived. The names here are the latest versions.

pub mod v1;

pub use v1::*;
