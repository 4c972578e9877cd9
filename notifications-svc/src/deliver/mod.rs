//! Hands deliveries over to the world outside. Promise: a delivery that is due is tried, by one
//! courier at a time; no transaction is open while the world answers; what came of it is recorded
//! together with its event, or the delivery is tried again.
//!
//! ```text
//! bells      rung when deliveries were made; couriers wake and look
//! courier    claim what is due and may be sent ─> send, a bounded number at once ─> record
//! mail       one e-mail by SMTP (smtp)     \
//! webhook    one signed request by HTTP     > what the other side answered
//! guard      keeps webhooks out of the bank's own network
//! record     attempts, deliveries and events in one transaction
//! gauges     what waits, for operators
//! prune      what is old enough is deleted
//! ```

mod bells;
mod courier;
mod gauges;
mod guard;
#[path = "../transports/email/mail.rs"]
mod mail;
mod prune;
mod record;
mod smtp;
mod webhook;

pub(crate) use bells::Bells;
pub(crate) use courier::{Courier, Way};
pub(crate) use gauges::Gauges;
pub use mail::InvalidSmtp;
pub(crate) use mail::Mailer;
pub(crate) use prune::Pruner;
pub(crate) use webhook::Caller;

use std::{future::Future, time::Duration};

use shared_events::messaging::HandleError;
use tokio::time::timeout;

/// The longest that one piece of work with the database may take. A database that is silent for so
/// long is away, whatever its connection says.
const DATABASE_MAX: Duration = Duration::from_secs(20);

/// Bounds work with the database.
async fn in_time<T>(work: impl Future<Output = Result<T, HandleError>>) -> Result<T, HandleError> {
    let silent = |_| HandleError::Transient("the database does not answer".into());
    timeout(DATABASE_MAX, work).await.unwrap_or_else(|late| Err(silent(late)))
}
