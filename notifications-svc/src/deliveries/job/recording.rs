//! Records attempts. Promise: attempt, delivery and event are one transaction; an attempt that
//! ended after its claim is recorded and decides nothing.

use std::{collections::HashSet, time::Duration};

use metrics::{counter, histogram};
use shared_events::{
    AccountId,
    ids::DeliveryId,
    messaging::{HandleError, JobContext, Tx},
};
use tokio::time::Instant;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::{
    deliveries::{
        AttemptResult, DeliveryEvent, DeliveryFacts, DeliveryStatus, PendingDelivery, Schedule,
        ToEvent,
        attempt::{NextStep, next_step},
        repo::{self, AttemptRow, ClaimResult},
        traffic::DueDelivery,
    },
    recipients::{self, Channel},
};

/// An attempt that has ended and is not recorded yet.
pub(super) struct FinishedAttempt {
    pub(super) due: DueDelivery,
    pub(super) delivery: PendingDelivery,
    pub(super) result: AttemptResult,
    pub(super) started: Instant,
    pub(super) duration: Duration,
}

/// Records attempts of one channel, and announces the ends of their deliveries.
pub(super) async fn record(
    context: &JobContext,
    channel: Channel,
    schedule: &Schedule,
    to_event: ToEvent,
    finished: &[FinishedAttempt],
) -> Result<(), HandleError> {
    if finished.is_empty() {
        return Ok(());
    }
    let with_next_step = |attempt| (attempt, decide(attempt, schedule));
    let decided: Vec<(&FinishedAttempt, NextStep)> = finished.iter().map(with_next_step).collect();
    let rows: Vec<AttemptRow<'_>> = finished.iter().map(attempt_row).collect();
    let claim_results: Vec<ClaimResult> =
        decided.iter().map(|(attempt, next)| claim_result(attempt, *next)).collect();

    let mut work = context.begin().await?;
    repo::insert_attempts_in_tx(&mut work.tx(), &rows).await?;
    let held = repo::settle_in_tx(&mut work.tx(), &claim_results).await?;
    let held: HashSet<DeliveryId> = held.into_iter().collect();
    let (decisive, late): (Vec<_>, Vec<_>) =
        decided.into_iter().partition(|(attempt, _)| held.contains(&attempt.delivery.id));
    for (attempt, next) in &decisive {
        if let Some(event) = end_event(attempt, *next, channel) {
            let PendingDelivery { event_id, correlation_id, .. } = attempt.delivery;
            work.announce(event_id, correlation_id, to_event(&event));
        }
    }
    let gone = switch_off_webhooks_in_tx(&mut work.tx(), &decisive).await?;
    for attempt in &gone {
        let event = DeliveryEvent::EndpointDisabled(facts(attempt, channel));
        let PendingDelivery { event_id, correlation_id, .. } = attempt.delivery;
        work.announce(event_id, correlation_id, to_event(&event));
    }
    work.commit().await?;
    report(channel, &decisive, &late, &gone);
    Ok(())
}

fn decide(attempt: &FinishedAttempt, schedule: &Schedule) -> NextStep {
    let chance = rand::random_range(-1.0..=1.0);
    next_step(&attempt.result, attempt.delivery.attempt_in_schedule(), schedule, chance)
}

/// Switches off the webhooks that are gone. Returns one attempt for each webhook that was switched
/// off.
async fn switch_off_webhooks_in_tx<'a>(
    tx: &mut Tx<'_>,
    decisive: &[(&'a FinishedAttempt, NextStep)],
) -> Result<Vec<&'a FinishedAttempt>, HandleError> {
    let attempts = decisive.iter().map(|(attempt, _)| *attempt);
    let mut gone: Vec<&FinishedAttempt> =
        attempts.filter(|attempt| attempt.result.is_gone).collect();
    // Rows are locked in the order of account ids, each once.
    gone.sort_by_key(|attempt| attempt.delivery.account_id);
    gone.dedup_by_key(|attempt| attempt.delivery.account_id);
    if gone.is_empty() {
        return Ok(gone);
    }
    let accounts: Vec<Uuid> =
        gone.iter().map(|attempt| attempt.delivery.account_id.uuid()).collect();
    let webhook_of = |attempt: &&'a FinishedAttempt| {
        attempt.delivery.recipient.webhook.as_deref().unwrap_or_default()
    };
    let webhooks: Vec<&str> = gone.iter().map(webhook_of).collect();
    let off = recipients::repo::switch_off_webhooks_in_tx(tx, &accounts, &webhooks).await?;
    let off: HashSet<AccountId> = off.into_iter().collect();
    gone.retain(|attempt| off.contains(&attempt.delivery.account_id));
    Ok(gone)
}

fn attempt_row(attempt: &FinishedAttempt) -> AttemptRow<'_> {
    AttemptRow {
        delivery_id: attempt.delivery.id,
        number: attempt.delivery.attempt,
        ago_ms: milliseconds(attempt.started.elapsed()),
        took_ms: milliseconds(attempt.duration),
        result: &attempt.result,
    }
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

fn claim_result(attempt: &FinishedAttempt, next: NextStep) -> ClaimResult {
    let (status, again_seconds) = match next {
        NextStep::Succeeded => (DeliveryStatus::Succeeded, None),
        NextStep::Retry { after } => (DeliveryStatus::Pending, Some(after.as_secs_f64())),
        NextStep::Failed => (DeliveryStatus::Failed, None),
    };
    let last_error = (next != NextStep::Succeeded).then(|| attempt.result.error());
    let (id, number) = (attempt.delivery.id, attempt.delivery.attempt);
    ClaimResult { id, number, status, again_seconds, last_error }
}

/// The event of a delivery's end. `None` where the delivery is tried again.
fn end_event(attempt: &FinishedAttempt, next: NextStep, channel: Channel) -> Option<DeliveryEvent> {
    let facts = facts(attempt, channel);
    match next {
        NextStep::Retry { .. } => None,
        NextStep::Succeeded => Some(DeliveryEvent::Succeeded(facts)),
        NextStep::Failed => Some(DeliveryEvent::Failed { facts, error: attempt.result.error() }),
    }
}

const fn facts(attempt: &FinishedAttempt, channel: Channel) -> DeliveryFacts {
    let delivery = &attempt.delivery;
    DeliveryFacts {
        delivery_id: delivery.id,
        notification_id: delivery.notification_id,
        account_id: delivery.account_id,
        topic: delivery.topic,
        event_id: delivery.event_id,
        channel,
        attempts: delivery.attempt,
    }
}

fn report(
    channel: Channel,
    decisive: &[(&FinishedAttempt, NextStep)],
    late: &[(&FinishedAttempt, NextStep)],
    gone: &[&FinishedAttempt],
) {
    for attempt in gone {
        warn!(account.id = %attempt.delivery.account_id, "switched off a webhook that is gone");
    }
    decisive.iter().for_each(|(attempt, next)| report_attempt(attempt, *next, channel.as_str()));
    for (attempt, _) in late {
        warn!(delivery.id = %attempt.delivery.id, attempt = attempt.delivery.attempt,
            "an attempt ended after its claim, and decides nothing");
    }
}

/// Counts and logs one attempt: ids and codes only, because an answer may name a person.
fn report_attempt(finished: &FinishedAttempt, next: NextStep, channel: &'static str) {
    let (id, attempt) = (finished.delivery.id, finished.delivery.attempt);
    let status = finished.result.status;
    let outcome = match next {
        NextStep::Succeeded => {
            debug!(delivery.id = %id, channel, attempt, status, "delivered a notification");
            "succeeded"
        }
        NextStep::Retry { after } => {
            info!(delivery.id = %id, channel, attempt, status, after = ?after,
                "a delivery will be tried again");
            "retried"
        }
        NextStep::Failed => {
            warn!(delivery.id = %id, channel, attempt, status, "gave up a delivery");
            "failed"
        }
    };
    counter!("notifications_attempts_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
    histogram!("notifications_attempt_seconds", "channel" => channel).record(finished.duration);
}
