//! Records attempts. Promise: attempt, delivery and event are one transaction; an attempt that
//! ended after its claim did is written down and decides nothing.

use std::{collections::HashSet, time::Duration};

use metrics::{counter, histogram};
use shared_events::{
    AccountId,
    ids::DeliveryId,
    messaging::{Event, HandleError, JobContext, Tx},
    notifications::{Channel, DeliveryFailed, DeliveryStatus, DeliverySucceeded, EndpointDisabled},
};
use tokio::time::Instant;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::{
    domain::{Answer, Candidate, Next, Parcel, Schedule, next},
    store::{
        attempts::{self, Attempt},
        claims::{self, Settlement},
        recipients,
    },
};

/// An attempt that has ended, and is not recorded.
pub(crate) struct Ended {
    pub(crate) candidate: Candidate,
    pub(crate) parcel: Parcel,
    pub(crate) answer: Answer,
    pub(crate) started: Instant,
    pub(crate) took: Duration,
}

/// Records attempts of one channel, and announces what has become of their deliveries.
pub(crate) async fn record(
    workshop: &JobContext,
    channel: Channel,
    schedule: &Schedule,
    ended: &[Ended],
) -> Result<(), HandleError> {
    if ended.is_empty() {
        return Ok(());
    }
    let decided: Vec<(&Ended, Next)> = ended
        .iter()
        .map(|it| {
            let chance = rand::random_range(-1.0..=1.0);
            (it, next(&it.answer, it.parcel.number_in_schedule(), schedule, chance))
        })
        .collect();
    let made: Vec<Attempt<'_>> = ended.iter().map(attempt).collect();
    let settlements: Vec<Settlement> =
        decided.iter().map(|(it, next)| settlement(it, *next)).collect();

    let mut work = workshop.begin().await?;
    attempts::insert_in_tx(&mut work.tx(), &made).await?;
    let held = claims::settle_in_tx(&mut work.tx(), &settlements).await?;
    let held: HashSet<DeliveryId> = held.into_iter().collect();
    let (decisive, late): (Vec<_>, Vec<_>) =
        decided.into_iter().partition(|(it, _)| held.contains(&it.parcel.delivery_id));
    for (it, next) in &decisive {
        if let Some(event) = event(it, *next, channel) {
            work.announce(it.parcel.event_id, it.parcel.correlation_id, event);
        }
    }
    let gone = webhooks_gone_in_tx(&mut work.tx(), &decisive).await?;
    for it in &gone {
        let account_id = it.parcel.account_id;
        let event = EndpointDisabled { account_id, channel, delivery_id: it.parcel.delivery_id };
        work.announce(it.parcel.event_id, it.parcel.correlation_id, Event::new(&event));
    }
    work.commit().await?;
    for it in gone {
        warn!(account.id = %it.parcel.account_id, "a webhook is gone; nothing more is sent there");
    }
    decisive.into_iter().for_each(|(it, next)| report(it, next, channel_label(channel)));
    for (it, _) in late {
        warn!(delivery.id = %it.parcel.delivery_id, attempt = it.parcel.number,
            "an attempt outlived its claim, and decides nothing");
    }
    Ok(())
}

/// Switches off the webhooks that said that they are gone. Returns for each of those that were not
/// off already the attempt that said so.
async fn webhooks_gone_in_tx<'e>(
    tx: &mut Tx<'_>,
    decisive: &[(&'e Ended, Next)],
) -> Result<Vec<&'e Ended>, HandleError> {
    let mut gone: Vec<&Ended> =
        decisive.iter().map(|(it, _)| *it).filter(|it| it.answer.is_gone).collect();
    // Rows are locked in the order of account ids, each once.
    gone.sort_by_key(|it| it.parcel.account_id);
    gone.dedup_by_key(|it| it.parcel.account_id);
    if gone.is_empty() {
        return Ok(gone);
    }
    let accounts: Vec<Uuid> = gone.iter().map(|it| it.parcel.account_id.uuid()).collect();
    let webhooks: Vec<&str> =
        gone.iter().map(|it| it.parcel.recipient.webhook.as_deref().unwrap_or_default()).collect();
    let off = recipients::webhooks_gone_in_tx(tx, &accounts, &webhooks).await?;
    let off: HashSet<AccountId> = off.into_iter().collect();
    gone.retain(|it| off.contains(&it.parcel.account_id));
    Ok(gone)
}

fn attempt(it: &Ended) -> Attempt<'_> {
    Attempt {
        delivery_id: it.parcel.delivery_id,
        number: it.parcel.number,
        ago_ms: milliseconds(it.started.elapsed()),
        took_ms: milliseconds(it.took),
        answer: &it.answer,
    }
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

fn settlement(it: &Ended, next: Next) -> Settlement {
    let (status, again_seconds) = match next {
        Next::Succeeded => (DeliveryStatus::Succeeded, None),
        Next::Again { after } => (DeliveryStatus::Pending, Some(after.as_secs_f64())),
        Next::Failed => (DeliveryStatus::Failed, None),
    };
    let last_error = (next != Next::Succeeded).then(|| it.answer.error());
    let (id, number) = (it.parcel.delivery_id, it.parcel.number);
    Settlement { id, number, status, again_seconds, last_error }
}

fn event(it: &Ended, next: Next, channel: Channel) -> Option<Event> {
    let Parcel { delivery_id, notification_id, account_id, topic, event_id, .. } = it.parcel;
    let attempts = it.parcel.number;
    match next {
        Next::Again { .. } => None,
        Next::Succeeded => Some(Event::new(&DeliverySucceeded {
            delivery_id,
            notification_id,
            account_id,
            topic,
            event_id,
            channel,
            attempts,
        })),
        Next::Failed => Some(Event::new(&DeliveryFailed {
            delivery_id,
            notification_id,
            account_id,
            topic,
            event_id,
            channel,
            attempts,
            error: it.answer.error(),
        })),
    }
}

/// Counts and logs: ids and codes only, for an answer may name a person.
fn report(it: &Ended, next: Next, channel: &'static str) {
    let (id, attempt, status) = (it.parcel.delivery_id, it.parcel.number, it.answer.status);
    let outcome = match next {
        Next::Succeeded => {
            debug!(delivery.id = %id, channel, attempt, status, "delivered");
            "succeeded"
        }
        Next::Again { after } => {
            info!(delivery.id = %id, channel, attempt, status, after = ?after, "to be tried again");
            "retried"
        }
        Next::Failed => {
            warn!(delivery.id = %id, channel, attempt, status, "not delivered; given up");
            "failed"
        }
    };
    counter!("notifications_attempts_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
    histogram!("notifications_attempt_seconds", "channel" => channel).record(it.took);
}

/// A channel as a label of metrics.
pub(crate) const fn channel_label(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Webhook => "webhook",
    }
}
