//! Account lifecycle.

pub mod closing;
pub mod rules;
