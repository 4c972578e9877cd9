//! The contract of Bankwire's services: what may stand on the bus, and nothing else.
//!
//! By default this crate is pure data. A client that depends on it gets the types, their JSON
//! Schemas and the names of exchanges and queues, and neither an AMQP nor a database driver:
//!
//! ```text
//! envelope      CloudEvents 1.0 around every message: id, type, correlation, causation, data
//! message       what makes a type a message; sets of messages that one queue may carry
//! page          how much of a list one answer carries
//! money, ids    amounts, currencies, IBANs and identifiers, checked where they enter
//! text          what strangers wrote, as one line of visible characters
//! accounts      \
//! ledger         > commands, events and queries, by version
//! notifications /
//! catalogue     every published message once, for schemas, golden files and AsyncAPI
//! topology      exchanges, queues, bindings, policies, users: one value, rendered for the broker
//! asyncapi      the whole bus as an AsyncAPI document
//! documents     all that is generated from the above, as files
//! ```
//!
//! Feature `client` adds `client` (request and reply over RabbitMQ), `amqp` (connections to the
//! broker) and `address` (the parser of server addresses). Feature `service` adds `messaging`, the
//! delivery code of a service (outbox, inbox, consumer, relay). Feature `host` adds what a service
//! process needs around it (configuration, logs, probes, signals).
#![deny(missing_docs)]

pub mod accounts;
pub mod asyncapi;
pub mod catalogue;
mod cloud_events;
pub mod code;
pub mod documents;
pub mod envelope;
mod envelope_check;
pub mod ids;
mod json_keys;
pub mod ledger;
pub mod message;
pub mod money;
pub mod notifications;
pub mod page;
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

pub use envelope::Envelope;
pub use ids::{
    AccountId, CommandId, CorrelationId, Iban, MessageId, MonitorId, OrderId, TransferId,
};
pub use message::{Message, MessageSet, Query};
pub use money::{Amount, Currency, Money, Total};
