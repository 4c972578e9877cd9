//! Delivery inside a service: the part where a bug loses money, written once for all services. It
//! knows nothing of accounts or money. Promise: **one transaction** holds a change of state, the
//! proof that its message was seen and the events it announces; **published means confirmed**;
//! **acknowledged means committed**; **exactly one effect**, however often a message arrives.
//!
//! ```text
//! service             puts a service together: `Service::new(..).consume(..).answer(..).run(..)`
//! topology_check      compares the broker with the topology before anything is consumed
//!
//! consumer            takes the ready deliveries of a subscription's queues, up to a bound
//! prefetch_window     how many unacknowledged messages keep a consumer's memory within its bound
//! decode              from bytes to messages; a message that cannot be read is set apart
//! batch               inbox, handler and outbox in ONE transaction; one by one if it fails
//! sub_batches         parts of a batch in which each id comes once
//! handler             what a service writes: given a transaction and messages, returns outcomes
//! inbox, inbox_key    which messages have had their effect, and under which key each is known
//! redelivery          messages that were delivered too often; isolated: each handled by itself
//! disposition         after the commit: wait for a retry, park, reply; then one acknowledgement
//! reply               the answer to a command or query, no larger than a message may be
//!
//! outbox              rows of committed events, and the queue in memory to the relay
//! coalesce            joins the events of one transaction into few messages
//! outbox_partition    which relay publishes which rows
//! relay               pipelined, confirmed publishes; a row is deleted once it is confirmed
//! outbox_table        what the relay reads and deletes beside the publishing
//!
//! query_consumer      queries: a read-only transaction, a reply, nothing stored
//! background_job      what a service does by the clock, under the same rules as a handler
//! supervise           restarts a part that panicked
//! database            connections with bounds; time_limit: how long a transaction may take
//! session             a database session with its settings, lent to nobody else
//! ```

mod background_job;
mod batch;
mod broker_channel;
mod coalesce;
mod consumer;
mod database;
mod decode;
mod disposition;
mod handler;
mod inbox;
mod inbox_key;
mod isolated;
mod outbox;
mod outbox_partition;
mod outbox_table;
mod prefetch_window;
mod query_consumer;
mod redelivery;
mod relay;
mod reply;
mod service;
mod session;
mod sub_batches;
mod supervise;
mod time_limit;
mod topology_check;

pub use background_job::{BackgroundJob, JobContext, UnitOfWork};
pub use database::{Database, MIGRATOR, Tx, connect_database};
pub use handler::{Event, HandleError, Handler, Idempotency, Outcome, Received};
pub use query_consumer::{Answer, QueryHandler};
pub use service::{Service, ServiceError};
pub use session::UnfitDatabase;
