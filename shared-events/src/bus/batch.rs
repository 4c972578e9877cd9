//! One batch of deliveries, from bytes to committed outcomes. Promise: the handler's changes, the
//! inbox and the outbox are one transaction; a message that spoils a batch harms only itself; an
//! outage of the database parks nothing and loses nothing.

use std::{
    borrow::Cow,
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::Utc;
use futures_util::FutureExt;
use metrics::{counter, histogram};
use sqlx::{Connection as _, PgPool, Postgres, pool::PoolConnection};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use super::{
    connection::{Backoff, BusError},
    database::Tx,
    dispose::{Disposal, ParkReason},
    handler::{HandleError, Handler, Idempotency, Outcome, Received},
    health::Health,
    inbox::{self, Seen},
    intake::{Arrival, Intake, Origin, Unread, stray},
    lane::CurrentLane,
    outbox::{self, Cause, Handover, Row},
    reply::Reply,
};
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, RawEnvelope, chain, read_envelopes},
    ids::MessageId,
    message::MessageSet,
    refusal::MessageRefused,
};

const PART: &str = "database";
/// A transaction that takes longer waits for a server that is gone: statements end before this.
const ATTEMPT_MAX: Duration = Duration::from_secs(90);
/// All replies of a batch together: a blocked broker must not hold messages up for a courtesy.
const REPLIES_MAX: Duration = Duration::from_secs(5);

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Everything in it is done, waiting or parked: acknowledge it.
    All,
    /// The service stops and the database is away: leave it to whoever comes next.
    Abandoned,
}

/// What became of one message, after the commit.
#[derive(Clone, Debug)]
enum Verdict {
    Done { told: Option<Told> },
    Later { why: String },
    Park { why: String },
}

/// What is told to whoever asked: events, written down only when somebody asked.
#[derive(Clone, Debug)]
struct Told(Vec<RawEnvelope>);

impl Told {
    fn of(events: Vec<RawEnvelope>) -> Option<Self> {
        (!events.is_empty()).then_some(Self(events))
    }

    /// A reply that the inbox kept.
    fn kept(json: &[u8]) -> Option<Self> {
        let batch = json.first() == Some(&b'[');
        let content_type = if batch { CONTENT_TYPE_BATCH } else { CONTENT_TYPE };
        Self::of(read_envelopes(content_type, json).ok()?)
    }
}

/// Works through batches for one handler.
pub(crate) struct Batches<H: Handler> {
    pub(crate) handler: H,
    pub(crate) source: String,
    pub(crate) pool: PgPool,
    /// The connection of the last transaction, if it ended well: the server has everything at hand
    /// there that the next one needs.
    pub(crate) connection: Mutex<Option<PoolConnection<Postgres>>>,
    pub(crate) lane: CurrentLane,
    pub(crate) handover: Handover,
    pub(crate) disposal: Arc<Disposal>,
    pub(crate) health: Health,
}

impl<H: Handler> Batches<H> {
    /// Reads, handles and disposes of every message. An error is one of the broker's: nothing may
    /// be acknowledged then, and everything comes again.
    pub(crate) async fn settle(
        &self,
        batch: Vec<Arrival>,
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let Intake { origins, messages, unread } = Intake::read(&batch);
        self.set_aside(&batch, unread).await?;
        let mut verdicts = Vec::with_capacity(messages.len());
        for wave in waves::<H>(&messages) {
            match self.decide(wave, shutdown).await {
                Some(decided) => verdicts.extend(decided),
                None => return Ok(Settled::Abandoned),
            }
        }
        self.dispose(&batch, origins.iter().zip(verdicts)).await?;
        Ok(Settled::All)
    }

    /// Parks what cannot be read, and tells whoever waits for an answer.
    async fn set_aside(&self, batch: &[Arrival], unread: Vec<Unread>) -> Result<(), BusError> {
        for it in &unread {
            let asked = &batch[it.arrival].delivery.properties;
            self.disposal.refuse(asked, it.about, it.refusal.clone()).await;
        }
        let parked = unread.into_iter().map(|it| (it.stray, it.reason, it.why)).collect();
        self.disposal.park(parked).await
    }

    /// Handles messages in one transaction; where that is hopeless, each in its own. `None` when
    /// the service stops before the database comes back.
    async fn decide(
        &self,
        messages: &[Received<H::Message>],
        shutdown: &CancellationToken,
    ) -> Option<Vec<Verdict>> {
        let error = match self.attempt_until_decided(messages, shutdown).await? {
            Ok(verdicts) => return Some(verdicts),
            Err(error) => error,
        };
        warn!(error = %chain(&*error), messages = messages.len(),
            "a batch cannot be handled; trying its messages one by one");
        let mut verdicts = Vec::with_capacity(messages.len());
        for one in messages {
            let alone = self.attempt_until_decided(std::slice::from_ref(one), shutdown).await?;
            match alone {
                Ok(decided) => verdicts.extend(decided),
                Err(error) => verdicts.push(Verdict::Park { why: chain(&*error).to_string() }),
            }
        }
        Some(verdicts)
    }

    /// Tries again while the fault is one that passes. The error that comes out is not. Begins
    /// nothing while too many events wait for the broker.
    async fn attempt_until_decided(
        &self,
        messages: &[Received<H::Message>],
        shutdown: &CancellationToken,
    ) -> Option<Result<Vec<Verdict>, Box<dyn std::error::Error + Send + Sync>>> {
        let mut backoff = Backoff::new();
        loop {
            tokio::select! {
                biased;
                () = self.handover.ready() => {}
                () = shutdown.cancelled() => return None,
            }
            let attempt = tokio::time::timeout(ATTEMPT_MAX, self.attempt(messages)).await;
            let source = match attempt.unwrap_or_else(|_| Err(silent_database())) {
                Ok(verdicts) => {
                    self.health.good(PART);
                    return Some(Ok(verdicts));
                }
                Err(HandleError::Hopeless(source)) => return Some(Err(source)),
                Err(HandleError::Transient(source)) => source,
            };
            warn!(error = %chain(&*source), messages = messages.len(), "holding a batch");
            self.health.bad(PART, chain(&*source).to_string());
            counter!("bus_transaction_retries_total").increment(1);
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = backoff.pause() => {}
            }
        }
    }

    /// One transaction: inbox, handler, outbox, commit. Then the rows go to the relay.
    async fn attempt(
        &self,
        messages: &[Received<H::Message>],
    ) -> Result<Vec<Verdict>, HandleError> {
        let started = std::time::Instant::now();
        let kept = self.connection().take();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        let mut transaction = connection.begin().await?;
        let seen = match H::IDEMPOTENCY {
            Idempotency::NaturalKey => vec![Seen::Never; messages.len()],
            Idempotency::Inbox => {
                let ids: Vec<Uuid> = messages.iter().map(|it| it.id().uuid()).collect();
                let digests: Vec<Vec<u8>> = messages.iter().map(digest).collect();
                inbox::claim(&mut transaction, &ids, &digests).await?
            }
        };
        let fresh = only_fresh(messages, &seen);
        let outcomes = match fresh.is_empty() {
            true => vec![],
            false => {
                let mut tx = Tx::lend(&mut transaction);
                // A message that makes a handler panic is poisonous like any other.
                let handling = AssertUnwindSafe(self.handler.handle(&mut tx, &fresh));
                handling.catch_unwind().await.unwrap_or_else(|_| Err(panicked()))?
            }
        };
        if outcomes.len() != fresh.len() {
            let wrong = format!("{} outcomes for {} messages", outcomes.len(), fresh.len());
            return Err(HandleError::Hopeless(wrong.into()));
        }
        let (verdicts, events, inboxed) = self.conclude(messages, seen, outcomes);
        let rows = outbox::insert(&mut transaction, self.lane.get(), events).await?;
        inboxed.store(&mut transaction).await?;
        self.handover.commit(transaction, rows).await?;
        *self.connection() = Some(connection);
        histogram!("bus_batch_messages", "source" => self.source.clone())
            .record(u32::try_from(messages.len()).unwrap_or(u32::MAX));
        histogram!("bus_transaction_seconds", "source" => self.source.clone())
            .record(started.elapsed());
        Ok(verdicts)
    }

    fn connection(&self) -> MutexGuard<'_, Option<PoolConnection<Postgres>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns outcomes into verdicts, outbox rows, and what the inbox shall know.
    fn conclude(
        &self,
        messages: &[Received<H::Message>],
        seen: Vec<Seen>,
        outcomes: Vec<Outcome>,
    ) -> (Vec<Verdict>, Vec<Row>, Inboxed) {
        let (mut rows, mut inboxed) = (Vec::new(), Inboxed::default());
        let mut verdicts = Vec::with_capacity(messages.len());
        let mut outcomes = outcomes.into_iter();
        let now = Utc::now();
        for (message, seen) in messages.iter().zip(seen) {
            let (outcome, is_first) = match seen {
                Seen::Never => (outcomes.next(), true),
                Seen::Conflict => (Some(self.handler.conflict(message)), false),
                Seen::Before { outcome } => {
                    debug!(message.id = %message.id(), "seen before; told again");
                    let told = outcome.as_deref().and_then(Told::kept);
                    verdicts.push(Verdict::Done { told });
                    continue;
                }
            };
            let keep = is_first && H::IDEMPOTENCY == Idempotency::Inbox;
            let verdict = match outcome.expect("outcomes were counted") {
                Outcome::Done { announce, told } => {
                    let cause = Cause::of(&message.envelope);
                    let mut events = Vec::with_capacity(announce.len() + told.len());
                    for event in announce {
                        let key = event.partition_key.clone();
                        let envelope = cause.wrap(&self.source, now, event);
                        rows.push(Row::new(&envelope, key));
                        events.push(envelope);
                    }
                    events.extend(told.into_iter().map(|it| cause.wrap(&self.source, now, it)));
                    let told = Told::of(events);
                    if let (true, Some(told)) = (keep, &told) {
                        inboxed.answered(message, told);
                    }
                    Verdict::Done { told }
                }
                Outcome::Later { why } => {
                    inboxed.unseen(keep, message);
                    Verdict::Later { why }
                }
                Outcome::Hopeless { why } => {
                    inboxed.unseen(keep, message);
                    Verdict::Park { why }
                }
            };
            verdicts.push(verdict);
        }
        (verdicts, rows, inboxed)
    }

    /// After the commit: what waits and what is parked is safe elsewhere, then replies.
    async fn dispose(
        &self,
        batch: &[Arrival],
        verdicts: impl Iterator<Item = (&Origin, Verdict)>,
    ) -> Result<(), BusError> {
        let (mut later, mut parked, mut replies) = (Vec::new(), Vec::new(), Vec::new());
        for (origin, verdict) in verdicts {
            let arrival = &batch[origin.arrival];
            match verdict {
                Verdict::Done { told } => {
                    let asks = arrival.delivery.properties.reply_to().is_some();
                    replies.extend(told.filter(|_| asks).map(|told| (arrival, told)));
                }
                Verdict::Later { why } => later.push((stray(arrival, origin.event), why)),
                Verdict::Park { why } => {
                    let refusal = MessageRefused::unreadable(&why);
                    self.disposal.refuse(&arrival.delivery.properties, None, refusal).await;
                    parked.push((stray(arrival, origin.event), ParkReason::Hopeless, why));
                }
            }
        }
        self.disposal.retry_later(later).await?;
        self.disposal.park(parked).await?;
        let replying = async {
            for (arrival, told) in replies {
                self.disposal.reply(&arrival.delivery.properties, &Reply::of(&told.0)).await;
            }
        };
        if tokio::time::timeout(REPLIES_MAX, replying).await.is_err() {
            warn!("replies were not sent in time; whoever waits asks again");
        }
        Ok(())
    }
}

fn silent_database() -> HandleError {
    let after = ATTEMPT_MAX.as_secs();
    HandleError::Transient(format!("the database was silent for {after} s").into())
}

fn panicked() -> HandleError {
    HandleError::Hopeless("the handler panicked; its log says where".into())
}

/// What the inbox learns at the end of a transaction.
#[derive(Debug, Default)]
struct Inboxed {
    ids: Vec<Uuid>,
    outcomes: Vec<Vec<u8>>,
    unseen: Vec<MessageId>,
}

impl Inboxed {
    fn answered<M>(&mut self, message: &Received<M>, told: &Told) {
        self.ids.push(message.id().uuid());
        self.outcomes.push(Reply::of(&told.0).body);
    }

    fn unseen<M>(&mut self, keep: bool, message: &Received<M>) {
        if keep {
            self.unseen.push(message.id());
        }
    }

    async fn store(&self, connection: &mut sqlx::PgConnection) -> sqlx::Result<()> {
        if !self.ids.is_empty() {
            inbox::keep_outcomes(connection, &self.ids, &self.outcomes).await?;
        }
        if !self.unseen.is_empty() {
            inbox::forget(connection, &self.unseen).await?;
        }
        Ok(())
    }
}

/// Same content, same digest: BLAKE3 of the canonical bytes.
fn digest<M: MessageSet>(message: &Received<M>) -> Vec<u8> {
    blake3::hash(&message.message().canonical()).as_bytes().to_vec()
}

/// The messages that the inbox has never seen. Nearly always all of them.
fn only_fresh<'m, M: MessageSet>(
    messages: &'m [Received<M>],
    seen: &[Seen],
) -> Cow<'m, [Received<M>]> {
    if seen.iter().all(|seen| *seen == Seen::Never) {
        return Cow::Borrowed(messages);
    }
    let fresh = messages.iter().zip(seen).filter(|(_, seen)| **seen == Seen::Never);
    Cow::Owned(fresh.map(|(message, _)| message.clone()).collect())
}

/// Cuts a batch where an id comes again: within one transaction the inbox sees each id once.
fn waves<H: Handler>(messages: &[Received<H::Message>]) -> Vec<&[Received<H::Message>]> {
    if messages.is_empty() {
        return vec![];
    }
    let (mut waves, mut start, mut ids) = (Vec::new(), 0, HashSet::new());
    for (place, message) in messages.iter().enumerate() {
        if !ids.insert(message.id()) && H::IDEMPOTENCY == Idempotency::Inbox {
            waves.push(&messages[start..place]);
            start = place;
            ids = HashSet::from([message.id()]);
        }
    }
    waves.push(&messages[start..]);
    waves
}
