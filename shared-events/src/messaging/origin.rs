//! Decides whether a delivery came the way its kind comes, and who its author is. Promise: one pure
//! function decides, from what the broker vouches for: the exchange, the routing key and the
//! validated `user_id`. Nothing that a client writes makes it the author of another's message.
//!
//! | exchange | `user_id` | routing key | author |
//! |---|---|---|---|
//! | `bank.events` | the service that owns the type | the type | that service |
//! | `bank.commands` | any user | the type | that user |
//! | `bank.retry` | the reading service | the queue | header `x-principal`, of an event its owner |
//! | any other | | | none |
//!
//! A dead letter passes no permission, so the broker's header `x-death` excludes the first two.
//! A retried or replayed message has its routing key of the first publication in the property
//! `type`, which the service has written together with `x-principal`. Each event of a joined
//! message has the type of the key. The test `each_way_has_one_author_or_none` holds this table.

use std::{fmt, sync::Arc};

use lapin::message::Delivery;

use super::{message_source::QueueDelivery, republish::principal_header};
use crate::{
    amqp::publish::text,
    topology::{COMMANDS, EVENTS, PERSONAL, RETRY, exchange_of, owner_of},
};

/// The header that the broker adds to each dead letter.
const DEATHS_HEADER: &str = "x-death";

/// The author of a message: a user of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The user's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Principal {
    fn from(user: &str) -> Self {
        Self(user.into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The way of a delivery, as the broker states it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'d> {
    pub(crate) queue: &'d str,
    pub(crate) exchange: &'d str,
    pub(crate) routing_key: &'d str,
    pub(crate) user: &'d str,
    /// The property `type` and the header `x-principal`: the sender's own words.
    pub(crate) kind: &'d str,
    pub(crate) principal: Option<&'d str>,
    /// Whether it came by dead-lettering, which asks for no right by routing key.
    pub(crate) dead_lettered: bool,
}

/// The origin of a delivery that came the right way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin<'d> {
    /// The type of each of its messages.
    kind: &'d str,
    pub(crate) author: &'d str,
}

/// Why a delivery or one of its messages is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongOrigin {
    #[error("{kind} does not travel on {exchange:?}")]
    Exchange { kind: String, exchange: String },
    #[error("{kind} of the user {user:?}: it is not that user's to publish")]
    User { kind: String, user: String },
    #[error("{kind} came as a dead letter, which needs no right")]
    DeadLetter { kind: String },
    #[error("a message without `user_id` has no author")]
    NoUser,
    #[error("{user:?} sent it to {queue} as {routing_key:?}: not a retry of this service")]
    NoRetry { user: String, queue: String, routing_key: String },
    #[error("a retried message without an author")]
    NoAuthor,
    #[error("{kind} came as {expected}")]
    Type { kind: String, expected: String },
}

impl<'d> Way<'d> {
    pub(crate) fn of(delivery: &'d QueueDelivery) -> Self {
        let QueueDelivery { queue, message } = delivery;
        let properties = &message.properties;
        Self {
            queue,
            exchange: message.exchange.as_str(),
            routing_key: message.routing_key.as_str(),
            user: text(properties.user_id().as_ref()),
            kind: text(properties.kind().as_ref()),
            principal: principal_header(&message.properties),
            dead_lettered: has_header(message, DEATHS_HEADER),
        }
    }
}

impl<'d> Origin<'d> {
    /// The type of each message of this delivery.
    pub(crate) const fn kind(&self) -> &'d str {
        self.kind
    }

    /// Checks the type of a message of this delivery.
    pub(crate) fn admit(&self, kind: &str) -> Result<(), WrongOrigin> {
        match kind == self.kind {
            true => Ok(()),
            false => {
                let expected = self.kind.to_owned();
                Err(WrongOrigin::Type { kind: kind.to_owned(), expected })
            }
        }
    }
}

/// The origin of a delivery to `service`.
pub(crate) fn origin<'d>(way: &Way<'d>, service: &str) -> Result<Origin<'d>, WrongOrigin> {
    let Way { queue, exchange, routing_key, user, kind, principal, dead_lettered } = *way;
    let (kind, author) = match exchange {
        COMMANDS | EVENTS | PERSONAL if dead_lettered => {
            return Err(WrongOrigin::DeadLetter { kind: routing_key.to_owned() });
        }
        COMMANDS | EVENTS | PERSONAL => (routing_key, user),
        RETRY if user == service && routing_key == queue => {
            (kind, principal.ok_or(WrongOrigin::NoAuthor)?)
        }
        RETRY => {
            let [user, queue] = [user, queue].map(str::to_owned);
            return Err(WrongOrigin::NoRetry { user, queue, routing_key: routing_key.to_owned() });
        }
        _ => return Err(wrong_exchange(routing_key, exchange)),
    };
    if author.is_empty() {
        return Err(WrongOrigin::NoUser);
    }
    // The decoder names a type that this release does not know; the exchange says what it is.
    let right = exchange_of(kind).unwrap_or(if exchange == RETRY { COMMANDS } else { exchange });
    match right {
        _ if ![right, RETRY].contains(&exchange) => Err(wrong_exchange(kind, exchange)),
        COMMANDS => Ok(Origin { kind, author }),
        EVENTS | PERSONAL if owner_of(kind) == Some(author) => Ok(Origin { kind, author }),
        EVENTS | PERSONAL => {
            Err(WrongOrigin::User { kind: kind.to_owned(), user: author.to_owned() })
        }
        _ => Err(wrong_exchange(kind, exchange)),
    }
}

fn wrong_exchange(kind: &str, exchange: &str) -> WrongOrigin {
    WrongOrigin::Exchange { kind: kind.to_owned(), exchange: exchange.to_owned() }
}

fn has_header(message: &Delivery, name: &str) -> bool {
    let headers = message.properties.headers().as_ref();
    headers.is_some_and(|headers| headers.inner().contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{PARKED, REPLIES};

    const COMMAND: &str = "ledger.transfers.submit.v1";
    const EVENT: &str = "accounts.account.frozen.v1";
    const HOLDER: &str = "accounts.holder.current.v1";
    const REPLY: &str = "ledger.balance.found.v1";
    const QUEUE: &str = "ledger.commands.0";

    fn fresh(
        exchange: &'static str,
        routing_key: &'static str,
        user: &'static str,
    ) -> Way<'static> {
        let (queue, kind, principal, dead_lettered) = (QUEUE, "", None, false);
        Way { queue, exchange, routing_key, user, kind, principal, dead_lettered }
    }

    fn back(kind: &'static str, principal: &'static str) -> Way<'static> {
        Way { kind, principal: Some(principal), ..fresh(RETRY, QUEUE, "ledger") }
    }

    /// The author of a message of this type, or why it has none.
    fn author(way: Way<'_>, kind: &str) -> String {
        let found = origin(&way, "ledger").and_then(|origin| {
            origin.admit(kind)?;
            Ok(origin.author.to_owned())
        });
        found.unwrap_or_else(|wrong| format!("none: {wrong}"))
    }

    fn assert_authors(table: &[(Way<'static>, &str, &str)]) {
        for (way, kind, expected) in table {
            let found = author(*way, kind);
            assert!(found.starts_with(expected), "{found}, not {expected}: {way:?}");
        }
    }

    #[test]
    fn a_message_that_came_the_way_of_its_kind_has_one_author() {
        let forged =
            Way { principal: Some("accounts"), kind: EVENT, ..fresh(COMMANDS, COMMAND, "eve") };
        let future = "accounts.account.frozen.v9";
        assert_authors(&[
            (fresh(COMMANDS, COMMAND, "eve"), COMMAND, "eve"),
            (fresh(COMMANDS, "ledger.unknown.v1", "eve"), "ledger.unknown.v1", "eve"),
            (fresh(EVENTS, EVENT, "accounts"), EVENT, "accounts"),
            (fresh(EVENTS, future, "accounts"), future, "accounts"),
            (fresh(PERSONAL, HOLDER, "accounts"), HOLDER, "accounts"),
            (back(HOLDER, "accounts"), HOLDER, "accounts"),
            (back(COMMAND, "eve"), COMMAND, "eve"),
            (back(EVENT, "accounts"), EVENT, "accounts"),
            (forged, COMMAND, "eve"),
            (Way { dead_lettered: true, ..back(COMMAND, "eve") }, COMMAND, "eve"),
        ]);
    }

    #[test]
    fn an_event_is_its_owners_on_the_exchange_of_its_type() {
        let future = "accounts.account.frozen.v9";
        let forged =
            Way { principal: Some("accounts"), kind: EVENT, ..fresh(COMMANDS, COMMAND, "eve") };
        let wrong_exchange = "none: accounts.account.frozen.v1 does not";
        let wrong_user = "none: accounts.account.frozen.v1 of the user";
        assert_authors(&[
            (fresh(PERSONAL, HOLDER, "eve"), HOLDER, "none: accounts.holder.current.v1 of the"),
            (fresh(EVENTS, HOLDER, "accounts"), HOLDER, "none: accounts.holder.current.v1 does"),
            (fresh(PERSONAL, EVENT, "accounts"), EVENT, wrong_exchange),
            (fresh(COMMANDS, EVENT, "accounts"), EVENT, wrong_exchange),
            (fresh(EVENTS, EVENT, "ledger"), EVENT, wrong_user),
            (fresh(EVENTS, EVENT, ""), EVENT, "none: a message without"),
            (fresh(EVENTS, future, "eve"), future, "none: accounts.account.frozen.v9 of the user"),
            (back(EVENT, "eve"), EVENT, wrong_user),
            (forged, EVENT, "none: accounts.account.frozen.v1 came as ledger.transfers"),
            (
                Way { dead_lettered: true, ..fresh(EVENTS, EVENT, "accounts") },
                EVENT,
                "none: accounts.account.frozen.v1 came as a dead letter",
            ),
        ]);
    }

    #[test]
    fn a_message_that_came_another_way_has_no_author() {
        let wrong_exchange = "none: ledger.transfers.submit.v1 does not";
        let wrong_reply = "none: ledger.balance.found.v1 does not";
        let dead = Way { dead_lettered: true, ..fresh(COMMANDS, COMMAND, "eve") };
        let retry = back(COMMAND, "eve");
        let by_another = Way { user: "accounts", ..retry };
        let to_another = Way { routing_key: "x", ..retry };
        assert_authors(&[
            (fresh(PERSONAL, COMMAND, "eve"), COMMAND, wrong_exchange),
            (fresh(EVENTS, COMMAND, "ledger"), COMMAND, wrong_exchange),
            (dead, COMMAND, "none: ledger.transfers.submit.v1 came as a dead letter"),
            (fresh(COMMANDS, COMMAND, ""), COMMAND, "none: a message without"),
            (fresh(COMMANDS, REPLY, "eve"), REPLY, wrong_reply),
            (fresh(EVENTS, EVENT, "accounts"), COMMAND, "none: ledger.transfers.submit.v1 came as"),
            (fresh(RETRY, QUEUE, "ledger"), COMMAND, "none: a retried message without an author"),
            (back(COMMAND, ""), COMMAND, "none: a message without"),
            (retry, EVENT, "none: accounts.account.frozen.v1 came as"),
            (back(REPLY, "ledger"), REPLY, wrong_reply),
            (by_another, COMMAND, "none: \"accounts\" sent it"),
            (to_another, COMMAND, "none: \"ledger\" sent it"),
            (Way { exchange: PARKED, ..retry }, COMMAND, "none: ledger.commands.0 does"),
            (Way { exchange: REPLIES, ..retry }, COMMAND, "none: ledger.commands.0"),
            (Way { exchange: "", ..retry }, COMMAND, "none: ledger.commands.0 does"),
        ]);
    }
}
