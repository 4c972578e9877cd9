//! The tables of deliveries and attempts.

pub(crate) mod attempts;
pub(crate) mod claims;
pub(crate) mod deliveries;
