//! The contract of Bankwire's services: the messages of the bus, their queues and exchanges.
//!
//! By default this crate is pure data. A client that depends on it gets the types, their JSON
//! Schemas and the names of exchanges and queues, and neither an AMQP nor a database driver:
//!
//! ```text
//! envelope      CloudEvents 1.0 around every message: id, type, correlation, causation, data
//! message       messages, and sets of messages that one queue carries
//! code          codes of reasons, statuses, topics and channels; a reader keeps unknown ones
//! page          pages of lists, which fit a message
//! money, ids    amounts, currencies, IBANs and identifiers, checked where they enter
//! text          foreign text as one line of visible characters
//! accounts      \
//! ledger         > commands, events and queries, by version
//! notifications /
//! parked        messages about parked messages, the same for each service
//! approvals     messages about commands that wait for an approval, the same for each service
//! access_log    messages about who has asked for what, the same for each service
//! chains        signed ends of hash chains, the same for each service that has chains
//! owned         messages that each service has under types of its own
//! access        what a principal's grants permit
//! evidence      hashes of chains, authors, commitments to text, signed ends of chains
//! catalogue     every published message once, for schemas, golden files and AsyncAPI
//! topology      exchanges, queues, bindings, policies, users: one value, rendered for the broker
//! asyncapi      the whole bus as an AsyncAPI document
//! documents     the generated files: schemas, AsyncAPI, definitions
//! ```
//!
//! Feature `client` adds `client` (request and reply over RabbitMQ), `amqp` (connections to the
//! broker), `address` (the parser of server addresses) and `secret` (passwords, also in files).
//! Feature `service` adds `messaging`, the delivery code of a service (outbox, inbox, consumer,
//! relay). Feature `host` adds the environment of a service process (configuration, logs, probes,
//! signals).
#![deny(missing_docs)]

pub mod access;
pub mod access_log;
pub mod accounts;
pub mod approvals;
pub mod asyncapi;
pub mod catalogue;
pub mod chains;
mod cloud_events;
pub mod code;
pub mod documents;
pub mod envelope;
mod envelope_check;
pub mod evidence;
pub mod ids;
mod json_keys;
pub mod ledger;
pub mod message;
pub mod money;
pub mod notifications;
pub mod owned;
pub mod page;
pub mod parked;
pub mod refusal;
pub mod text;
pub mod topology;
mod wrong_field;

#[cfg(feature = "client")]
pub mod address;
#[cfg(feature = "client")]
pub mod amqp;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "service")]
pub mod messaging;
#[cfg(feature = "client")]
pub mod secret;

pub use envelope::Envelope;
pub use ids::{
    AccountId, CommandId, CorrelationId, Iban, MessageId, MonitorId, OrderId, TransferId,
};
pub use message::{Message, MessageSet, Query};
pub use money::{Amount, Currency, Money, Total};
