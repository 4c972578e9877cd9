//! Moves committed events to the bus. Promise: a row is deleted only after the broker confirmed
//! exactly its message; until then it is published again, with the same message id; events leave in
//! the order of their rows.
//!
//! ```text
//! relay_queue ─> backlog ────(publish)────> in flight ─(confirm)─> confirmed ─(DELETE)─> gone
//!                ^                          │
//!                └──── fault: all of it ────┘
//! ```
//! No stage waits for the one behind it, and none for the database: deletes and looks at the table
//! run beside the publishing. The table is read at the start, for a commit whose answer was lost
//! (before anything that was committed after it), and when there is nothing else to do: rows of a
//! relay that died.

use std::{
    any::Any,
    collections::{BTreeMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{Channel, Confirmation};
use metrics::counter;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Interval, MissedTickBehavior, sleep_until},
};
use tracing::{info, warn};

use super::{
    coalesce::outgoing,
    database::Database,
    outbox::{OutboxRow, RelayItem},
    outbox_partition::{CurrentPartition, OutboxPartition},
    outbox_table::{SweepResult, TableTask, beside, committed, delete, sweep},
    supervise,
};
use crate::amqp::{
    connection::{Backoff, BusError, Link, in_time},
    health::Health,
    publish::{CONFIRM_TIMEOUT, accepted, publish},
};
use crate::envelope::chain;

/// The most messages that wait for their confirm.
const IN_FLIGHT_MAX: usize = 512;
/// How often the relay looks at its oldest confirm and at the table.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The least time from one delete to the next. With one for each batch of the consumer there would
/// be a second transaction for each of its own.
const DELETE_EVERY: Duration = Duration::from_millis(25);
/// The relay, as its service's health names it.
pub(crate) const PART: &str = "relay";

/// A published message that the broker has not confirmed yet.
#[derive(Debug)]
struct InFlight {
    row: OutboxRow,
    since: Instant,
}

type Confirm = Pin<Box<dyn Future<Output = (u64, lapin::Result<Confirmation>)> + Send>>;
pub(crate) struct Relay {
    link: Link,
    database: Database,
    /// Takes the deletes: one that is lost with the server's memory leaves a row that is published
    /// again, as after any crash.
    deletes: Database,
    /// Away while the table is looked at.
    lane: Option<OutboxPartition>,
    health: Health,
    relay_queue: mpsc::UnboundedReceiver<RelayItem>,
    /// Bounded by the relay_queue's bytes.
    backlog: VecDeque<OutboxRow>,
    in_flight: BTreeMap<u64, InFlight>,
    published: u64,
    confirmed: Vec<i64>,
    deleting: Option<TableTask<sqlx::Result<()>>>,
    /// What the running delete deletes.
    going: Vec<i64>,
    /// When the next delete may begin.
    next_delete: Instant,
    sweeping: Option<TableTask<SweepResult>>,
    /// What was in hand when the running look at the table began.
    known: HashSet<i64>,
    /// Those of some doubtful rows that are in the table. Nothing is taken over before they are.
    doubted: Option<TableTask<Vec<OutboxRow>>>,
    ticks: Interval,
}

impl Relay {
    /// Takes a lane and what was left on it. Waits for the database as long as it takes.
    pub(crate) async fn start(
        link: Link,
        database: Database,
        current: &CurrentPartition,
        health: Health,
        relay_queue: mpsc::UnboundedReceiver<RelayItem>,
    ) -> Self {
        let mut backoff = Backoff::new();
        let lane = loop {
            match OutboxPartition::take(&database, current).await {
                Ok(lane) => break lane,
                Err(error) => {
                    warn!(error = %chain(&error), "no outbox lane yet");
                    health.bad(PART, format!("no outbox lane: {}", chain(&error)));
                    backoff.pause().await;
                }
            }
        };
        info!(lane = lane.number(), "relay holds its outbox lane");
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            link,
            deletes: database.unflushed(),
            database,
            lane: Some(lane),
            health,
            relay_queue,
            backlog: VecDeque::new(),
            in_flight: BTreeMap::new(),
            published: 0,
            confirmed: Vec::new(),
            deleting: None,
            going: Vec::new(),
            next_delete: Instant::now(),
            sweeping: None,
            known: HashSet::new(),
            doubted: None,
            ticks,
        }
    }

    /// Runs until the relay_queue is closed and everything is confirmed and deleted. Says `ready`
    /// when what was left from before is on its way, so that new events come after it.
    pub(crate) async fn run(mut self, ready: oneshot::Sender<()>) {
        let mut ready = Some(ready);
        let mut backoff = Backoff::new();
        loop {
            let publishing = self.publish_until_fault(&mut ready, &mut backoff);
            let error = match AssertUnwindSafe(publishing).catch_unwind().await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => chain(&error).to_string(),
                Err(panic) => self.panicked(&*panic),
            };
            warn!(
                error,
                unconfirmed = self.in_flight.len(),
                "relay lost the broker; unconfirmed events are published again"
            );
            self.health.bad(PART, error);
            self.take_back();
            backoff.pause().await;
        }
        self.link.close().await;
    }

    /// What was beside is lost with its rows; the table still has them.
    fn panicked(&mut self, panic: &(dyn Any + Send)) -> String {
        (self.deleting, self.doubted) = (None, None);
        supervise::panicked(PART, panic)
    }

    /// Works on one channel. Ends well when there is nothing left to do for ever.
    async fn publish_until_fault(
        &mut self,
        ready: &mut Option<oneshot::Sender<()>>,
        backoff: &mut Backoff,
    ) -> Result<(), BusError> {
        let channel = self.link.confirming_channel().await?;
        self.health.good(PART);
        *backoff = Backoff::new();
        let mut confirms = FuturesUnordered::<Confirm>::new();
        loop {
            self.publish_backlog(&channel, &mut confirms).await?;
            self.start_delete();
            if ready.is_some() && self.is_idle() {
                self.start_sweep(true);
            }
            if ready.is_none() && self.is_finished() {
                let closing = channel.close(200, "nothing is left to publish".into());
                return in_time("closing a channel", async { Ok(closing.await?) }).await;
            }
            self.wait(&mut confirms, ready).await?;
        }
    }

    /// Waits for whatever comes first, and takes it in.
    async fn wait(
        &mut self,
        confirms: &mut FuturesUnordered<Confirm>,
        ready: &mut Option<oneshot::Sender<()>>,
    ) -> Result<(), BusError> {
        let takes = ready.is_none() && self.doubted.is_none() && !self.is_cut_off();
        let to_delete = self.deleting.is_none() && !self.confirmed.is_empty();
        tokio::select! {
            biased;
            // First, or a busy relay would never look up.
            _ = self.ticks.tick() => self.look_around(ready.is_some())?,
            Some(first) = confirms.next(), if !confirms.is_empty() => {
                self.settle(first, confirms)?;
            }
            done = beside(&mut self.deleting) => self.deleted(done),
            rows = beside(&mut self.doubted) => self.backlog.extend(rows),
            swept = beside(&mut self.sweeping) => {
                if self.swept(swept) {
                    ready.take().map(|ready| ready.send(()));
                }
            }
            () = sleep_until(self.next_delete.into()), if to_delete => {}
            Some(handed) = self.relay_queue.recv(), if takes => {
                self.take_over(handed);
                self.take_over_all();
            }
        }
        Ok(())
    }

    /// Takes over what was handed over, up to rows that are in doubt.
    fn take_over_all(&mut self) {
        while self.doubted.is_none()
            && let Ok(handed) = self.relay_queue.try_recv()
        {
            self.take_over(handed);
        }
    }

    fn take_over(&mut self, handed: RelayItem) {
        match handed {
            RelayItem::Committed(rows) => self.backlog.extend(rows),
            RelayItem::Doubtful(rows) => {
                let asking = Box::pin(committed(self.database.clone(), rows));
                self.doubted = Some(asking);
            }
        }
    }

    /// Publishes what is ready, as far as the window allows.
    async fn publish_backlog(
        &mut self,
        channel: &Channel,
        confirms: &mut FuturesUnordered<Confirm>,
    ) -> Result<(), BusError> {
        while self.in_flight.len() < IN_FLIGHT_MAX {
            let Some(row) = self.backlog.pop_front() else { break };
            let message = outgoing(&row, self.link.user());
            self.published += 1;
            let number = self.published;
            // In flight before it is sent: a fault while sending must not lose it.
            self.in_flight.insert(number, InFlight { row, since: Instant::now() });
            let confirm = publish(channel, &message).await?;
            confirms.push(Box::pin(confirm.map(move |said| (number, said))));
            counter!("bus_relay_messages_total").increment(1);
        }
        Ok(())
    }

    /// Takes in every confirm that has come. Only a plain acknowledgement is one; anything else is
    /// a fault before any of them counts, since a returned message may hang on the confirm of
    /// another, though never on one that comes after its own.
    fn settle(
        &mut self,
        first: (u64, lapin::Result<Confirmation>),
        confirms: &mut FuturesUnordered<Confirm>,
    ) -> Result<(), BusError> {
        let mut came = vec![first];
        while let Some(Some(next)) = confirms.next().now_or_never() {
            came.push(next);
        }
        let mut acknowledged = Vec::with_capacity(came.len());
        for (number, said) in came {
            accepted(&self.named(number), said?)?;
            acknowledged.push(number);
        }
        for number in acknowledged {
            let done = self.in_flight.remove(&number);
            self.confirmed.extend(done.map(|done| done.row.id));
        }
        Ok(())
    }

    /// The id of a message in flight.
    fn named(&self, number: u64) -> String {
        self.in_flight.get(&number).map_or_else(String::new, |sent| sent.row.message_id.to_string())
    }

    /// Deletes confirmed rows when it is time, one statement at a time; what is confirmed meanwhile
    /// goes next.
    fn start_delete(&mut self) {
        let now = Instant::now();
        if self.deleting.is_some() || self.confirmed.is_empty() || now < self.next_delete {
            return;
        }
        self.next_delete = now + DELETE_EVERY;
        self.going = std::mem::take(&mut self.confirmed);
        self.deleting = Some(Box::pin(delete(self.deletes.clone(), self.going.clone())));
    }

    fn deleted(&mut self, done: sqlx::Result<()>) {
        self.going.clear();
        if let Err(error) = done {
            warn!(error = %chain(&error), "confirmed rows stay in the outbox");
        }
    }

    fn is_idle(&self) -> bool {
        self.backlog.is_empty()
            && self.in_flight.is_empty()
            && self.confirmed.is_empty()
            && self.deleting.is_none()
            && self.doubted.is_none()
    }

    /// Nobody will hand anything over any more.
    fn is_cut_off(&self) -> bool {
        self.relay_queue.is_closed() && self.relay_queue.is_empty()
    }

    fn is_finished(&self) -> bool {
        self.is_cut_off() && self.is_idle()
    }

    /// Everything unconfirmed goes back to the front, in order.
    fn take_back(&mut self) {
        for (_, lost) in std::mem::take(&mut self.in_flight).into_iter().rev() {
            self.backlog.push_front(lost.row);
        }
    }

    /// Has a confirm been waiting for too long, and has anyone left rows?
    fn look_around(&mut self, at_start: bool) -> Result<(), BusError> {
        let oldest = self.in_flight.first_key_value();
        if oldest.is_some_and(|(_, oldest)| oldest.since.elapsed() > CONFIRM_TIMEOUT) {
            return Err(BusError::Timeout { doing: "confirming", after: CONFIRM_TIMEOUT });
        }
        if !at_start {
            self.take_over_all();
            if self.backlog.is_empty() && self.doubted.is_none() {
                self.start_sweep(false);
            }
        }
        Ok(())
    }

    /// Begins to read back what nobody else will publish. What is in hand now may be gone from the
    /// table, or not, by the time it is read; what is handed over later is too new to be read.
    fn start_sweep(&mut self, at_start: bool) {
        let Some(lane) = self.lane.take() else { return };
        let in_flight = self.in_flight.values().map(|sent| sent.row.id);
        let backlog = self.backlog.iter().map(|row| row.id);
        let deleted = self.confirmed.iter().chain(&self.going).copied();
        self.known = in_flight.chain(backlog).chain(deleted).collect();
        self.sweeping = Some(Box::pin(sweep(lane, self.database.clone(), at_start)));
    }

    /// Takes in what was found in the table. Whether nothing is left from before the start.
    fn swept(&mut self, swept: SweepResult) -> bool {
        self.lane = Some(swept.lane);
        let mut rows = match swept.found {
            Ok(rows) => rows,
            Err(error) => {
                self.health.bad(PART, format!("cannot read the outbox: {}", chain(&error)));
                return false;
            }
        };
        self.health.good(PART);
        rows.retain(|row| !self.known.contains(&row.id));
        if !rows.is_empty() {
            info!(rows = rows.len(), "events left in the outbox are published now");
        }
        let none = rows.is_empty();
        self.backlog.extend(rows);
        swept.at_start && none
    }
}
