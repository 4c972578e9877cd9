//! Moves committed events to the bus. Promise: a row is deleted only after the broker confirmed
//! exactly its message; until then it is published again, with the same message id; events leave in
//! the order of their rows.
//!
//! ```text
//! handover ─> backlog ────(publish)────> in flight ─(confirm)─> confirmed ─(DELETE)─> gone
//!                ^                          │
//!                └──── fault: all of it ────┘
//! ```
//! No stage waits for the one behind it. The table is read at the start, and when there is nothing
//! else to do: rows of a relay that died, and of commits whose answer was lost.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{Channel, Confirmation};
use metrics::counter;
use sqlx::PgPool;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Interval, MissedTickBehavior, sleep_until},
};
use tracing::{info, warn};

use super::{
    connection::{Backoff, BusError, Link, in_time},
    database::unflushed,
    health::Health,
    join::outgoing,
    lane::{CurrentLane, Lane},
    outbox::Row,
    publish::{CONFIRM_TIMEOUT, accepted, publish},
};
use crate::envelope::chain;

/// The most messages that wait for their confirm.
const IN_FLIGHT_MAX: usize = 512;
/// The most messages that wait to be published here; more stay in the handover.
const BACKLOG_MAX: usize = 2_000;
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
    row: Row,
    since: Instant,
}

type Confirm = Pin<Box<dyn Future<Output = (u64, lapin::Result<Confirmation>)> + Send>>;
type Delete = Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send>>;

pub(crate) struct Relay {
    link: Link,
    pool: PgPool,
    /// Takes the deletes: one that is lost with the server's memory leaves a row that is published
    /// again, as after any crash.
    deletes: PgPool,
    lane: Lane,
    health: Health,
    handover: mpsc::UnboundedReceiver<Vec<Row>>,
    backlog: VecDeque<Row>,
    in_flight: BTreeMap<u64, InFlight>,
    published: u64,
    confirmed: Vec<i64>,
    deleting: Option<Delete>,
    /// When the next delete may begin.
    next_delete: Instant,
    ticks: Interval,
}

impl Relay {
    /// Takes a lane and what was left on it. Waits for the database as long as it takes.
    pub(crate) async fn start(
        link: Link,
        pool: PgPool,
        current: &CurrentLane,
        health: Health,
        handover: mpsc::UnboundedReceiver<Vec<Row>>,
    ) -> Self {
        let mut backoff = Backoff::new();
        let lane = loop {
            match Lane::take(&pool, current).await {
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
            deletes: unflushed(&pool),
            pool,
            lane,
            health,
            handover,
            backlog: VecDeque::new(),
            in_flight: BTreeMap::new(),
            published: 0,
            confirmed: Vec::new(),
            deleting: None,
            next_delete: Instant::now(),
            ticks,
        }
    }

    /// Runs until the handover is closed and everything is confirmed and deleted. Says `ready`
    /// when what was left from before is on its way, so that new events come after it.
    pub(crate) async fn run(mut self, ready: oneshot::Sender<()>) {
        let mut ready = Some(ready);
        let mut backoff = Backoff::new();
        loop {
            match self.publish_until_fault(&mut ready, &mut backoff).await {
                Ok(()) => break,
                Err(error) => {
                    warn!(error = %chain(&error), unconfirmed = self.in_flight.len(),
                        "relay lost the broker; unconfirmed events are published again");
                    self.health.bad(PART, chain(&error).to_string());
                    self.take_back();
                    backoff.pause().await;
                }
            }
        }
        self.link.close().await;
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
                if self.sweep(true).await {
                    continue;
                }
                ready.take().map(|ready| ready.send(()));
            }
            if ready.is_none() && self.is_finished() {
                let closing = channel.close(200, "nothing is left to publish".into());
                return in_time("closing a channel", async { Ok(closing.await?) }).await;
            }
            self.wait(&mut confirms, ready.is_none()).await?;
        }
    }

    /// Waits for whatever comes first, and takes it in.
    async fn wait(
        &mut self,
        confirms: &mut FuturesUnordered<Confirm>,
        taking: bool,
    ) -> Result<(), BusError> {
        let takes = taking && self.backlog.len() < BACKLOG_MAX;
        let open = takes && !self.is_cut_off();
        let deleting = self.deleting.is_some();
        let to_delete = !deleting && !self.confirmed.is_empty();
        tokio::select! {
            biased;
            // First, or a busy relay would never look up.
            _ = self.ticks.tick() => self.look_around().await,
            Some(first) = confirms.next(), if !confirms.is_empty() => {
                self.settle(first, confirms)
            }
            done = async { self.deleting.as_mut().expect("checked").await }, if deleting => {
                self.deleting = None;
                self.deleted(done);
                Ok(())
            }
            () = sleep_until(self.next_delete.into()), if to_delete => Ok(()),
            rows = self.handover.recv(), if open => {
                self.backlog.extend(rows.into_iter().flatten());
                while let (true, Ok(rows)) =
                    (self.backlog.len() < BACKLOG_MAX, self.handover.try_recv())
                {
                    self.backlog.extend(rows);
                }
                Ok(())
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
        self.in_flight.get(&number).map_or_else(String::new, |it| it.row.message_id.to_string())
    }

    /// Deletes confirmed rows when it is time, one statement at a time; what is confirmed meanwhile
    /// goes next.
    fn start_delete(&mut self) {
        let now = Instant::now();
        if self.deleting.is_some() || self.confirmed.is_empty() || now < self.next_delete {
            return;
        }
        self.next_delete = now + DELETE_EVERY;
        let (pool, ids) = (self.deletes.clone(), std::mem::take(&mut self.confirmed));
        self.deleting = Some(Box::pin(async move {
            let mut backoff = Backoff::new();
            // A database that is away comes back; until then the rows are merely still there.
            loop {
                let delete = sqlx::query!("DELETE FROM bus.outbox WHERE id = ANY($1)", &ids);
                match delete.execute(&pool).await {
                    Ok(_) => return Ok(()),
                    Err(error) if super::database::is_transient(&error) => backoff.pause().await,
                    Err(error) => return Err(error),
                }
            }
        }));
    }

    fn deleted(&self, done: sqlx::Result<()>) {
        if let Err(error) = done {
            warn!(error = %chain(&error), "confirmed rows stay in the outbox");
        }
    }

    fn is_idle(&self) -> bool {
        self.backlog.is_empty()
            && self.in_flight.is_empty()
            && self.confirmed.is_empty()
            && self.deleting.is_none()
    }

    /// Nobody will hand anything over any more.
    fn is_cut_off(&self) -> bool {
        self.handover.is_closed() && self.handover.is_empty()
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
    async fn look_around(&mut self) -> Result<(), BusError> {
        let oldest = self.in_flight.first_key_value();
        if oldest.is_some_and(|(_, oldest)| oldest.since.elapsed() > CONFIRM_TIMEOUT) {
            return Err(BusError::Timeout { doing: "confirming", after: CONFIRM_TIMEOUT });
        }
        if self.backlog.is_empty() {
            self.sweep(false).await;
        }
        Ok(())
    }

    /// Reads back what nobody else will publish. Returns whether there was anything.
    async fn sweep(&mut self, at_start: bool) -> bool {
        match self.read_back(at_start).await {
            Ok(rows) => {
                let any = !rows.is_empty();
                if any {
                    info!(rows = rows.len(), "events left in the outbox are published now");
                }
                self.backlog.extend(rows);
                any
            }
            Err(error) => {
                warn!(error = %chain(&error), "cannot read the outbox; taking a lane again");
                if let Err(error) = self.lane.retake(&self.pool).await {
                    warn!(error = %chain(&error), "no outbox lane");
                    tokio::time::sleep(Backoff::new().next_pause()).await;
                }
                at_start
            }
        }
    }

    /// At the start, all that the lane's last relay left. Later, what a dead relay left on another
    /// lane, and rows of our own that are old and not in hand: the answer to their commit was lost.
    async fn read_back(&mut self, at_start: bool) -> sqlx::Result<Vec<Row>> {
        let mut rows = self.lane.adopt_orphans().await?;
        rows.extend(match at_start {
            true => self.lane.leftovers().await?,
            false => self.lane.forgotten().await?,
        });
        let in_flight = self.in_flight.values().map(|it| it.row.id);
        let in_hand: HashSet<i64> = in_flight.chain(self.confirmed.iter().copied()).collect();
        rows.retain(|row| !in_hand.contains(&row.id));
        Ok(rows)
    }
}
