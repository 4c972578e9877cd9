//! What stands on the bus.

mod consumers;
pub(crate) mod outbound;

pub(crate) use consumers::LedgerEvents;
