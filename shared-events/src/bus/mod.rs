//! Delivery: the part where a bug loses money, written once for all services. It knows nothing of
//! accounts or money. Promise: **one transaction** holds a change of state, the proof that its
//! message was seen and the events it announces; **published means confirmed**; **acknowledged
//! means committed**; **exactly one effect**, however often a message arrives.
//!
//! ```text
//! consumer     take what is ready on a subscription's queues, up to a bound, waiting for nothing
//! window       how much of it may be in memory
//! intake       from bytes to messages; what cannot be read is set aside
//! batch        inbox, handler, outbox in ONE transaction; one by one if it fails
//! suspects     messages that came back too often; alone: each handled by itself
//! inbox_key    under which key a message is known
//! handler      what a service writes: given a transaction and messages, returns outcomes
//! dispose      after the commit: wait for a retry, park, reply; then one acknowledgement
//! outbox       rows of committed events, joined into messages, handed to the relay in memory
//! relay        pipelined, confirmed publishes; a row goes away only when confirmed
//! table        what the relay reads and deletes meanwhile
//! reply        what whoever asked is told, no larger than a message may be
//! patience     how long work on the database may take; alive: parts that outlive their panics
//! session      a database's session for one client alone, with its settings
//! answer       queries: read-only transaction, reply, nothing stored
//! service      puts it together: `Service::new(..).consume(..).answer(..).run(shutdown)`
//! client       the other side: confirmed commands, replies, questions, live events
//!
//! connection   one supervised connection for each role, over a socket that notices silence
//! mend         what comes from it, before the driver's parser sees it
//! ```

mod amqp;
mod client;
mod connection;
mod guard;
mod health;
mod incoming;
mod mend;
mod parked;
mod publish;
mod socket;

pub use amqp::Amqp;
pub use client::{AskError, Client, Delivered, RequestError, SendOptions};
pub use connection::BusError;
pub use health::Health;
pub use incoming::Watch;
pub use parked::{Chosen, ParkedMessage, ParkedQueue};

#[cfg(feature = "bus")]
mod alive;
#[cfg(feature = "bus")]
mod alone;
#[cfg(feature = "bus")]
mod answer;
#[cfg(feature = "bus")]
mod batch;
#[cfg(feature = "bus")]
mod consumer;
#[cfg(feature = "bus")]
mod database;
#[cfg(feature = "bus")]
mod dispose;
#[cfg(feature = "bus")]
mod handler;
#[cfg(feature = "bus")]
mod inbox;
#[cfg(feature = "bus")]
mod inbox_key;
#[cfg(feature = "bus")]
mod intake;
#[cfg(feature = "bus")]
mod join;
#[cfg(feature = "bus")]
mod lane;
#[cfg(feature = "bus")]
mod outbox;
#[cfg(feature = "bus")]
mod patience;
#[cfg(feature = "bus")]
mod relay;
#[cfg(feature = "bus")]
mod reply;
#[cfg(feature = "bus")]
mod service;
#[cfg(feature = "bus")]
mod session;
#[cfg(feature = "bus")]
mod suspects;
#[cfg(feature = "bus")]
mod table;
#[cfg(feature = "bus")]
mod verify;
#[cfg(feature = "bus")]
mod waves;
#[cfg(feature = "bus")]
mod window;
#[cfg(feature = "bus")]
mod work;

#[cfg(feature = "bus")]
pub use answer::{Answer, Answerer};
#[cfg(feature = "bus")]
pub use database::{Database, MIGRATOR, Tx, connect_database};
#[cfg(feature = "bus")]
pub use handler::{Event, HandleError, Handler, Idempotency, Outcome, Received};
#[cfg(feature = "bus")]
pub use service::{Service, ServiceError};
#[cfg(feature = "bus")]
pub use session::UnfitDatabase;
#[cfg(feature = "bus")]
pub use work::{Work, Worker, Workshop};
