//! Who has which account, on what terms, in what state. The names here are the latest versions.

pub mod v1;

pub use v1::*;
