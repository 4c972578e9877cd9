//! The messages that have had their effect. Promise: a message is new once, however many
//! transactions claim it at a time.
//!
//! Tests: `a_message_is_new_once`, `an_answer_is_kept_and_a_retry_forgotten_under_each_key`; the
//! statements run in the integration tests.

use std::{collections::HashMap, time::Duration};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    database::{Database, in_time},
    database_fault::silent,
    digest::Digests,
    inbox_key::InboxKeys,
};

/// How long entries of `inbox_rest` are kept after their arrival.
const KEPT_FOR: &str = "90 days";
/// The number of kept days: one more than the age of an unknown id may be.
const DAYS_KEPT: i32 = 29;
/// How many days have their table in advance.
const DAYS_AHEAD: i32 = 7;
/// Rows deleted at a time, so that pruning delays no batch.
const PRUNE_ROWS_MAX: i64 = 10_000;
/// The bound for creating and dropping days. Each new day reads all of `inbox_rest`.
const DAYS_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How long an unfinished isolated attempt is kept.
const ATTEMPT_KEPT_FOR: &str = "28 days";

/// The state of a message in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InboxState {
    /// Unknown: this transaction is the first.
    New,
    /// The message had its effect; `reply` is the stored answer.
    Processed { reply: Option<Vec<u8>> },
    /// The message was set aside until it is approved: `bus.approvals` tells its state.
    SetAside,
    /// The id was used for other content.
    Conflict,
    /// Unknown, and older than the inbox reaches: the message may have had its effect.
    Expired,
}

/// What the inbox holds in place of the reply to a message that is set aside.
const SET_ASIDE: &[u8] = b"set aside";

/// A message's claim on the inbox.
#[derive(Clone, Debug)]
pub(crate) struct InboxClaim {
    pub(crate) keys: InboxKeys,
    pub(crate) digests: Digests,
}

/// The digest and the reply that the inbox stores under a key.
type StoredEntry = (Vec<u8>, Option<Vec<u8>>);

impl InboxKeys {
    pub(crate) fn all(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.first).chain(self.second)
    }
}

/// Records all messages, and says of each whether it is new. Their ids must differ from each other.
/// A concurrent transaction with the same id waits here until the first one has ended.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    claims: &[InboxClaim],
) -> sqlx::Result<Vec<InboxState>> {
    let keys: Vec<Uuid> = claims.iter().flat_map(|claim| claim.keys.all()).collect();
    let digests: Vec<&[u8]> = claims
        .iter()
        .flat_map(|claim| claim.keys.all().map(|_| claim.digests.of_author.as_slice()))
        .collect();
    let new = sqlx::query_scalar!(
        "INSERT INTO bus.inbox (message_id, digest)
         SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS claimed(message_id, digest)
         ORDER BY message_id
         ON CONFLICT (message_id) DO NOTHING
         RETURNING message_id",
        &keys,
        &digests as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut known = HashMap::new();
    if new.len() < keys.len() {
        let rows = sqlx::query!(
            "SELECT message_id, digest, outcome FROM bus.inbox
         WHERE message_id = ANY($1) AND NOT message_id = ANY($2)",
            &keys,
            &new,
        )
        .fetch_all(connection)
        .await?;
        known.extend(rows.into_iter().map(|row| (row.message_id, (row.digest, row.outcome))));
    }
    Ok(claims.iter().map(|claim| state_of(claim, &mut known)).collect())
}

/// The state of a message, given the entries that the inbox had before.
pub(crate) fn state_of(claim: &InboxClaim, known: &mut HashMap<Uuid, StoredEntry>) -> InboxState {
    match claim.keys.all().find_map(|key| known.remove(&key)) {
        Some((digest, Some(reply))) if claim.digests.have(&digest) && reply == SET_ASIDE => {
            InboxState::SetAside
        }
        Some((digest, reply)) if claim.digests.have(&digest) => InboxState::Processed { reply },
        Some(_) => InboxState::Conflict,
        None if claim.keys.forgotten => InboxState::Expired,
        None => InboxState::New,
    }
}

async fn keep_outcomes(
    connection: &mut PgConnection,
    keys: &[Uuid],
    outcomes: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE bus.inbox SET outcome = answered.outcome
         FROM unnest($1::uuid[], $2::bytea[]) AS answered(message_id, outcome)
         WHERE inbox.message_id = answered.message_id",
        keys,
        outcomes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn forget(connection: &mut PgConnection, keys: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM bus.inbox WHERE message_id = ANY($1)", keys)
        .execute(connection)
        .await?;
    Ok(())
}

/// The inbox's part in the end of a transaction.
#[derive(Debug, Default)]
pub(crate) struct InboxUpdates {
    pub(crate) answered: Vec<Uuid>,
    pub(crate) replies: Vec<Vec<u8>>,
    pub(crate) forgotten: Vec<Uuid>,
}

impl InboxUpdates {
    /// Keeps the reply to a message, for the sender who sends the message again.
    pub(crate) fn answered(&mut self, keys: &InboxKeys, reply: &[u8]) {
        self.replies.extend(keys.all().map(|_| reply.to_vec()));
        self.answered.extend(keys.all());
    }

    /// Keeps the id of a message that is set aside: nobody else can use the id.
    pub(crate) fn set_aside(&mut self, claim: Option<&InboxClaim>) {
        if let Some(claim) = claim {
            self.answered(&claim.keys, SET_ASIDE);
        }
    }

    /// Forgets a message that had no effect: a retry or a replay must find it new.
    pub(crate) fn forget(&mut self, claim: Option<&InboxClaim>) {
        self.forgotten.extend(claim.into_iter().flat_map(|claim| claim.keys.all()));
    }

    pub(crate) async fn store(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if !self.answered.is_empty() {
            keep_outcomes(connection, &self.answered, &self.replies).await?;
        }
        if !self.forgotten.is_empty() {
            forget(connection, &self.forgotten).await?;
        }
        Ok(())
    }
}

/// Creates the tables of the days to come, and drops old entries: whole days at once, and entries
/// of
/// `inbox_rest` a few at a time. Returns the number of the latter. An entry whose id has a recent
/// time is kept, since the message may be sent again.
pub(crate) async fn prune(database: &Database) -> sqlx::Result<u64> {
    keep_days(database).await?;
    let mut lease = database.lease().await?;
    let forget = sqlx::query!(
        "DELETE FROM bus.suspects WHERE begun_at < now() - $1::text::interval",
        ATTEMPT_KEPT_FOR,
    );
    in_time(forget.execute(&mut *lease)).await?;
    let mut pruned = 0;
    loop {
        let delete = sqlx::query!(
            "DELETE FROM bus.inbox_rest WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM bus.inbox_rest
                 WHERE received_at < now() - $1::text::interval
                     AND NOT (get_byte(uuid_send(message_id), 6) >> 4 = 7
                         AND message_id >= bus.first_id(current_date - $2::integer))
                 LIMIT $3))",
            KEPT_FOR,
            DAYS_KEPT,
            PRUNE_ROWS_MAX,
        );
        let deleted = in_time(delete.execute(&mut *lease)).await?.rows_affected();
        pruned += deleted;
        if deleted < PRUNE_ROWS_MAX.unsigned_abs() {
            lease.give_back();
            return Ok(pruned);
        }
    }
}

/// Uses a connection outside of the pool: the procedure commits step by step, and may take long.
async fn keep_days(database: &Database) -> sqlx::Result<()> {
    let mut connection = database.connect_apart().await?;
    in_time(sqlx::query("SET statement_timeout = 0").execute(&mut connection)).await?;
    let keep = sqlx::query!("CALL bus.keep_days($1, $2)", DAYS_AHEAD, DAYS_KEPT);
    let kept = tokio::time::timeout(DAYS_TIMEOUT, keep.execute(&mut connection)).await;
    kept.unwrap_or_else(|_| Err(silent(DAYS_TIMEOUT)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(second: bool, forgotten: bool, digest: u8) -> InboxClaim {
        let second = second.then(|| Uuid::from_u128(2));
        let keys = InboxKeys { first: Uuid::from_u128(1), second, forgotten };
        let digests = Digests { of_author: vec![digest], of_content: vec![digest, 0] };
        InboxClaim { keys, digests }
    }

    #[test]
    fn a_message_is_new_once() {
        let processed = |reply| InboxState::Processed { reply };
        let reply = || Some(b"reply".to_vec());
        // key that is known with digest 7, claim, state
        let table = [
            (None, claim(false, false, 7), InboxState::New),
            (None, claim(true, false, 7), InboxState::New),
            (None, claim(true, true, 7), InboxState::Expired),
            (Some(1), claim(false, false, 7), processed(reply())),
            (Some(2), claim(true, false, 7), processed(reply())),
            (Some(2), claim(true, true, 7), processed(reply())),
            (Some(2), claim(false, false, 7), InboxState::New),
            (Some(1), claim(false, false, 8), InboxState::Conflict),
            (Some(2), claim(true, true, 8), InboxState::Conflict),
        ];
        let known = |reply: &[u8]| [(Uuid::from_u128(1), (vec![7], Some(reply.to_vec())))];
        let mut set_aside = known(SET_ASIDE).into();
        assert_eq!(state_of(&claim(false, false, 7), &mut set_aside), InboxState::SetAside);
        let mut of_another = known(SET_ASIDE).into();
        assert_eq!(state_of(&claim(false, false, 8), &mut of_another), InboxState::Conflict);
        for (known, claim, expected) in table {
            let entry = |key| (Uuid::from_u128(key), (vec![7], reply()));
            let mut entries = known.map(entry).into_iter().collect();
            let found = state_of(&claim, &mut entries);
            assert_eq!(found, expected, "{claim:?} where {known:?} is known");
        }
    }

    #[test]
    fn an_answer_is_kept_and_a_retry_forgotten_under_each_key() {
        let late = claim(true, false, 7);
        let mut updates = InboxUpdates::default();
        updates.answered(&late.keys, b"reply");
        assert_eq!(updates.answered, [Uuid::from_u128(1), Uuid::from_u128(2)]);
        assert_eq!(updates.replies, [b"reply", b"reply"]);
        updates.forget(None);
        assert!(updates.forgotten.is_empty(), "a conflict leaves the first message's entry");
        updates.forget(Some(&late));
        assert_eq!(updates.forgotten, [Uuid::from_u128(1), Uuid::from_u128(2)]);
    }
}
