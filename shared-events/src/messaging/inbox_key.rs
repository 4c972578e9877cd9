//! The keys of messages in the inbox. Promise: no id of a client's command collides with the key of
//! an event; an id that is old on arrival is remembered for as long as a new one.
//!
//! The inbox has a table for each day, by the time in the id, and old days are dropped whole:
//!
//! | the id's age on arrival | remembered |
//! |---|---|
//! | up to 14 days | in its day's table, until that is 29 days old |
//! | more | there, and by a second key in `inbox_rest`, for 90 days after arrival |
//! | none (no time), or negative (a clock ran ahead) | in `inbox_rest`, for 90 days after arrival |
//!
//! An entry of `inbox_rest` whose id has a time is also kept until 28 days after that time.
//!
//! A command with an unknown id that is older than the kept days is refused: the command may have
//! had its effect when it was new.
//!
//! | promise | test |
//! |---|---|
//! | no collision | `a_command_never_meets_an_event_whatever_its_id` |
//! | the table above | `an_id_is_late_refused_or_neither_by_its_age` |
//! | a late id is remembered | `a_late_id_is_known_by_the_same_key_however_late_it_is` |

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    ids::MessageId,
    topology::{COMMANDS, exchange_of},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// An id that is older on arrival is also kept in `inbox_rest`.
const LATE_AFTER: Duration = Duration::from_secs(14 * DAY.as_secs());
/// A day less than the tables of days are kept.
const REMEMBERED_FOR: Duration = Duration::from_secs(28 * DAY.as_secs());
/// Beyond this no day has a table.
const DAYS_END: Duration = Duration::from_secs(60 * DAY.as_secs());
/// The beginning of keys that belong to `inbox_rest` for ever.
const REST_PREFIX: [u8; 6] = [0xff; 6];

/// The keys of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InboxKeys {
    pub(crate) first: Uuid,
    /// The key of a late id in `inbox_rest`.
    pub(crate) second: Option<Uuid>,
    /// Whether the message may have had its effect and be forgotten since.
    pub(crate) forgotten: bool,
}

/// The keys of a message of type `kind` that arrives on `subscription` now. A `returned` message,
/// from a retry queue or a replay, is known to have had no effect.
pub(crate) fn keys(
    subscription: &str,
    kind: &str,
    id: MessageId,
    returned: bool,
    now: DateTime<Utc>,
) -> InboxKeys {
    let is_command = exchange_of(kind) == Some(COMMANDS);
    let id = id.uuid();
    // Earlier versions stored commands' ids unchanged. Derived keys are UUIDs of version 8 (RFC
    // 9562, 5.8), so a client's id of that version is derived, too.
    let first = match is_command && id.get_version_num() != 8 {
        true => id,
        false => derived(&[subscription.as_bytes()], id, &id.as_bytes()[..6]),
    };
    let age = age(id, now);
    let late = age.is_some_and(|age| age > LATE_AFTER && age < DAYS_END);
    let second = late.then(|| derived(&[b"late", subscription.as_bytes()], id, &REST_PREFIX));
    let has_time = id.get_version_num() == 7;
    let forgotten =
        is_command && !returned && has_time && age.is_some_and(|age| age > REMEMBERED_FOR);
    InboxKeys { first, second, forgotten }
}

/// The age of the time at the beginning of an id; `None` for a time in the future.
fn age(id: Uuid, now: DateTime<Utc>) -> Option<Duration> {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id.as_bytes()[..6]);
    let made = u64::from_be_bytes(millis);
    let now = u64::try_from(now.timestamp_millis()).ok()?;
    now.checked_sub(made).map(Duration::from_millis)
}

fn derived(space: &[&[u8]], id: Uuid, beginning: &[u8]) -> Uuid {
    let mut hasher = blake3::Hasher::new();
    for part in space {
        hasher.update(part).update(&[0]);
    }
    hasher.update(id.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    bytes[..6].copy_from_slice(beginning);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{ACCOUNTS_COMMANDS, ACCOUNTS_EVENTS, NOTIFICATIONS_EVENTS};

    const COMMAND: &str = "accounts.account.open.v1";
    const EVENT: &str = "ledger.account.opened.v1";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
    }

    /// An id of this version, made so many days ago.
    fn made(version: u8, days_ago: i64) -> MessageId {
        let millis = u64::try_from(now().timestamp_millis() - days_ago * 86_400_000);
        let mut bytes = [7; 16];
        bytes[..6].copy_from_slice(&millis.expect("after 1970").to_be_bytes()[2..]);
        bytes[6] = (version << 4) | 3;
        bytes[8] = 0x80 | 3;
        MessageId(Uuid::from_bytes(bytes))
    }

    fn of(kind: &str, id: MessageId) -> InboxKeys {
        keys(ACCOUNTS_COMMANDS.name, kind, id, false, now())
    }

    #[test]
    fn a_command_never_meets_an_event_whatever_its_id() {
        let event = made(7, 0);
        let of_event = keys(ACCOUNTS_EVENTS.name, EVENT, event, false, now());
        assert_eq!(of(COMMAND, event).first, event.uuid(), "unchanged, for earlier versions");
        assert_ne!(of_event.first, event.uuid());
        let chosen = MessageId(of_event.first);
        assert_ne!(of(COMMAND, chosen).first, of_event.first, "a client that knows our rule");
        let other = keys(NOTIFICATIONS_EVENTS.name, EVENT, event, false, now());
        assert_ne!(of_event.first, other.first, "each subscription hears an event once");
        assert_eq!(of_event.first.as_bytes()[..6], event.uuid().as_bytes()[..6], "in its day");
    }

    #[test]
    fn an_id_is_late_refused_or_neither_by_its_age() {
        let rows = [
            // version, days ago, late, refused
            (7, 0, false, false),
            (7, 13, false, false),
            (7, 15, true, false),
            (7, 27, true, false),
            (7, 29, true, true),
            (7, 59, true, true),
            (7, 400, false, true),
            (7, -400, false, false),
            (4, 400, false, false),
            (4, -400, false, false),
            (8, 400, false, false),
        ];
        for (version, days, late, refused) in rows {
            let found = of(COMMAND, made(version, days));
            let case = format!("version {version}, {days} days ago: {found:?}");
            assert_eq!((found.second.is_some(), found.forgotten), (late, refused), "{case}");
        }
    }

    #[test]
    fn returned_messages_and_events_are_never_refused() {
        let old = made(7, 100);
        assert!(!keys(ACCOUNTS_COMMANDS.name, COMMAND, old, true, now()).forgotten);
        assert!(!keys(ACCOUNTS_EVENTS.name, EVENT, old, false, now()).forgotten);
    }

    #[test]
    fn a_late_id_is_known_by_the_same_key_however_late_it_is() {
        let id = made(7, 20);
        let days = chrono::TimeDelta::days;
        let later = keys(ACCOUNTS_COMMANDS.name, COMMAND, id, false, now() + days(30));
        assert_eq!(of(COMMAND, id).second, later.second);
        assert!(later.second.is_some_and(|key| key.as_bytes()[..6] == REST_PREFIX));
    }
}
