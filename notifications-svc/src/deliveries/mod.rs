//! Deliveries: a notification on its way through one channel. Promise: every delivery ends, and its
//! end is an event; attempt, delivery and event are one transaction; two instances do not send the
//! same attempt.
//!
//! ```text
//! pending ──(claim: a lease by the database's clock)──> sending ──(record)──> succeeded, failed,
//!    ^                                                                      │  or pending again
//!    └──────────────── by the schedule, or by a command (resend, recover) ──┘
//!
//! entity     a delivery: to store, due, on its way, listed
//! attempt    the result of an attempt, and the step that follows
//! schedule   the delays before the attempts
//! traffic    the caps for accounts and hosts, so that a slow receiver delays nobody but itself
//! transport  the trait of a channel's transport
//! event      the events of deliveries
//! recovery   the failed deliveries that a command sends again
//! command    sends deliveries again
//! job        the delivery worker of each channel, the record of attempts, the backlog metrics
//! repo       the tables of deliveries and attempts
//! ```

mod attempt;
pub(crate) mod command;
mod entity;
mod event;
pub(crate) mod job;
mod recovery;
pub(crate) mod repo;
mod schedule;
mod traffic;
mod transport;

pub(crate) use attempt::{AttemptOutcome, AttemptResult, without_address};
pub(crate) use entity::{Delivery, DeliveryStatus, NewDelivery, PendingDelivery, ResentDelivery};
pub(crate) use event::{DeliveryEvent, DeliveryFacts, ToEvent};
pub(crate) use job::Wakeup;
pub(crate) use recovery::Recovery;
pub(crate) use schedule::Schedule;
pub(crate) use traffic::TrafficLimits;
pub(crate) use transport::Transport;
