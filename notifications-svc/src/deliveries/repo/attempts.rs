//! What came of each attempt.

use shared_events::{ids::DeliveryId, messaging::Tx};
use uuid::Uuid;

use crate::domain::{Answer, Verdict};

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) number: i32,
    /// How many milliseconds ago it began.
    pub(crate) ago_ms: i32,
    pub(crate) took_ms: i32,
    pub(crate) answer: &'a Answer,
}

const fn outcome_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Arrived => "succeeded",
        Verdict::NotNow => "failed",
        Verdict::Never => "refused",
    }
}

/// Writes attempts down. One that was written before, by a commit that was not heard of, stays.
pub(crate) async fn insert_in_tx(tx: &mut Tx<'_>, attempts: &[Attempt<'_>]) -> sqlx::Result<()> {
    let deliveries: Vec<Uuid> = attempts.iter().map(|it| it.delivery_id.uuid()).collect();
    let numbers: Vec<i32> = attempts.iter().map(|it| it.number).collect();
    let ago: Vec<i32> = attempts.iter().map(|it| it.ago_ms).collect();
    let durations: Vec<i32> = attempts.iter().map(|it| it.took_ms).collect();
    let outcomes: Vec<&str> = attempts.iter().map(|it| outcome_word(it.answer.verdict)).collect();
    let statuses: Vec<Option<i16>> = attempts
        .iter()
        .map(|it| it.answer.status.and_then(|status| i16::try_from(status).ok()))
        .collect();
    let answers: Vec<Option<&str>> = attempts
        .iter()
        .map(|it| Some(it.answer.text.as_str()).filter(|text| !text.is_empty()))
        .collect();
    sqlx::query!(
        "INSERT INTO attempts (delivery_id, number, at, took_ms, outcome, status, answer)
         SELECT delivery_id, number, now() - make_interval(secs => ago_ms / 1000.0), took_ms,
                outcome::attempt_outcome, status, answer
         FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[],
                     $6::smallint[], $7::text[])
              AS ended(delivery_id, number, ago_ms, took_ms, outcome, status, answer)
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
