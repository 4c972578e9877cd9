//! The latency of a transfer while the bank is not busy. Promise: open loop, without coordinated
//! omission. Commands are due at fixed times, independent of the commands before, and each is
//! measured from its due time, not from its sending: a bank that stands still for a moment is
//! charged for every command that was due in the meantime.
//!
//! Two ends are seen. The ledger's event, when a consumer of the events receives it. The
//! notification, when its row is committed: PostgreSQL keeps the time of each commit
//! (`track_commit_timestamp`) and is asked afterwards, so nothing is disturbed. It takes that time
//! just before it flushes, so the time of a flush, measured in the same run, is added. Where it
//! keeps none, the row's `created_at` is taken, which is before the commit.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use shared_events::{
    Message,
    client::{Client, Watch},
    ledger::{SubmitTransfers, TransfersPosted},
    topology::COMMANDS,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    command::{Command, Payment},
    fault::BenchError,
    load::{first_id, now_millis},
    percentiles::Percentiles,
    place::Place,
    publisher::{Publisher, connect},
    settle::settle,
    store,
    traffic::{Draw, Shape, account},
};

/// More than are ever unconfirmed at this pace; beyond it the broker has failed.
const UNCONFIRMED_MAX: usize = 20_000;
/// An event that has not come by then was lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// How fast commands come, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: u32,
    pub(crate) accounts: u32,
    /// How long it runs before it counts.
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// The measured latency.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) per_second: u32,
    /// From when a command was due until a consumer of the events heard the ledger's event.
    pub(crate) to_event: Percentiles,
    /// From when a command was due until both notifications were committed.
    pub(crate) to_notification: Percentiles,
    /// How that was seen.
    pub(crate) notification_seen_by: &'static str,
    /// By how much the load generator was late itself. It is part of the above.
    pub(crate) sent_late: Percentiles,
}

/// When commands are due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    begin: Instant,
    every: Duration,
    count: u32,
}

impl Schedule {
    fn new(pace: &Pace, begin: Instant) -> Self {
        let every = Duration::from_secs(1) / pace.per_second;
        let count = (pace.warm_up + pace.window).as_nanos() / every.as_nanos();
        Self { begin, every, count: u32::try_from(count).unwrap_or(u32::MAX) }
    }

    fn due(&self) -> impl Iterator<Item = Instant> + use<> {
        let Self { begin, every, count } = *self;
        (0..count).map(move |n| begin + every * n)
    }
}

/// A command that was sent.
struct Sent {
    id: Uuid,
    due: Instant,
    late: Duration,
}

/// Sends commands at this pace, and measures. `flush_ms`: how long a flush takes.
pub(crate) async fn run(
    place: &Place,
    pace: Pace,
    flush_ms: Option<f64>,
) -> Result<Latency, BenchError> {
    let notifications = place.notifications().await?;
    place.containers.flush().await?;
    let since = first_id(now_millis());
    let hearing = Client::new(place.amqp.clone(), "bench");
    let hearing = hearing.watch(&[TransfersPosted::TYPE.to_owned()]).await;
    let hearing = hearing.map_err(|error| BenchError::Wrong(error.to_string()))?;
    let schedule = Schedule::new(&pace, Instant::now() + Duration::from_millis(100));
    let hearing = tokio::spawn(hear(hearing, schedule.count));
    let (began, wall) = (Instant::now(), Utc::now());
    let sent = send(place, &pace, schedule).await?;
    let heard = hearing.await.map_err(|error| BenchError::Wrong(error.to_string()))??;
    settle(&notifications, since, u64::from(schedule.count)).await?;

    let tracked = store::tracks_commits(&notifications).await?;
    let (seen_by, extra) = match tracked {
        true => ("commit timestamp, and a flush", flush_ms.unwrap_or(0.0)),
        false => ("created_at", 0.0),
    };
    let committed: HashMap<Uuid, DateTime<Utc>> =
        store::committed(&notifications, since).await?.into_iter().collect();
    let counted = |sent: &&Sent| sent.due >= schedule.begin + pace.warm_up;
    let counted: Vec<&Sent> = sent.iter().filter(counted).collect();
    let to_event = counted.iter().filter_map(|sent| Some(millis(*heard.get(&sent.id)? - sent.due)));
    let to_row = counted.iter().filter_map(|sent| {
        let due = wall + TimeDelta::from_std(sent.due - began).ok()?;
        Some((*committed.get(&sent.id)? - due).as_seconds_f64() * 1e3 + extra)
    });
    let late = counted.iter().map(|sent| millis(sent.late));
    let of = |millis: Vec<f64>| match millis.len() == counted.len() {
        true => Percentiles::of(millis).ok_or(BenchError::Wrong("no command was sent".into())),
        false => Err(BenchError::Wrong("not every command was seen to arrive".into())),
    };
    Ok(Latency {
        per_second: pace.per_second,
        to_event: of(to_event.collect())?,
        to_notification: of(to_row.collect())?,
        notification_seen_by: seen_by,
        sent_late: of(late.collect())?,
    })
}

/// Sends a command whenever one is due.
async fn send(place: &Place, pace: &Pace, schedule: Schedule) -> Result<Vec<Sent>, BenchError> {
    let connection = connect(&place.amqp, None).await?;
    let key = SubmitTransfers::TYPE;
    let publisher = Publisher::open(&connection, COMMANDS, key, UNCONFIRMED_MAX).await?;
    let mut command = Command::new(1, place.amqp.user());
    let mut draw = Draw::new(Shape::Uniform, pace.accounts, now_millis());
    let (clock, mut due) = mpsc::unbounded_channel();
    // A thread sleeps more exactly than a task.
    thread::spawn(move || {
        for due in schedule.due() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if clock.send(due).is_err() {
                return;
            }
        }
    });
    let mut sent = Vec::new();
    while let Some(due) = due.recv().await {
        let millis = now_millis();
        let (debtor, creditor) = draw.pair();
        let (debtor, creditor) = (account(debtor), account(creditor));
        let id = draw.random.id(millis);
        let payment = Payment { id: draw.random.id(millis), debtor, creditor };
        let late = due.elapsed();
        let properties = command.properties(id, debtor);
        publisher.publish(command.write(id, &[payment]), properties).await?;
        sent.push(Sent { id, due, late });
    }
    publisher.finish().await?;
    Ok(sent)
}

/// Notes when the event of each of so many commands is heard.
async fn hear(mut events: Watch, count: u32) -> Result<HashMap<Uuid, Instant>, BenchError> {
    let mut heard = HashMap::new();
    let all = usize::try_from(count).unwrap_or(usize::MAX);
    while heard.len() < all {
        match tokio::time::timeout(PATIENCE, events.next()).await {
            Ok(Some(event)) => {
                heard.entry(event.correlationid.0).or_insert_with(Instant::now);
            }
            Ok(None) | Err(_) => {
                let heard = heard.len();
                let why = format!("heard the events of {heard} of {count} commands, and no more");
                return Err(BenchError::Wrong(why));
            }
        }
    }
    Ok(heard)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_due_at_fixed_times() {
        let begin = Instant::now();
        let (warm_up, window) = (Duration::from_secs(1), Duration::from_secs(2));
        let pace = Pace { per_second: 1_000, accounts: 100, warm_up, window };
        let schedule = Schedule::new(&pace, begin);
        assert_eq!(schedule.count, 3_000);
        let due: Vec<Instant> = schedule.due().collect();
        assert_eq!(due.len(), 3_000);
        assert_eq!(due[0], begin);
        assert_eq!(due[2_999], begin + Duration::from_millis(2_999));
        let counted = due.iter().filter(|due| **due >= begin + warm_up).count();
        assert_eq!(counted, 2_000, "the warm-up does not count");
    }
}
