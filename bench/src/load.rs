//! As much as the bank can take. Promise: a transfer counts when the rows of its notifications are
//! committed, one for each side; at the end every transfer that was sent has both, or there is no
//! figure.
//!
//! Publishers send without waiting, within a window: about so many transfers are on their way at a
//! time. How far the bank is shows in a sample: the last transfer of every round goes to one of a
//! few watched accounts, whose notifications are quickly counted. The rate itself is that of all
//! rows that came while the bank was busy: after the start, and before the publishers stop.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::Utc;
use lapin::Connection;
use serde::Serialize;
use shared_events::{Message, ledger::SubmitTransfers, topology::COMMANDS};
use sqlx::PgPool;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, interval, sleep, sleep_until, timeout_at},
};
use uuid::Uuid;

use crate::{
    command::{Command, Payment},
    fault::BenchError,
    place::Place,
    plan::Plan,
    publisher::{Publisher, connect},
    settle::settle,
    store,
    traffic::{Draw, Random, Shape, WATCHED, account},
    usage::Usage,
};

/// How many connections publish: as many as it takes to keep the broker busy.
const PUBLISHERS: u64 = 2;
/// How many transfers a round has at least.
const ROUND_TRANSFERS: usize = 64;
/// How many transfers are on their way at a time: with one in a command, and with more.
const WINDOW_TRANSFERS: usize = 4_096;
const WINDOW_TRANSFERS_BATCHED: usize = 40_000;
/// How often the sample is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const LOOKS_A_SECOND: u32 = 40;

/// The load to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) shape: Shape,
    pub(crate) accounts: u32,
    pub(crate) transfers_per_command: usize,
    pub(crate) offer: Offer,
    /// How long it runs before it counts.
    pub(crate) warm_up: Duration,
    /// How long it counts.
    pub(crate) window: Duration,
}

/// How much is offered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offer {
    /// As much as is done: so much is on its way at a time.
    AsMuchAsIsDone,
    /// This many transfers a second, at any backlog.
    PerSecond(u32),
}

impl Load {
    /// One transfer a command, as the plan says.
    pub(crate) const fn unbatched(plan: &Plan) -> Self {
        let Plan { shape, accounts, warm_up, window, .. } = *plan;
        let offer = Offer::AsMuchAsIsDone;
        Self { shape, accounts, transfers_per_command: 1, offer, warm_up, window }
    }
}

/// The measured throughput.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Throughput {
    pub(crate) transfers_per_second: f64,
    pub(crate) transfers_per_command: usize,
    pub(crate) shape: Shape,
    pub(crate) accounts: u32,
    pub(crate) seconds: f64,
    /// All that were sent, also before and after the time that counts.
    pub(crate) transfers: u64,
    /// How long after the last publish the last notification was there.
    pub(crate) drain_seconds: f64,
    /// By container; empty where they are not known.
    pub(crate) cpu_seconds_per_1000: BTreeMap<String, f64>,
    pub(crate) bytes_per_transfer: BTreeMap<&'static str, Growth>,
}

/// The growth of a database by a transfer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) stored: f64,
    pub(crate) logged: f64,
}

/// Sends load for a while, and measures.
pub(crate) async fn run(place: &Place, load: Load) -> Result<Throughput, BenchError> {
    let (ledger, notifications) = (place.ledger().await?, place.notifications().await?);
    let before = [store::sizes(&ledger).await?, store::sizes(&notifications).await?];
    let since = first_id(now_millis());
    let begin = Instant::now() + load.warm_up;
    let until = begin + load.window;

    let window = Window::open(&load);
    let mut publishing = JoinSet::new();
    for seed in 0..PUBLISHERS {
        let connection = connect(&place.amqp, None).await?;
        let client = Client::new(place, &load, seed, since);
        publishing.spawn(client.publish(connection, window.clone(), until));
    }
    let opening = tokio::spawn(let_in(notifications.clone(), window.clone(), load, since));

    sleep_until(begin).await;
    let (began, used) = (Utc::now(), Usage::now(&place.containers)?);
    sleep_until(until).await;
    let (ended, used_then) = (Utc::now(), Usage::now(&place.containers)?);
    let mut transfers = 0;
    while let Some(sent) = publishing.join_next().await {
        transfers += sent.map_err(|error| BenchError::Wrong(error.to_string()))??;
    }
    let stopped = Instant::now();
    let settled = settle(&notifications, since, transfers).await;
    opening.abort();
    settled?;
    let counted = ratio(store::came_within(&notifications, since, (began, ended)).await?, 2);

    let drain_seconds = stopped.elapsed().as_secs_f64();
    let after = [store::sizes(&ledger).await?, store::sizes(&notifications).await?];
    let growth = |n: usize| Growth {
        stored: ratio(after[n].0 - before[n].0, transfers),
        logged: ratio(after[n].1 - before[n].1, transfers),
    };
    let seconds = (ended - began).as_seconds_f64();
    Ok(Throughput {
        transfers_per_second: counted / seconds,
        transfers_per_command: load.transfers_per_command,
        shape: load.shape,
        accounts: load.accounts,
        seconds,
        transfers,
        drain_seconds,
        cpu_seconds_per_1000: used.per_thousand(&used_then, counted),
        bytes_per_transfer: BTreeMap::from([("ledger", growth(0)), ("notifications", growth(1))]),
    })
}

/// How many rounds may begin. A round is a command, or so many commands that it is worth counting.
#[derive(Clone)]
struct Window(Arc<Semaphore>);

impl Window {
    fn open(load: &Load) -> Self {
        let transfers = match load.transfers_per_command {
            1 => WINDOW_TRANSFERS,
            _ => WINDOW_TRANSFERS_BATCHED,
        };
        let rounds = match load.offer {
            Offer::AsMuchAsIsDone => (transfers / transfers_per_round(load)).max(1),
            Offer::PerSecond(_) => 0,
        };
        Self(Arc::new(Semaphore::new(rounds)))
    }

    /// Waits until a round may begin; false when it is too late for one.
    async fn enter(&self, until: Instant) -> bool {
        match timeout_at(until, self.0.acquire()).await {
            // A permit that is there at once comes however late it is.
            Ok(Ok(permit)) if Instant::now() < until => {
                permit.forget();
                true
            }
            Ok(Ok(_) | Err(_)) | Err(_) => false,
        }
    }
}

const fn commands_per_round(load: &Load) -> usize {
    ROUND_TRANSFERS.div_ceil(load.transfers_per_command)
}

const fn transfers_per_round(load: &Load) -> usize {
    load.transfers_per_command * commands_per_round(load)
}

/// Lets rounds begin.
async fn let_in(
    notifications: PgPool,
    window: Window,
    load: Load,
    since: Uuid,
) -> Result<(), BenchError> {
    match load.offer {
        Offer::AsMuchAsIsDone => watch(notifications, window, since).await,
        Offer::PerSecond(transfers) => {
            let round = u32::try_from(transfers_per_round(&load)).unwrap_or(u32::MAX);
            let mut clock = interval(Duration::from_secs(1) * round / transfers.max(1));
            loop {
                clock.tick().await;
                window.0.add_permits(1);
            }
        }
    }
}

/// Lets as many rounds begin as have ended. Notifications older than a second are counted once a
/// second, and only the rest each time, so that counting costs the bank the same in a run of any
/// length.
async fn watch(notifications: PgPool, window: Window, since: Uuid) -> Result<(), BenchError> {
    let watched: Vec<Uuid> = (0..WATCHED).map(account).collect();
    let (mut young, mut old, mut ended) = (since, 0, 0);
    for look in 0_u32.. {
        if look % LOOKS_A_SECOND == 0 {
            young = first_id(now_millis() - 1_000).max(since);
            old = store::notified(&notifications, &watched, since, young).await?;
        }
        let seen = old + store::notified(&notifications, &watched, young, Uuid::max()).await?;
        let seen = usize::try_from(seen).unwrap_or(ended);
        window.0.add_permits(seen.saturating_sub(ended));
        ended = seen.max(ended);
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// One that sends transfers.
struct Client {
    command: Command,
    draw: Draw,
    payments: usize,
    commands_per_round: usize,
}

impl Client {
    fn new(place: &Place, load: &Load, seed: u64, since: Uuid) -> Self {
        // Nobody draws what was drawn before: ids are never used twice.
        let seed = Random::new(seed ^ u64::try_from(since.as_u128() >> 80).unwrap_or(0)).next();
        Self {
            command: Command::new(load.transfers_per_command, place.amqp.user()),
            draw: Draw::new(load.shape, load.accounts, seed),
            payments: load.transfers_per_command,
            commands_per_round: commands_per_round(load),
        }
    }

    /// Sends rounds until it is over, and returns how many transfers the broker has confirmed.
    async fn publish(
        mut self,
        connection: Connection,
        window: Window,
        until: Instant,
    ) -> Result<u64, BenchError> {
        let key = SubmitTransfers::TYPE;
        let publisher = Publisher::open(&connection, COMMANDS, key, WINDOW_TRANSFERS).await?;
        let mut payments = Vec::with_capacity(self.payments);
        while window.enter(until).await {
            for left in (0..self.commands_per_round).rev() {
                let millis = now_millis();
                let id = self.draw.random.id(millis);
                payments.clear();
                payments.extend((0..self.payments).map(|_| self.payment(millis)));
                if left == 0 {
                    self.watch_last(&mut payments);
                }
                let properties = self.command.properties(id, payments[0].debtor);
                publisher.publish(self.command.write(id, &payments), properties).await?;
            }
        }
        let confirmed = publisher.finish().await?;
        Ok(confirmed * u64::try_from(self.payments).unwrap_or(0))
    }

    fn payment(&mut self, millis: u64) -> Payment {
        let (debtor, creditor) = self.draw.pair();
        let id = self.draw.random.id(millis);
        Payment { id, debtor: account(debtor), creditor: account(creditor) }
    }

    fn watch_last(&mut self, payments: &mut [Payment]) {
        if let Some(last) = payments.last_mut() {
            last.creditor = account(self.draw.random.below(WATCHED));
        }
    }
}

pub(crate) fn now_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// The first id of a millisecond.
pub(crate) const fn first_id(millis: u64) -> Uuid {
    Uuid::from_u128((millis as u128) << 80)
}

#[allow(clippy::cast_precision_loss, reason = "counts of rows and bytes are far below 2^53")]
pub(crate) fn ratio(count: i64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}
