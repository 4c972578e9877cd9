//! Exchanges, queues and bindings of the broker. Promise: every name is defined here and nowhere
//! else, and `rabbitmq/definitions.json` is rendered from here.
//!
//! ```text
//! bank.commands ──┬─> accounts.commands          bank.events ─┬─> accounts.events
//!                 ├─> ledger.commands (hash) ─> .0 .1 .2 .3 <─┤   notifications.events
//!                 ├─> ledger.arrangements                     │   <service>.erasures
//!                 ├─> notifications.commands                  └─> bank.audit (stream)
//!                 ├─> <service>.operations
//!                 └─> <service>.queries ─> bank.replies ─> the client's own queue
//! bank.personal ─> notifications.events
//! bank.retry  ─> <queue>.retry.<delay> ─(after the delay)─> bank.retry ─> <queue>
//! bank.parked ─> <service>.parked          bank.unrouted ─> bank.unrouted
//! ```

mod definitions;
mod principals;
mod role_patterns;
mod users;

pub use definitions::definitions;
pub use principals::{ClientPrincipal, InvalidPrincipals, Principals, check_client_name};
pub use users::{TopicRight, User, client_user, guard_limits, password_hash, users};

use std::time::Duration;

use crate::{
    access_log, accounts, approvals, catalogue, ledger,
    ledger::{LedgerArrangement, LedgerCommand, LedgerQuery},
    message::{Kind, Message, MessageSet},
    notifications,
    owned::Shape as _,
    parked,
};

/// The virtual host of all exchanges and queues.
pub const VIRTUAL_HOST: &str = "bank";
/// The exchange of commands and queries; the routing key is the type.
pub const COMMANDS: &str = "bank.commands";
/// The exchange of events; the routing key is the type.
pub const EVENTS: &str = "bank.events";
/// The exchange of events with personal data, apart from the others: no stream keeps them, and a
/// client needs a right to read them. The routing key is the type.
pub const PERSONAL: &str = "bank.personal";
/// The exchange of retries; the routing key is a retry queue, or the queue of the next attempt.
pub const RETRY: &str = "bank.retry";
/// The exchange of parked messages, which failed for good; the routing key is the service.
pub const PARKED: &str = "bank.parked";
/// The exchange of replies; the routing key is the message's `reply_to`, to which the client has
/// bound a queue of its own. Services may publish here and to no client's queue, so a forged
/// `reply_to` makes no service publish anywhere else.
pub const REPLIES: &str = "bank.replies";
/// The alternate exchange, and the queue of unroutable messages.
pub const UNROUTED: &str = "bank.unrouted";
/// The stream of all events, for replay.
pub const AUDIT: &str = "bank.audit";

/// The header of the partition key: messages with the same value are handled in the order of
/// publishing.
pub const PARTITION_KEY_HEADER: &str = "x-partition-key";
/// The header with the number of failed attempts of a message. The bank has its own, because
/// brokers reset `x-death`.
pub const ATTEMPT_HEADER: &str = "x-attempt";
/// The header with the author of a message that its service has published again, to a retry queue
/// or a parked queue. It counts only where the message's `user_id` is that service.
pub const PRINCIPAL_HEADER: &str = "x-principal";

/// The header with the operator that has edited a message while it was parked. It counts like
/// [`PRINCIPAL_HEADER`].
pub const EDITOR_HEADER: &str = "x-edited-by";

/// The prefix of the names of all clients' queues; see [`own_queue_prefix`].
pub const CLIENT_QUEUE_PREFIX: &str = "client.";

/// The time after which an unused queue of a client is deleted. The audit stream keeps missed
/// events for the same time.
pub const CLIENT_QUEUE_UNUSED_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The maximal number of messages in a client's queue.
pub const CLIENT_QUEUE_MESSAGES_MAX: u32 = 1_000_000;
/// The maximal size of a client's queue; a larger queue loses its oldest messages.
pub const CLIENT_QUEUE_BYTES_MAX: u64 = 268_435_456;
/// The starts of the broker's global parameters with the most queues and the highest rate of a
/// client, for `guard.erl`.
pub const CLIENT_LIMIT_PREFIXES: [&str; 2] = ["client_queues_", "client_kib_per_second_"];
/// The maximal number of queues in the virtual host.
pub const QUEUES_MAX: u32 = 2_000;
/// The maximal size of a queue of commands; a full queue refuses commands.
pub const COMMANDS_BYTES_MAX: u64 = 1_073_741_824;
/// The maximal size of a queue of queries; a full queue refuses queries.
pub const QUERIES_BYTES_MAX: u64 = 134_217_728;
/// The maximal size of the queue of unroutable messages; a larger queue loses its oldest messages.
pub const UNROUTED_BYTES_MAX: u64 = 268_435_456;
/// The maximal size of a queue of parked messages; a full queue accepts no more.
pub const PARKED_BYTES_MAX: u64 = 2_147_483_648;
/// With so many parked messages, a client's message that is the client's own fault is dropped: no
/// client fills the queue, in which other messages must have a place.
pub const CLIENT_FAULTS_PARKED_MAX: u32 = 1_250;

/// The number of partitions of the ledger's commands.
pub const LEDGER_PARTITIONS: u8 = 4;
/// The number of deliveries after which the broker drops a query. For other messages the count says
/// nothing: a restart of the broker returns all of them. A service parks what kills it itself.
pub const DELIVERIES_MAX: u32 = 20;
/// The time after which an unanswered query expires.
pub const QUERY_AGE_MAX: Duration = Duration::from_secs(60);
/// The time for which the audit stream keeps events.
pub const AUDIT_AGE_MAX: &str = "7D";
/// The maximal size of the audit stream on each node.
pub const AUDIT_BYTES_MAX: u64 = 20_000_000_000;

/// The delays before the second, the third and the fourth attempt. After that a message is parked.
pub const RETRY_TIERS: [(&str, Duration); 3] = [
    ("5s", Duration::from_secs(5)),
    ("1m", Duration::from_secs(60)),
    ("10m", Duration::from_secs(600)),
];

/// The events with personal data, each in all its versions.
const PERSONAL_TYPES: [&str; 1] = [accounts::HolderCurrent::TYPE];

/// The services on the bus.
pub const SERVICES: [&str; 3] = ["accounts", "ledger", "notifications"];

/// A subscription: a queue, or the partitions of one, read by a consumer of a service.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// The service.
    pub service: &'static str,
    /// The queue; of partitions, the name before the number, which is also the exchange before the
    /// partitions.
    pub name: &'static str,
    /// The number of partitions; absent for a single queue.
    pub partitions: Option<u8>,
    /// The types that the queue carries.
    pub types: &'static [&'static str],
}

impl Subscription {
    const fn queue<M: MessageSet>(service: &'static str, name: &'static str) -> Self {
        Self { service, name, partitions: None, types: M::TYPES }
    }

    /// A subscription to these types. The service defines a set of the same messages
    /// (`message_set!`), and a test of the service compares the two.
    const fn of_types(
        service: &'static str,
        name: &'static str,
        types: &'static [&'static str],
    ) -> Self {
        Self { service, name, partitions: None, types }
    }

    /// The names of the queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        match self.partitions {
            None => vec![self.name.to_owned()],
            Some(count) => (0..count).map(|n| format!("{}.{n}", self.name)).collect(),
        }
    }

    /// Whether the queue carries queries, which are never retried.
    pub(crate) fn is_queries(&self) -> bool {
        self.types.iter().all(|kind| source_of(kind) == Some(Kind::Query))
    }

    /// Whether the queue carries events alone, which no client publishes.
    fn is_events(&self) -> bool {
        self.types.iter().all(|kind| source_of(kind) == Some(Kind::Event))
    }
}

/// Commands to the accounts service.
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
        accounts::EraseHolder::TYPE,
    ],
);
/// Changes of the grants of principals.
pub const ACCOUNTS_ACCESS: Subscription =
    Subscription::of_types("accounts", "accounts.grants", &[accounts::SetAccess::TYPE]);
/// Events of the ledger that the accounts service follows.
pub const ACCOUNTS_EVENTS: Subscription = Subscription::of_types(
    "accounts",
    "accounts.events",
    &[
        ledger::LedgerAccountOpened::TYPE,
        ledger::LedgerAccountLocked::TYPE,
        ledger::LedgerAccountCloseRefused::TYPE,
    ],
);
/// What the other services have erased.
pub const ACCOUNTS_ERASURES: Subscription = Subscription::of_types(
    "accounts",
    "accounts.erasures",
    &[ledger::TextsErased::TYPE, notifications::RecipientErased::TYPE],
);
/// Queries about accounts.
pub const ACCOUNTS_QUERIES: Subscription = Subscription::of_types(
    "accounts",
    "accounts.queries",
    &[
        accounts::GetAccount::TYPE,
        accounts::ListAccounts::TYPE,
        accounts::ListAccess::TYPE,
        accounts::GetHistory::TYPE,
        accounts::GetAccountBooks::TYPE,
    ],
);
/// Commands to the ledger, and the account events that the ledger follows, in partitions.
pub const LEDGER_COMMANDS: Subscription = Subscription {
    service: "ledger",
    name: "ledger.commands",
    partitions: Some(LEDGER_PARTITIONS),
    types: LedgerCommand::TYPES,
};
/// Arrangements of the ledger for accounts.
pub const LEDGER_ARRANGEMENTS: Subscription =
    Subscription::queue::<LedgerArrangement>("ledger", "ledger.arrangements");
/// Holders whose texts the ledger erases.
pub const LEDGER_ERASURES: Subscription =
    Subscription::of_types("ledger", "ledger.erasures", &[accounts::HolderErased::TYPE]);
/// Queries about money.
pub const LEDGER_QUERIES: Subscription =
    Subscription::queue::<LedgerQuery>("ledger", "ledger.queries");
/// Commands to the notifications service.
pub const NOTIFICATIONS_COMMANDS: Subscription = Subscription::of_types(
    "notifications",
    "notifications.commands",
    &[
        notifications::SetPreferences::TYPE,
        notifications::ResendDelivery::TYPE,
        notifications::RecoverDeliveries::TYPE,
    ],
);
/// Events that lead to notifications.
pub const NOTIFICATIONS_EVENTS: Subscription = Subscription::of_types(
    "notifications",
    "notifications.events",
    &[
        accounts::v1::AccountOpened::TYPE,
        accounts::v2::AccountOpened::TYPE,
        accounts::v1::HolderUpdated::TYPE,
        accounts::v2::HolderUpdated::TYPE,
        accounts::HolderCurrent::TYPE,
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
/// Holders whose addresses and notifications the notifications service erases.
pub const NOTIFICATIONS_ERASURES: Subscription = Subscription::of_types(
    "notifications",
    "notifications.erasures",
    &[accounts::HolderErased::TYPE],
);
/// Queries about notifications.
pub const NOTIFICATIONS_QUERIES: Subscription = Subscription::of_types(
    "notifications",
    "notifications.queries",
    &[notifications::ListNotifications::TYPE, notifications::GetPreferences::TYPE],
);

/// Queries and commands about parked messages, commands that need an approval, and the access log.
pub const OPERATIONS: [Subscription; 3] = [
    Subscription::of_types("accounts", "accounts.operations", &OPERATIONS_TYPES[0]),
    Subscription::of_types("ledger", "ledger.operations", &OPERATIONS_TYPES[1]),
    Subscription::of_types("notifications", "notifications.operations", &OPERATIONS_TYPES[2]),
];

const OPERATIONS_TYPES: [[&str; 10]; 3] = [operations_of(0), operations_of(1), operations_of(2)];

const fn operations_of(service: usize) -> [&'static str; 10] {
    let [list, get, replay, drop, edit] = parked::REQUESTS[service];
    let [waiting, show, approve, decline] = approvals::REQUESTS[service];
    let asked = access_log::ListAccessLog::TYPES[service];
    [list, get, replay, drop, edit, waiting, show, approve, decline, asked]
}

/// The grants of all principals. The accounts service owns them and reads its own tables.
pub const ACCESS: [Subscription; 2] = [
    Subscription::of_types("ledger", "ledger.grants", &[accounts::AccessCurrent::TYPE]),
    Subscription::of_types(
        "notifications",
        "notifications.grants",
        &[accounts::AccessCurrent::TYPE],
    ),
];

/// All subscriptions.
pub const SUBSCRIPTIONS: [Subscription; 18] = [
    ACCOUNTS_COMMANDS,
    ACCOUNTS_ACCESS,
    ACCOUNTS_EVENTS,
    ACCOUNTS_ERASURES,
    ACCOUNTS_QUERIES,
    LEDGER_COMMANDS,
    LEDGER_ARRANGEMENTS,
    LEDGER_ERASURES,
    LEDGER_QUERIES,
    NOTIFICATIONS_COMMANDS,
    NOTIFICATIONS_EVENTS,
    NOTIFICATIONS_ERASURES,
    NOTIFICATIONS_QUERIES,
    OPERATIONS[0],
    OPERATIONS[1],
    OPERATIONS[2],
    ACCESS[0],
    ACCESS[1],
];

/// The queue in which a message of `queue` waits after `attempt` failed attempts (from 1). `None`
/// after the last attempt.
#[must_use]
pub fn retry_queue(queue: &str, attempt: u32) -> Option<String> {
    let tier = usize::try_from(attempt.checked_sub(1)?).ok()?;
    RETRY_TIERS.get(tier).map(|(delay, _)| format!("{queue}.retry.{delay}"))
}

/// The queue of a service's parked messages.
#[must_use]
pub fn parked_queue(service: &str) -> String {
    format!("{service}.parked")
}

/// The prefix of the queues of a client, from its name: `client.<name>.`
#[must_use]
pub fn own_queue_prefix(client: &str) -> String {
    format!("{CLIENT_QUEUE_PREFIX}{client}.")
}

/// The exchange on which a message type travels to its readers.
#[must_use]
pub fn exchange_of(kind: &str) -> Option<&'static str> {
    match source_of(kind)? {
        Kind::Command | Kind::Query => Some(COMMANDS),
        Kind::Event => Some(exchange_of_event(kind)),
        Kind::Reply => Some(REPLIES),
    }
}

/// The exchange of an event, also of a version that this release does not know.
#[must_use]
pub fn exchange_of_event(kind: &str) -> &'static str {
    let is_like = |known: &&str| stem_of(known) == stem_of(kind);
    if PERSONAL_TYPES.iter().any(is_like) { PERSONAL } else { EVENTS }
}

/// Whether an event has personal data. Neither a stream nor the inbox keeps it.
#[must_use]
pub fn is_personal(kind: &str) -> bool {
    exchange_of_event(kind) == PERSONAL
}

/// The binding key of a type in any version: a message in a version that the reader does not know
/// reaches the reader and is parked with the reason, and does not vanish.
#[must_use]
pub fn any_version(kind: &str) -> String {
    match stem_of(kind) {
        Some(stem) => format!("{stem}.*"),
        None => kind.to_owned(),
    }
}

/// A type without its version.
fn stem_of(kind: &str) -> Option<&str> {
    kind.rsplit_once('.').map(|(stem, _version)| stem)
}

/// The service that owns a type: the first part of the name.
#[must_use]
pub fn owner_of(kind: &str) -> Option<&'static str> {
    let (owner, _) = kind.split_once('.')?;
    SERVICES.into_iter().find(|service| *service == owner)
}

/// Whether a queue is one of a user's own. A reply goes only to a queue of its asker.
#[must_use]
pub fn is_queue_of(user: &str, queue: &str) -> bool {
    let own = queue.strip_prefix(CLIENT_QUEUE_PREFIX).and_then(|rest| rest.strip_prefix(user));
    own.is_some_and(|rest| rest.starts_with('.'))
}

fn source_of(kind: &str) -> Option<Kind> {
    catalogue::find(kind).map(|entry| entry.kind)
}
