//! The results of attempts.

use shared_events::{ids::DeliveryId, messaging::Tx};
use uuid::Uuid;

use crate::deliveries::AttemptResult;

/// An attempt to store.
#[derive(Clone, Debug)]
pub(crate) struct AttemptRow<'a> {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) number: i32,
    /// The milliseconds since the attempt began.
    pub(crate) ago_ms: i32,
    pub(crate) took_ms: i32,
    pub(crate) result: &'a AttemptResult,
}

/// Stores attempts. An attempt that is stored already, by a commit whose answer was lost, stays;
/// one whose delivery was erased meanwhile is left out. Deliveries are locked in the order of ids.
pub(crate) async fn insert_attempts_in_tx(
    tx: &mut Tx<'_>,
    attempts: &[AttemptRow<'_>],
) -> sqlx::Result<()> {
    let deliveries: Vec<Uuid> = attempts.iter().map(|attempt| attempt.delivery_id.uuid()).collect();
    let numbers: Vec<i32> = attempts.iter().map(|attempt| attempt.number).collect();
    let ago: Vec<i32> = attempts.iter().map(|attempt| attempt.ago_ms).collect();
    let durations: Vec<i32> = attempts.iter().map(|attempt| attempt.took_ms).collect();
    let outcomes: Vec<&str> =
        attempts.iter().map(|attempt| attempt.result.outcome.as_str()).collect();
    let statuses: Vec<Option<i16>> = attempts
        .iter()
        .map(|attempt| attempt.result.status.and_then(|status| i16::try_from(status).ok()))
        .collect();
    let answers: Vec<Option<&str>> = attempts
        .iter()
        .map(|attempt| Some(attempt.result.text.as_str()).filter(|text| !text.is_empty()))
        .collect();
    sqlx::query!(
        "INSERT INTO attempts (delivery_id, number, at, took_ms, outcome, status, answer)
         SELECT delivery_id, number, now() - make_interval(secs => ago_ms / 1000.0), took_ms,
                outcome::attempt_outcome, status, answer
         FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[],
                     $6::smallint[], $7::text[])
              AS ended(delivery_id, number, ago_ms, took_ms, outcome, status, answer)
         JOIN (SELECT id FROM deliveries WHERE id = ANY($1) ORDER BY id FOR KEY SHARE) AS known
             ON known.id = delivery_id
         ON CONFLICT (delivery_id, number) DO NOTHING",
        &deliveries,
        &numbers,
        &ago,
        &durations,
        &outcomes as _,
        &statuses as _,
        &answers as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
