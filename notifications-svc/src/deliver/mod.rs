//! Hands deliveries over to the world outside. Promise: a delivery that is due is tried, by one
//! courier at a time; no transaction is open while the world answers; what came of it is recorded
//! together with its event, or the delivery is tried again.
//!
//! ```text
//! bells      rung when deliveries were made; couriers wake and look
//! courier    claim what is due ─> send, a bounded number at once ─> record
//! mail       one e-mail by SMTP            \
//! webhook    one signed request by HTTP     > what the other side answered
//! guard      keeps webhooks out of the bank's own network
//! record     attempts, deliveries and events in one transaction
//! gauges     what waits, for operators
//! ```

mod bells;
mod courier;
mod gauges;
mod guard;
mod mail;
mod record;
mod webhook;

pub(crate) use bells::Bells;
pub(crate) use courier::{Courier, Way};
pub(crate) use gauges::Gauges;
pub(crate) use mail::Mailer;
pub(crate) use webhook::Caller;
