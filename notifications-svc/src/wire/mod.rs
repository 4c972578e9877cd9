//! The border to the bus: the only place that names messages of the contract. Promise: inside the
//! service there are its own types, with checked values; every outcome becomes one message.
//!
//! ```text
//! notifications.events   ──> inbound ──> notifications ────────────┐
//! notifications.commands ──> inbound ──> recipients, deliveries ───┼──> outbound ──> events,
//! notifications.queries  ──> inbound ──> recipients, notifications ┘                 replies
//! notifications.erasures ──> erasure ──> outbound ──> events
//! delivery workers ────────> outbound::delivery_event ──> events
//!
//! consumers   one for each subscription: inbound, capability, outbound
//! inbound     messages as requests with checked fields, events as triggers
//! outbound    outcomes as messages: an exhaustive match
//! names       channels, topics and statuses in the contract
//! ```

mod consumers;
mod consumers_erasures;
mod inbound;
mod names;
mod outbound;

pub(crate) use consumers::{NotifiableEvents, NotificationCommands, NotificationQueries};
pub(crate) use consumers_erasures::ErasureEvents;
pub(crate) use outbound::delivery_event;
