//! Isolation of messages that are redelivered too often. Promise: a message that kills its service
//! is parked, and no other message is, however often the service dies or is restarted.
//!
//! The broker's count of deliveries is no proof: the count grows for every message that a process
//! held when it died or was restarted. A high count only isolates the message: one isolated message
//! is processed at a time in the whole process, after the beginning of the attempt was committed
//! to `bus.suspects`. An attempt that began and did not end therefore names the one message that a
//! process died of. The pause before each further attempt doubles, so that a process that restarts
//! for another reason does not die in the same place every time.
//!
//! `batch/tests.rs` proves the promise: `a_message_that_kills_the_service_is_parked_alone`.

use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};

use super::{
    database::{Database, in_time},
    message_source::QueueDelivery,
};

/// A delivery that came back so often is isolated.
const REDELIVERIES_MAX: i64 = 3;
/// After so many isolated attempts without an end, the message is what the service dies of.
const ATTEMPTS_MAX: i32 = 4;
/// The pause before the second attempt; the pause doubles from attempt to attempt.
const PAUSE: Duration = Duration::from_secs(2);
/// The broker's counts: of returned deliveries, and (from 4.1 on) of acquired ones.
const COUNT_HEADERS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// Whether a delivery came back too often to be processed together with others. A client may send
/// headers with these names; the broker's own are on redelivered messages only.
pub(crate) fn needs_isolation(delivery: &QueueDelivery) -> bool {
    if !delivery.message.redelivered {
        return false;
    }
    let headers = delivery.message.properties.headers().as_ref().map(FieldTable::inner);
    let count = |name: &&str| match headers?.get(*name)? {
        AMQPValue::LongLongInt(count) => Some(*count),
        AMQPValue::LongInt(count) => Some(i64::from(*count)),
        AMQPValue::LongUInt(count) => Some(i64::from(*count)),
        _ => None,
    };
    COUNT_HEADERS.iter().filter_map(count).any(|count| count >= REDELIVERIES_MAX)
}

/// The key of an isolated message: a hash over parts, each with its length.
pub(crate) fn isolation_key(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    hasher.finalize().as_bytes().to_vec()
}

/// The isolation verdict on a message with so many unfinished attempts: why no further attempt is
/// made, or `None` where one is.
pub(crate) fn isolation_verdict(attempts: i32) -> Option<String> {
    let died = || format!("the service died {attempts} times while it handled this alone");
    (attempts >= ATTEMPTS_MAX).then(died)
}

/// The pause after so many unfinished attempts.
pub(crate) fn pause_after(attempts: i32) -> Duration {
    match u32::try_from(attempts - 1) {
        Ok(earlier) => PAUSE * 2_u32.saturating_pow(earlier),
        Err(_) => Duration::ZERO,
    }
}

/// Reads how many attempts at a message were begun and did not end.
pub(crate) async fn unfinished_attempts(database: &Database, message: &[u8]) -> sqlx::Result<i32> {
    let mut lease = database.lease().await?;
    let tries = sqlx::query_scalar!("SELECT tries FROM bus.suspects WHERE message = $1", message);
    let tries = in_time(tries.fetch_optional(&mut *lease)).await?.unwrap_or(0);
    lease.give_back();
    Ok(tries)
}

/// Commits that an attempt begins.
pub(crate) async fn begin_attempt(
    database: &Database,
    message: &[u8],
    attempt: i32,
) -> sqlx::Result<()> {
    let mut lease = database.lease().await?;
    let note = sqlx::query!(
        "INSERT INTO bus.suspects (message, tries) VALUES ($1, $2)
         ON CONFLICT (message) DO UPDATE SET tries = excluded.tries, begun_at = now()",
        message,
        attempt,
    );
    in_time(note.execute(&mut *lease)).await?;
    lease.give_back();
    Ok(())
}

/// Commits that the process outlived the attempts at a message.
pub(crate) async fn end_attempts(database: &Database, message: &[u8]) -> sqlx::Result<()> {
    let mut lease = database.lease().await?;
    let forget = sqlx::query!("DELETE FROM bus.suspects WHERE message = $1", message);
    in_time(forget.execute(&mut *lease)).await?;
    lease.give_back();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::test_messages::delivery;

    #[test]
    fn each_further_attempt_waits_longer_until_the_verdict() {
        let pause = |attempts| pause_after(attempts).as_secs();
        assert_eq!((0..ATTEMPTS_MAX).map(pause).collect::<Vec<_>>(), [0, 2, 4, 8]);
        let has_verdict = |attempts| isolation_verdict(attempts).is_some();
        assert_eq!(
            (0..6).map(has_verdict).collect::<Vec<_>>(),
            [false, false, false, false, true, true]
        );
    }

    #[test]
    fn an_isolation_key_depends_on_each_part() {
        assert_ne!(isolation_key(&[b"ab", b"c"]), isolation_key(&[b"a", b"bc"]));
        assert_eq!(isolation_key(&[b"a", b"bc"]), isolation_key(&[b"a", b"bc"]));
    }

    #[test]
    fn the_third_redelivery_is_isolated_whichever_count_the_broker_keeps() {
        let table = [
            ("x-delivery-count", AMQPValue::LongLongInt(2), false),
            ("x-delivery-count", AMQPValue::LongLongInt(3), true),
            ("x-acquired-count", AMQPValue::LongInt(3), true),
            ("x-acquired-count", AMQPValue::LongUInt(2), false),
            ("x-invented-count", AMQPValue::LongLongInt(9), false),
        ];
        for (name, value, expected) in table {
            let mut headers = FieldTable::default();
            headers.insert(name.into(), value.clone());
            let mut came = delivery(1, "", "", vec![]);
            came.message.properties = came.message.properties.with_headers(headers);
            assert!(!needs_isolation(&came), "{name} {value:?} of a client");
            came.message.redelivered = true;
            assert_eq!(needs_isolation(&came), expected, "{name} {value:?}");
        }
    }
}
