//! Messages that come back too often. Promise: a message that kills its service is parked, and no
//! other message is, however often the service dies or is restarted.
//!
//! The broker's count of deliveries is no proof: it grows for all that a process held when it
//! died, and when it was restarted. It only makes a delivery a suspect. A suspect is handled
//! alone, one at a time in the whole process, and that it is being tried is committed before. So
//! a try that has begun and has not ended tells of one message that a process died while it
//! handled that message. Before each further try there is a longer pause: a process that is
//! restarted again and again for another reason does not die in the same place every time.

use std::{sync::Arc, time::Duration};

use lapin::types::{AMQPValue, FieldTable};
use sqlx::PgConnection;
use tokio::sync::Mutex;

use super::{
    database::{Database, in_time},
    decode::QueueDelivery,
};

/// A delivery that came back so often is a suspect.
const CAME_BACK_MAX: i64 = 3;
/// A message that was begun alone so often, and never ended, is what the service dies of.
const TRIES_MAX: i32 = 4;
/// The pause before the second try; it doubles from try to try.
const PAUSE: Duration = Duration::from_secs(2);
/// The broker's counts: of all that came back, and (from 4.1 on, perhaps) of what was only taken.
const COUNTS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// Whether a delivery came back too often to be handled together with others.
pub(crate) fn is_suspect(arrival: &QueueDelivery) -> bool {
    let headers = arrival.delivery.properties.headers().as_ref().map(FieldTable::inner);
    let count = |name: &&str| match headers?.get(*name)? {
        AMQPValue::LongLongInt(count) => Some(*count),
        AMQPValue::LongInt(count) => Some(i64::from(*count)),
        AMQPValue::LongUInt(count) => Some(i64::from(*count)),
        _ => None,
    };
    COUNTS.iter().filter_map(count).any(|count| count >= CAME_BACK_MAX)
}

/// What a suspect is known by.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    hasher.finalize().as_bytes().to_vec()
}

/// The suspects of one process.
#[derive(Clone, Debug)]
pub(crate) struct Suspects {
    database: Database,
    /// Held by whoever tries one.
    pub(crate) turn: Arc<Mutex<()>>,
}

impl Suspects {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, turn: Arc::default() }
    }

    /// What is known of a suspect: how often it was tried, without an end.
    pub(crate) async fn trial(&self, message: Vec<u8>) -> sqlx::Result<Trial> {
        let mut lease = self.database.lease().await?;
        let tries =
            sqlx::query_scalar!("SELECT tries FROM bus.suspects WHERE message = $1", message);
        let tries = in_time(tries.fetch_optional(&mut *lease)).await?.unwrap_or(0);
        lease.give_back();
        Ok(Trial { database: self.database.clone(), message, tries })
    }
}

/// One suspect, tried alone.
#[derive(Debug)]
pub(crate) struct Trial {
    database: Database,
    message: Vec<u8>,
    tries: i32,
}

impl Trial {
    /// Why it is not tried any more, if it is not.
    pub(crate) fn verdict(&self) -> Option<String> {
        let died = format!("the service died {} times while it handled this alone", self.tries);
        (self.tries >= TRIES_MAX).then_some(died)
    }

    /// How long to wait before it is tried.
    pub(crate) fn pause(&self) -> Duration {
        pause_after(self.tries)
    }

    /// Commits that it is being tried.
    pub(crate) async fn begin(&self) -> sqlx::Result<()> {
        let mut lease = self.database.lease().await?;
        in_time(note(&mut lease, &self.message, self.tries + 1)).await?;
        lease.give_back();
        Ok(())
    }

    /// The process is still there, whatever came of it: this is not what the service dies of.
    pub(crate) async fn survived(&mut self) -> sqlx::Result<()> {
        self.tries = 0;
        let mut lease = self.database.lease().await?;
        let forget = sqlx::query!("DELETE FROM bus.suspects WHERE message = $1", self.message);
        in_time(forget.execute(&mut *lease)).await?;
        lease.give_back();
        Ok(())
    }
}

async fn note(connection: &mut PgConnection, message: &[u8], tries: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO bus.suspects (message, tries) VALUES ($1, $2)
         ON CONFLICT (message) DO UPDATE SET tries = excluded.tries, begun_at = now()",
        message,
        tries,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The pause after so many tries that have not ended.
fn pause_after(tries: i32) -> Duration {
    match u32::try_from(tries - 1) {
        Ok(earlier) => PAUSE * 2_u32.saturating_pow(earlier),
        Err(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_try_waits_longer() {
        let pauses: Vec<u64> = (0..TRIES_MAX).map(|tries| pause_after(tries).as_secs()).collect();
        assert_eq!(pauses, [0, 2, 4, 8]);
    }

    #[test]
    fn a_suspect_is_known_by_all_of_its_parts() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"a", b"bc"]), fingerprint(&[b"a", b"bc"]));
    }
}
