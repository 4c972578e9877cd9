//! Exchanges, queues, bindings: what stands on the broker. Promise: every name stands here and
//! nowhere else, and `rabbitmq/definitions.json` is rendered from here.
//!
//! ```text
//! bank.commands ──┬─> accounts.commands          bank.events ─┬─> accounts.events
//!                 ├─> ledger.commands (hash) ─> .0 .1 .2 .3 <─┤   notifications.events
//!                 ├─> ledger.arrangements                     │
//!                 ├─> notifications.commands                  └─> bank.audit (stream)
//!                 └─> <service>.queries ─> bank.replies ─> the client's own queue
//! bank.retry  ─> <queue>.retry.<delay> ─(after the delay)─> bank.retry ─> <queue>
//! bank.parked ─> <service>.parked          bank.unrouted ─> bank.unrouted
//! ```

mod definitions;

pub use definitions::{User, definitions, users};

use std::time::Duration;

use crate::{
    accounts, catalogue, ledger,
    ledger::{LedgerArrangement, LedgerCommand, LedgerQuery},
    message::{Kind, Message, MessageSet},
    notifications,
};

/// The virtual host that all of this stands in.
pub const VIRTUAL_HOST: &str = "bank";
/// Carries commands and queries; the routing key is the type.
pub const COMMANDS: &str = "bank.commands";
/// Carries events; the routing key is the type.
pub const EVENTS: &str = "bank.events";
/// Carries what waits for another try; the routing key is a waiting queue, or the queue to go to.
pub const RETRY: &str = "bank.retry";
/// Carries what has failed for good; the routing key is the service.
pub const PARKED: &str = "bank.parked";
/// Carries replies; the routing key is the message's `reply_to`, to which the client has bound a
/// queue of its own. Services can write here and to no client's queue, so nobody can make a
/// service write anywhere else by a forged `reply_to`.
pub const REPLIES: &str = "bank.replies";
/// Takes what no queue asked for; exchange and queue.
pub const UNROUTED: &str = "bank.unrouted";
/// Keeps every event for replay; a stream.
pub const AUDIT: &str = "bank.audit";

/// What must be handled in the order of publishing carries the same value in this header.
pub const PARTITION_KEY_HEADER: &str = "x-partition-key";
/// How many times a message was tried and sent to wait. Our own: brokers reset `x-death`.
pub const ATTEMPT_HEADER: &str = "x-attempt";

/// Names of clients' queues start so; clients may declare no others.
pub const CLIENT_QUEUE_PREFIX: &str = "client.";

/// A client's queue that nobody has used for so long goes away: what it missed stands in the audit
/// stream, which keeps events no longer.
pub const CLIENT_QUEUE_UNUSED_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How large a client's queue may grow; then it loses its oldest messages.
pub const CLIENT_QUEUE_BYTES_MAX: u64 = 268_435_456;
/// How large the queue of what was never routed may grow; then it loses its oldest messages.
pub const UNROUTED_BYTES_MAX: u64 = 268_435_456;
/// How large the queue of what a service has given up may grow; then it takes no more.
pub const PARKED_BYTES_MAX: u64 = 2_147_483_648;

/// How many partitions the ledger's commands have.
pub const LEDGER_PARTITIONS: u8 = 4;
/// How often the broker delivers one query before it drops it. Other messages have no limit that
/// matters: a restart gives all back that was in hand, so that the count says nothing of a message.
/// What a service dies of is found and parked by the service.
pub const DELIVERIES_MAX: u32 = 20;
/// A query that nobody took in this time is not interesting any more.
pub const QUERY_AGE_MAX: Duration = Duration::from_secs(60);
/// How long the audit stream keeps events.
pub const AUDIT_AGE_MAX: &str = "7D";
/// How large the audit stream may grow on each node.
pub const AUDIT_BYTES_MAX: u64 = 20_000_000_000;

/// What waits, waits this long: the first time, the second, the third. Then it is parked.
pub const RETRY_TIERS: [(&str, Duration); 3] = [
    ("5s", Duration::from_secs(5)),
    ("1m", Duration::from_secs(60)),
    ("10m", Duration::from_secs(600)),
];

/// The services on the bus.
pub const SERVICES: [&str; 3] = ["accounts", "ledger", "notifications"];

/// What one consumer of one service reads: a queue, or the partitions of one.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// The service that reads it.
    pub service: &'static str,
    /// The queue; of partitions, the name before the number and the exchange before them.
    pub name: &'static str,
    /// How many partitions it has, where it has any.
    pub partitions: Option<u8>,
    /// The types that it carries.
    pub types: &'static [&'static str],
}

impl Subscription {
    const fn queue<M: MessageSet>(service: &'static str, name: &'static str) -> Self {
        Self { service, name, partitions: None, types: M::TYPES }
    }

    /// A queue that carries these types. The service that reads the queue defines a set of the same
    /// messages (`message_set!`), and a test of the service compares the two.
    const fn of_types(
        service: &'static str,
        name: &'static str,
        types: &'static [&'static str],
    ) -> Self {
        Self { service, name, partitions: None, types }
    }

    /// The names of its queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        match self.partitions {
            None => vec![self.name.to_owned()],
            Some(count) => (0..count).map(|n| format!("{}.{n}", self.name)).collect(),
        }
    }

    /// Whether it carries queries, which nobody tries again.
    fn is_queries(&self) -> bool {
        self.types.iter().all(|kind| source_of(kind) == Some(Kind::Query))
    }
}

/// What the accounts service is asked.
pub const ACCOUNTS_COMMANDS: Subscription = Subscription::of_types(
    "accounts",
    "accounts.commands",
    &[
        accounts::OpenAccount::TYPE,
        accounts::FreezeAccount::TYPE,
        accounts::UnfreezeAccount::TYPE,
        accounts::CloseAccount::TYPE,
        accounts::SetLimits::TYPE,
        accounts::ChangeLimits::TYPE,
        accounts::UpdateHolder::TYPE,
    ],
);
/// What the accounts service hears from the ledger.
pub const ACCOUNTS_EVENTS: Subscription = Subscription::of_types(
    "accounts",
    "accounts.events",
    &[
        ledger::LedgerAccountOpened::TYPE,
        ledger::LedgerAccountLocked::TYPE,
        ledger::LedgerAccountCloseRefused::TYPE,
    ],
);
/// Questions about accounts.
pub const ACCOUNTS_QUERIES: Subscription = Subscription::of_types(
    "accounts",
    "accounts.queries",
    &[accounts::GetAccount::TYPE, accounts::ListAccounts::TYPE],
);
/// What the ledger is asked, and the account events that it follows, in partitions.
pub const LEDGER_COMMANDS: Subscription = Subscription {
    service: "ledger",
    name: "ledger.commands",
    partitions: Some(LEDGER_PARTITIONS),
    types: LedgerCommand::TYPES,
};
/// What is arranged with the ledger for accounts.
pub const LEDGER_ARRANGEMENTS: Subscription =
    Subscription::queue::<LedgerArrangement>("ledger", "ledger.arrangements");
/// Questions about money.
pub const LEDGER_QUERIES: Subscription =
    Subscription::queue::<LedgerQuery>("ledger", "ledger.queries");
/// What the notifications service is asked.
pub const NOTIFICATIONS_COMMANDS: Subscription = Subscription::of_types(
    "notifications",
    "notifications.commands",
    &[
        notifications::SetPreferences::TYPE,
        notifications::ResendDelivery::TYPE,
        notifications::RecoverDeliveries::TYPE,
    ],
);
/// What holders are told about.
pub const NOTIFICATIONS_EVENTS: Subscription = Subscription::of_types(
    "notifications",
    "notifications.events",
    &[
        accounts::AccountOpened::TYPE,
        accounts::HolderUpdated::TYPE,
        accounts::AccountFrozen::TYPE,
        accounts::AccountUnfrozen::TYPE,
        accounts::AccountClosed::TYPE,
        ledger::TransfersPosted::TYPE,
        ledger::TransfersRejected::TYPE,
        ledger::LegsPosted::TYPE,
        ledger::TransfersHeld::TYPE,
        ledger::HoldsReleased::TYPE,
    ],
);
/// Questions about notifications.
pub const NOTIFICATIONS_QUERIES: Subscription = Subscription::of_types(
    "notifications",
    "notifications.queries",
    &[notifications::ListNotifications::TYPE, notifications::GetPreferences::TYPE],
);

/// All of them.
pub const SUBSCRIPTIONS: [Subscription; 9] = [
    ACCOUNTS_COMMANDS,
    ACCOUNTS_EVENTS,
    ACCOUNTS_QUERIES,
    LEDGER_COMMANDS,
    LEDGER_ARRANGEMENTS,
    LEDGER_QUERIES,
    NOTIFICATIONS_COMMANDS,
    NOTIFICATIONS_EVENTS,
    NOTIFICATIONS_QUERIES,
];

/// The queue in which a message of `queue` waits after `attempt` failed tries (from 1), or `None`
/// when it has waited often enough.
#[must_use]
pub fn retry_queue(queue: &str, attempt: u32) -> Option<String> {
    let tier = usize::try_from(attempt.checked_sub(1)?).ok()?;
    RETRY_TIERS.get(tier).map(|(delay, _)| format!("{queue}.retry.{delay}"))
}

/// The queue of what a service has given up.
#[must_use]
pub fn parked_queue(service: &str) -> String {
    format!("{service}.parked")
}

/// The exchange on which a message type travels to its readers.
#[must_use]
pub fn exchange_of(kind: &str) -> Option<&'static str> {
    match source_of(kind)? {
        Kind::Command | Kind::Query => Some(COMMANDS),
        Kind::Event => Some(EVENTS),
        Kind::Reply => Some(REPLIES),
    }
}

/// The binding key for a type in any version: a version that a reader does not know must reach it
/// and be parked with the reason, not vanish.
#[must_use]
pub fn any_version(kind: &str) -> String {
    match kind.rsplit_once('.') {
        Some((stem, _version)) => format!("{stem}.*"),
        None => kind.to_owned(),
    }
}

fn source_of(kind: &str) -> Option<Kind> {
    catalogue::find(kind).map(|entry| entry.kind)
}
