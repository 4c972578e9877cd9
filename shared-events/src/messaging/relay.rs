//! Publishes committed events. Promise: a row is deleted only after the broker confirmed exactly
//! its message; until then the message is published again, under the same id; events leave in the
//! order of their rows.
//!
//! ```text
//! relay queue ─> backlog ──(publish)──> in flight ──(confirm)──> confirmed ──(DELETE)──> gone
//!                   ^                      │
//!                   └── fault: all of it ──┘
//! ```
//! No stage waits for the next one, and none for the database: deletes and reads of the table run
//! beside the publishing. The relay reads the table at its start, for a commit whose answer was
//! lost (before anything that was committed later), and, while idle, for rows of dead relays.
//!
//! | promise | test in `relay/tests.rs` |
//! |---|---|
//! | a delete only after `Ack(None)` | `a_row_is_deleted_only_after_a_plain_acknowledgement` |
//! | nack, return, silence: again, in order | `an_unconfirmed_message_is_published_again` |
//! | a lost connection publishes again, in order | `a_lost_connection_publishes_again_in_order` |
//! | doubtful commits leave first | `doubtful_rows_leave_before_later_ones_if_they_are_stored` |
//! | rows of an earlier relay leave before new ones | `rows_from_before_the_start_leave_first` |
//! | the end comes after the last delete | `the_relay_ends_when_everything_is_deleted` |

#[cfg(test)]
mod tests;

use std::{
    any::Any,
    collections::{BTreeMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::Confirmation;
use metrics::counter;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Interval, MissedTickBehavior, sleep_until},
};
use tracing::{info, warn};

use super::{
    coalesce::outgoing,
    event_broker::EventBroker,
    outbox::{OutboxRow, RelayItem},
    outbox_table::{OutboxTable, SweepResult, TableTask, committed, delete, finished, sweep},
    supervise,
};
use crate::amqp::{
    answer::BusError,
    connection::Backoff,
    health::Health,
    publish::{CONFIRM_TIMEOUT, accepted},
};
use crate::envelope::chain;

/// The most messages that wait for their confirm.
const IN_FLIGHT_MAX: usize = 512;
/// The interval in which the relay checks its oldest confirm and reads the table.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The least time from one delete to the next. One delete for each batch of the consumer would be
/// a second transaction for each of the consumer's own.
const DELETE_INTERVAL: Duration = Duration::from_millis(25);
/// The relay, as its service's health names it.
pub(crate) const PART: &str = "relay";

/// A published message that the broker has not confirmed yet.
#[derive(Debug)]
struct InFlight {
    row: OutboxRow,
    since: Instant,
}

/// A confirm, with the number of its message.
struct NumberedConfirm<C> {
    number: u64,
    confirm: C,
}

impl<C: Future + Unpin> Future for NumberedConfirm<C> {
    type Output = (u64, C::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let number = self.number;
        Pin::new(&mut self.confirm).poll(context).map(|answer| (number, answer))
    }
}

type Confirms<C> = FuturesUnordered<NumberedConfirm<C>>;

pub(crate) struct Relay<B, O: OutboxTable> {
    broker: B,
    table: O,
    /// Absent while a sweep has it.
    partition: Option<O::Partition>,
    health: Health,
    queue: mpsc::UnboundedReceiver<RelayItem>,
    /// Bounded by the relay queue's bytes.
    backlog: VecDeque<OutboxRow>,
    in_flight: BTreeMap<u64, InFlight>,
    published: u64,
    confirmed: Vec<i64>,
    deleting: Option<TableTask<sqlx::Result<()>>>,
    /// The rows of the running delete.
    being_deleted: Vec<i64>,
    /// The time at which the next delete may begin.
    next_delete: Instant,
    sweeping: Option<TableTask<SweepResult<O::Partition>>>,
    /// The rows in memory at the beginning of the running sweep.
    known: HashSet<i64>,
    /// The check of doubtful rows. The relay takes nothing from its queue before the check ends.
    checking: Option<TableTask<Vec<OutboxRow>>>,
    ticks: Interval,
}

impl<B: EventBroker, O: OutboxTable> Relay<B, O> {
    /// Takes a partition. Waits for the database as long as it takes.
    pub(crate) async fn start(
        broker: B,
        table: O,
        health: Health,
        queue: mpsc::UnboundedReceiver<RelayItem>,
    ) -> Self {
        let mut backoff = Backoff::new();
        let partition = loop {
            match table.take_partition().await {
                Ok(partition) => break partition,
                Err(error) => {
                    warn!(error = %chain(&error), "no outbox partition yet");
                    health.bad(PART, format!("no outbox partition: {}", chain(&error)));
                    backoff.pause().await;
                }
            }
        };
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            broker,
            table,
            partition: Some(partition),
            health,
            queue,
            backlog: VecDeque::new(),
            in_flight: BTreeMap::new(),
            published: 0,
            confirmed: Vec::new(),
            deleting: None,
            being_deleted: Vec::new(),
            next_delete: Instant::now(),
            sweeping: None,
            known: HashSet::new(),
            checking: None,
            ticks,
        }
    }

    /// Runs until the queue is closed and everything is confirmed and deleted. Signals `ready` when
    /// rows from before the start are on their way, so that new events leave after them.
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
            self.return_in_flight();
            backoff.pause().await;
        }
        self.broker.disconnect().await;
    }

    /// Drops the running tasks, whose rows the table still has.
    fn panicked(&mut self, panic: &(dyn Any + Send)) -> String {
        (self.deleting, self.checking) = (None, None);
        supervise::panicked(PART, panic)
    }

    /// Publishes on one channel until a fault. Ends well when nothing is left to publish for ever.
    async fn publish_until_fault(
        &mut self,
        ready: &mut Option<oneshot::Sender<()>>,
        backoff: &mut Backoff,
    ) -> Result<(), BusError> {
        let channel = self.broker.open().await?;
        self.health.good(PART);
        *backoff = Backoff::new();
        let mut confirms = Confirms::<B::Confirm>::new();
        loop {
            self.publish_backlog(&channel, &mut confirms).await?;
            self.start_delete();
            if ready.is_some() && self.is_idle() {
                self.start_sweep(true);
            }
            if ready.is_none() && self.is_finished() {
                return self.broker.close_channel(channel).await;
            }
            self.wait(&mut confirms, ready).await?;
        }
    }

    /// Waits for the first thing to happen, and handles that.
    async fn wait(
        &mut self,
        confirms: &mut Confirms<B::Confirm>,
        ready: &mut Option<oneshot::Sender<()>>,
    ) -> Result<(), BusError> {
        let accepts = ready.is_none() && self.checking.is_none() && !self.is_queue_finished();
        let to_delete = self.deleting.is_none() && !self.confirmed.is_empty();
        tokio::select! {
            biased;
            // First, or a busy relay would never check.
            _ = self.ticks.tick() => self.check(ready.is_some())?,
            Some(first) = confirms.next(), if !confirms.is_empty() => {
                self.settle(first, confirms)?;
            }
            result = finished(&mut self.deleting) => self.deleted(result),
            rows = finished(&mut self.checking) => self.backlog.extend(rows),
            swept = finished(&mut self.sweeping) => {
                if self.swept(swept) {
                    ready.take().map(|ready| ready.send(()));
                }
            }
            () = sleep_until(self.next_delete), if to_delete => {}
            Some(item) = self.queue.recv(), if accepts => {
                self.accept(item);
                self.accept_all();
            }
        }
        Ok(())
    }

    /// Accepts what is queued, up to rows in doubt.
    fn accept_all(&mut self) {
        while self.checking.is_none()
            && let Ok(item) = self.queue.try_recv()
        {
            self.accept(item);
        }
    }

    fn accept(&mut self, item: RelayItem) {
        match item {
            RelayItem::Committed(rows) => self.backlog.extend(rows),
            RelayItem::Doubtful(rows) => {
                self.checking = Some(Box::pin(committed(self.table.clone(), rows)));
            }
        }
    }

    /// Publishes the backlog, as far as the window allows.
    async fn publish_backlog(
        &mut self,
        channel: &B::Channel,
        confirms: &mut Confirms<B::Confirm>,
    ) -> Result<(), BusError> {
        while self.in_flight.len() < IN_FLIGHT_MAX {
            let Some(row) = self.backlog.pop_front() else { break };
            let message = outgoing(&row, self.broker.user());
            self.published += 1;
            let number = self.published;
            // In flight before it is sent: a fault while sending must not lose it.
            self.in_flight.insert(number, InFlight { row, since: Instant::now() });
            let confirm = self.broker.publish(channel, &message).await?;
            confirms.push(NumberedConfirm { number, confirm });
            counter!("bus_relay_messages_total").increment(1);
        }
        Ok(())
    }

    /// Handles every answer that has arrived. Only a plain acknowledgement is a confirm; any other
    /// answer is a fault before one of them counts, since the driver may attach a returned message
    /// to the confirm of another message, though never to a later one.
    fn settle(
        &mut self,
        first: (u64, lapin::Result<Confirmation>),
        confirms: &mut Confirms<B::Confirm>,
    ) -> Result<(), BusError> {
        let mut answers = vec![first];
        while let Some(Some(next)) = confirms.next().now_or_never() {
            answers.push(next);
        }
        let mut acknowledged = Vec::with_capacity(answers.len());
        for (number, answer) in answers {
            accepted(&self.message_id(number), answer?)?;
            acknowledged.push(number);
        }
        for number in acknowledged {
            let confirmed = self.in_flight.remove(&number);
            self.confirmed.extend(confirmed.map(|confirmed| confirmed.row.id));
        }
        Ok(())
    }

    /// The id of a message in flight.
    fn message_id(&self, number: u64) -> String {
        self.in_flight.get(&number).map_or_else(String::new, |sent| sent.row.message_id.to_string())
    }

    /// Deletes confirmed rows when the interval has passed, one statement at a time; rows that are
    /// confirmed meanwhile go next.
    fn start_delete(&mut self) {
        let now = Instant::now();
        if self.deleting.is_some() || self.confirmed.is_empty() || now < self.next_delete {
            return;
        }
        self.next_delete = now + DELETE_INTERVAL;
        self.being_deleted = std::mem::take(&mut self.confirmed);
        self.deleting = Some(Box::pin(delete(self.table.clone(), self.being_deleted.clone())));
    }

    fn deleted(&mut self, result: sqlx::Result<()>) {
        self.being_deleted.clear();
        if let Err(error) = result {
            warn!(error = %chain(&error), "confirmed rows stay in the outbox");
        }
    }

    fn is_idle(&self) -> bool {
        self.backlog.is_empty()
            && self.in_flight.is_empty()
            && self.confirmed.is_empty()
            && self.deleting.is_none()
            && self.checking.is_none()
    }

    /// Whether no transaction can queue rows any more.
    fn is_queue_finished(&self) -> bool {
        self.queue.is_closed() && self.queue.is_empty()
    }

    fn is_finished(&self) -> bool {
        self.is_queue_finished() && self.is_idle()
    }

    /// Returns unconfirmed rows to the front of the backlog, in order.
    fn return_in_flight(&mut self) {
        for (_, lost) in std::mem::take(&mut self.in_flight).into_iter().rev() {
            self.backlog.push_front(lost.row);
        }
    }

    /// Checks the age of the oldest confirm, and sweeps the table for rows of dead relays.
    fn check(&mut self, at_start: bool) -> Result<(), BusError> {
        let oldest = self.in_flight.first_key_value();
        if oldest.is_some_and(|(_, oldest)| oldest.since.elapsed() > CONFIRM_TIMEOUT) {
            return Err(BusError::Timeout { doing: "confirming", after: CONFIRM_TIMEOUT });
        }
        if !at_start {
            self.accept_all();
            if self.backlog.is_empty() && self.checking.is_none() {
                self.start_sweep(false);
            }
        }
        Ok(())
    }

    /// Begins to read rows that no process has in memory. Rows in memory now may or may not be in
    /// the table by the time of the read; rows that are queued later are too new for it.
    fn start_sweep(&mut self, at_start: bool) {
        let Some(partition) = self.partition.take() else { return };
        let in_flight = self.in_flight.values().map(|sent| sent.row.id);
        let backlog = self.backlog.iter().map(|row| row.id);
        let deleted = self.confirmed.iter().chain(&self.being_deleted).copied();
        self.known = in_flight.chain(backlog).chain(deleted).collect();
        self.sweeping = Some(Box::pin(sweep(self.table.clone(), partition, at_start)));
    }

    /// Handles the result of a sweep. Returns whether nothing is left from before the start.
    fn swept(&mut self, swept: SweepResult<O::Partition>) -> bool {
        self.partition = Some(swept.partition);
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
        let is_empty = rows.is_empty();
        self.backlog.extend(rows);
        swept.at_start && is_empty
    }
}
