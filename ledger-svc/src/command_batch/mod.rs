//! Command batch.

pub mod command;
