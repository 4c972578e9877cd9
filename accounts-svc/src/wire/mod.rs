//! The border to the bus: the only place that names messages of the contract. Promise: inside the
//! service there are its own types, with checked values; every outcome becomes one message.
//!
//! ```text
//! accounts.commands ──> inbound ──> accounts::command ──┐
//! accounts.events   ──> inbound ──> accounts::command ──┼──> outbound ──> events, replies
//! accounts.queries  ──> inbound ──> directory::query  ──┤
//!                       history ──> history::query    ──┤
//! accounts.grants   ──> access  ──> access::command   ──┤
//! accounts.erasures ──────────────> erasures::command ──┘
//!
//! consumers   one for each subscription: inbound, capability, outbound
//! access      grants of principals, in both directions
//! history     authors of changes, and pages of the history and the books
//! inbound     messages as requests with checked fields
//! outbound    outcomes as messages: an exhaustive match
//! ```

mod access;
mod consumers;
mod consumers_access;
mod consumers_erasures;
mod history;
mod inbound;
mod outbound;

pub(crate) use access::access_events;
pub(crate) use consumers::{AccountCommands, AccountQueries, LedgerEvents};
pub(crate) use consumers_access::AccessCommands;
pub(crate) use consumers_erasures::ErasureEvents;
