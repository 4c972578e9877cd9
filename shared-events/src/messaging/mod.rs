//! Delivery inside a service: the part where a bug loses money, written once for all services. It
//! knows nothing of accounts or money. Promise: **one transaction** holds a change of state, the
//! proof that its message was seen and the events it announces; **published means confirmed**;
//! **acknowledged means committed**; **exactly one effect**, however often a message arrives.
//!
//! ```text
//! service             puts a service together: `Service::new(..).consume(..).answer(..).run(..)`
//!   parts               what its tasks share; maintenance: measures the outbox, prunes the inbox
//! topology_check      compares the broker with the topology before anything is consumed
//!
//! consumer            takes batches of deliveries, as large as the load makes them
//! delivery_stream     the deliveries of a subscription's queues, in the order of their tags
//! prefetch_window     keeps the memory of unacknowledged deliveries within bounds
//! origin              decides (pure): whether a delivery is believed, and who its author is
//! access              the grants of all principals, in memory: what an author may do; author: of
//!                     a batch's deliveries
//! decode              from bytes to messages; an undecodable message blocks no other;
//!                     message_source: the delivery of a message, for another publication
//! batch               inbox, handler and outbox in ONE transaction, then settlement, then one ack;
//!                     conclude: from outcomes to results, events and updates
//! sub_batches         parts of a batch in which each id comes once
//! isolation           messages that are redelivered too often; isolated_batch: one at a time
//! handler             the service's part: given a transaction and messages, returns outcomes
//! inbox, inbox_key    the messages that had their effect, and the keys they are known by; digest:
//!                     what tells two contents under one id apart
//! disposition         decides (pure): acknowledge, retry after which tier, or dead-letter and why
//! republish           builds (pure) the message for a retry queue or a parked queue
//! settlement          carries dispositions out: refusals, retried and parked messages, replies
//! reply               the reply to a command or query, no larger than the message limit
//!
//! announcer           puts events into envelopes, but for versions that are retired
//! outbox              rows of committed events, and the queue in memory to the relay
//! coalesce            joins the events of one transaction into few messages
//! outbox_partition    which relay publishes which rows; partition_session: its statements
//! relay               pipelined, confirmed publishes; a row is deleted once it is confirmed
//! outbox_table        the relay's reads and deletes beside the publishing
//!
//! operations          what operators, approvers and auditors ask a service
//! parked              a service's parked messages, moved by its operators' commands
//! approvals           commands that need the approval of another principal
//!
//! query_consumer      queries: a read-only transaction, an entry in the access log, a reply
//! access_log          who has asked for what: stored before the reply, in groups. It reads from
//!                     queries which account they name, and nothing else of their content
//! background_job      a service's own schedules, under the same rules as a handler
//! chain_ends_job      states where the chains of a service end, and signs that
//! supervise           restarts a part that panicked
//! database            connections with bounds; time_limit: how long a transaction may take
//! database_fault      whether waiting ends a fault of the database
//! schema              the tables, the role that changes them, and the rights of the service's role
//! session             a database session with its settings, lent to nobody else
//! broker_channel      channels and connections that are closed in order
//! ```
//! The code reaches its peers through four traits, which the unit tests implement in memory:
//! `delivery_broker` and `delivery_store` (the batch), `event_broker` and `outbox_table` (the
//! relay). They are generics, so that they cost nothing.

mod access;
mod access_log;
mod announcer;
mod approvals;
mod author;
mod background_job;
mod batch;
mod broker_channel;
mod chain_ends_job;
mod coalesce;
mod conclude;
mod consumer;
mod database;
mod database_fault;
mod decode;
mod delivery_broker;
mod delivery_store;
mod delivery_stream;
mod digest;
mod disposition;
mod event_broker;
mod handler;
mod inbox;
mod inbox_key;
mod isolated_batch;
mod isolation;
mod message_source;
mod operations;
mod origin;
mod outbox;
mod outbox_partition;
mod outbox_table;
mod parked;
mod partition_session;
mod prefetch_window;
mod query_consumer;
mod relay;
mod reply;
mod republish;
mod schema;
mod service;
mod session;
mod settlement;
mod sub_batches;
mod supervise;
#[cfg(test)]
mod test_messages;
mod time_limit;
mod topology_check;

pub use access::{AccessLimits, store_access_in_tx};
pub use announcer::{NotRetirable, RetiredEvents};
pub use background_job::{BackgroundJob, JobContext, UnitOfWork};
pub use chain_ends_job::{ChainEndsJob, Evidence, ReadEnds};
pub use database::{Database, Tx, connect_database};
pub use handler::{Event, HandleError, Handler, Idempotency, Outcome, Received};
pub use origin::Principal;
pub use query_consumer::{Answer, Asker, QueryHandler};
pub use schema::Schema;
pub use service::{Service, ServiceError, migrate};
pub use session::UnfitDatabase;
