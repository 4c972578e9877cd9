//! Version 1 of the messages about parked messages. Promise: their shapes are written once; each
//! service has types of its own with these shapes, such as `ledger.parked.list.v1`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    code::{Open, codes},
    owned::{Asks, Shape as _, shapes},
};

/// The maximal number of messages that one command moves or names.
pub const MOVES_MAX: usize = 100;
/// The maximal number of messages on one page of a list.
pub const PARKED_PAGE_MAX: u32 = 500;

codes! {
    /// The reason why a message was parked.
    pub enum ParkedReason {
        /// The message did not come the way its kind comes, and has no author.
        WrongOrigin = "wrong_origin",
        /// The body is not of its declared type, or the type or version is unknown to the service.
        Undecodable = "undecodable",
        /// The body is larger than the maximal message.
        Oversized = "oversized",
        /// No attempt can succeed.
        Hopeless = "hopeless",
        /// The message has waited in every retry queue.
        RetriesExhausted = "retries_exhausted",
        /// The service died each time that it processed this message alone.
        KillsTheService = "kills_the_service",
        /// The broker has given the message up, not the service.
        DeliveryLimit = "delivery_limit",
    }
}

codes! {
    /// The reason why a parked message is not replayed.
    pub enum NotReplayed {
        /// The message has no author: it came the wrong way, or an earlier release parked it.
        NoAuthor = "no_author",
        /// The message did not come from a queue to which the service returns messages.
        NoQueue = "no_queue",
    }
}

/// The messages of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenParked {
    /// The oldest messages, 100 at most.
    All {},
    /// The messages with these fingerprints or ids, 100 at most; an empty id chooses messages
    /// without one.
    Named(#[schemars(length(max = 100), inner(length(max = 255)))] Vec<String>),
}

/// `<service>.parked.list.v1`: asks for the parked messages of the service, the oldest first, in
/// pages. The first 20,000 messages of the queue can be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListParked {
    /// Lists the messages after this one: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub after: Option<String>,
    /// The maximal number of items, 1 to 500; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// A parked message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedMessage {
    /// A name of the message that is the same at each listing: a hash of the message and of the
    /// place and time of its parking.
    pub fingerprint: String,
    /// The message's own id; empty if the message has none.
    pub id: String,
    /// The message type; empty if unknown.
    #[serde(rename = "type")]
    pub kind: String,
    /// The author: the user of the broker who sent the message. Absent if the message has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The reason.
    pub reason: Open<ParkedReason>,
    /// The reason in words.
    pub detail: String,
    /// The queue that delivered the message, to which a replay returns the message.
    pub queue: String,
    /// The time of parking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// The connection that parked the message.
    pub by: String,
    /// The number of bytes of the body.
    pub bytes: u64,
}

/// `<service>.parked.listed.v1`: a page of parked messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedListed {
    /// The messages of this page.
    pub messages: Vec<ParkedMessage>,
    /// The number of messages in the queue.
    pub total: u64,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `<service>.parked.get.v1`: asks for one parked message with its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParked {
    /// The message's fingerprint or id.
    #[schemars(length(max = 255))]
    pub message: String,
}

/// `<service>.parked.found.v1`: a parked message with its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedFound {
    /// The message.
    pub message: ParkedMessage,
    /// The body as text: bytes that are no UTF-8 are replaced, and the end of a long body is left
    /// out.
    pub body: String,
    /// Whether the end of the body is left out.
    pub is_cut: bool,
}

/// `<service>.parked.replay.v1`: returns parked messages to their queues, to be handled like new
/// ones of their authors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayParked {
    /// The messages.
    pub chosen: ChosenParked,
    /// Chooses messages that were parked before this instant only. A client that replays all
    /// messages of a long queue by several commands gives the `at` of the first outcome, so that
    /// no message that fails again is replayed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
}

/// `<service>.parked.drop.v1`: drops parked messages for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropParked {
    /// The messages.
    pub chosen: ChosenParked,
    /// Chooses messages that were parked before this instant only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
}

/// `<service>.parked.edit.v1`: replaces the data of a parked message and returns the message to its
/// queue. Its id, type, source and author stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EditParked {
    /// The message's fingerprint or id.
    #[schemars(length(max = 255))]
    pub message: String,
    /// The new data of the message.
    pub data: Map<String, Value>,
}

/// A message that left the parked queue, or stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedParked {
    /// The fingerprint.
    #[schemars(length(max = 64))]
    pub fingerprint: String,
    /// The message's own id; empty if the message has none.
    #[schemars(length(max = 255))]
    pub id: String,
    /// The message type; empty if unknown.
    #[serde(rename = "type")]
    #[schemars(length(max = 255))]
    pub kind: String,
    /// The author of the message. Absent if the message has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub principal: Option<String>,
}

/// A chosen message that is not replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedParked {
    /// The message.
    pub message: NamedParked,
    /// The reason.
    pub reason: Open<NotReplayed>,
}

/// `<service>.parked.replayed.v1`: parked messages were returned to their queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedReplayed {
    /// The user who asked for it.
    #[schemars(length(max = 255))]
    pub principal: String,
    /// The time at which the service began to look through the queue.
    pub at: DateTime<Utc>,
    /// The replayed messages.
    #[schemars(length(max = 100))]
    pub messages: Vec<NamedParked>,
    /// Chosen messages that stay parked.
    #[schemars(length(max = 100))]
    pub refused: Vec<RefusedParked>,
    /// Names that no parked message has.
    #[schemars(length(max = 100), inner(length(max = 255)))]
    pub not_found: Vec<String>,
    /// Whether more messages of the choice are parked.
    pub more: bool,
}

/// `<service>.parked.dropped.v1`: parked messages were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedDropped {
    /// The user who asked for it.
    #[schemars(length(max = 255))]
    pub principal: String,
    /// The time at which the service began to look through the queue.
    pub at: DateTime<Utc>,
    /// The dropped messages.
    #[schemars(length(max = 100))]
    pub messages: Vec<NamedParked>,
    /// Names that no parked message has.
    #[schemars(length(max = 100), inner(length(max = 255)))]
    pub not_found: Vec<String>,
    /// Whether more messages of the choice are parked.
    pub more: bool,
}

/// `<service>.parked.edited.v1`: a parked message has new data, and was returned to its queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedEdited {
    /// The user who asked for it.
    #[schemars(length(max = 255))]
    pub principal: String,
    /// The time of the edit.
    pub at: DateTime<Utc>,
    /// The message.
    pub message: NamedParked,
    /// SHA-256 of the body before the edit, in hexadecimal digits.
    #[schemars(length(max = 64))]
    pub digest_before: String,
    /// SHA-256 of the body after the edit, in hexadecimal digits.
    #[schemars(length(max = 64))]
    pub digest_after: String,
}

shapes! {
    "parked":
    Query "list.v1" ListParked;
    Reply "listed.v1" ParkedListed;
    Query "get.v1" GetParked;
    Reply "found.v1" ParkedFound;
    Command "replay.v1" ReplayParked;
    Command "drop.v1" DropParked;
    Command "edit.v1" EditParked;
    Event "replayed.v1" ParkedReplayed;
    Event "dropped.v1" ParkedDropped;
    Event "edited.v1" ParkedEdited;
}

const fn requests(place: usize) -> [&'static str; 5] {
    [
        ListParked::TYPES[place],
        GetParked::TYPES[place],
        ReplayParked::TYPES[place],
        DropParked::TYPES[place],
        EditParked::TYPES[place],
    ]
}

/// The queries and commands about the parked messages of each service.
pub const REQUESTS: [[&str; 5]; 3] = [requests(0), requests(1), requests(2)];

impl Asks for ListParked {
    type Answer = ParkedListed;
}

impl Asks for GetParked {
    type Answer = ParkedFound;
}
