//! Records attempts. Promise: attempt, delivery and event are one transaction; an attempt that
//! ended after its claim did is written down and decides nothing.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use shared_events::{
    bus::{Event, HandleError, Workshop},
    ids::DeliveryId,
    notifications::{Channel, DeliveryFailed, DeliveryStatus, DeliverySucceeded},
};
use tracing::{debug, info, warn};

use crate::{
    domain::{Answer, Next, Parcel, Schedule, next},
    store::{
        attempts::{self, Attempt},
        deliveries::{self, Settlement},
    },
};

/// An attempt that has ended, and is not recorded.
pub(super) struct Ended {
    pub(super) parcel: Parcel,
    pub(super) answer: Answer,
    pub(super) at: DateTime<Utc>,
    pub(super) took: Duration,
}

/// Records attempts of one channel, and announces what has become of their deliveries.
pub(super) async fn record(
    workshop: &Workshop,
    channel: Channel,
    schedule: &Schedule,
    ended: &[Ended],
) -> Result<(), HandleError> {
    if ended.is_empty() {
        return Ok(());
    }
    let now = Utc::now();
    let decided: Vec<(&Ended, Next)> = ended
        .iter()
        .map(|it| {
            let chance = rand::random_range(-1.0..=1.0);
            (it, next(it.answer.verdict, it.parcel.number, schedule, now, chance))
        })
        .collect();
    let made: Vec<Attempt<'_>> = ended.iter().map(attempt).collect();
    let settlements: Vec<Settlement> =
        decided.iter().map(|(it, next)| settlement(it, *next)).collect();

    let mut work = workshop.begin().await?;
    attempts::insert_in_tx(&mut work.tx(), &made).await?;
    let held = deliveries::settle_in_tx(&mut work.tx(), &settlements).await?;
    let held: HashSet<DeliveryId> = held.into_iter().collect();
    let (decisive, late): (Vec<_>, Vec<_>) =
        decided.into_iter().partition(|(it, _)| held.contains(&it.parcel.delivery_id));
    for (it, next) in &decisive {
        if let Some(event) = event(it, *next, channel) {
            work.announce(it.parcel.event_id, it.parcel.correlation_id, event);
        }
    }
    work.commit().await?;
    decisive.into_iter().for_each(|(it, next)| report(it, next, channel_label(channel)));
    for (it, _) in late {
        warn!(delivery.id = %it.parcel.delivery_id, attempt = it.parcel.number,
            "an attempt outlived its claim, and decides nothing");
    }
    Ok(())
}

fn attempt(it: &Ended) -> Attempt<'_> {
    Attempt {
        delivery_id: it.parcel.delivery_id,
        number: it.parcel.number,
        at: it.at,
        took_ms: i32::try_from(it.took.as_millis()).unwrap_or(i32::MAX),
        answer: &it.answer,
    }
}

fn settlement(it: &Ended, next: Next) -> Settlement {
    let (status, next_attempt_at) = match next {
        Next::Succeeded => (DeliveryStatus::Succeeded, None),
        Next::Again { at } => (DeliveryStatus::Pending, Some(at)),
        Next::Failed => (DeliveryStatus::Failed, None),
    };
    let last_error = (next != Next::Succeeded).then(|| it.answer.error());
    let (id, number) = (it.parcel.delivery_id, it.parcel.number);
    Settlement { id, number, status, next_attempt_at, last_error }
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
        Next::Again { at } => {
            info!(delivery.id = %id, channel, attempt, status, next = %at, "to be tried again");
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
pub(super) const fn channel_label(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Webhook => "webhook",
    }
}
