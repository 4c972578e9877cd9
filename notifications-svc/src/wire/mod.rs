//! The border to the bus.

pub(crate) mod consumers;
