//! Which events tell whom.

pub(crate) mod payload;
pub(crate) mod rules;
