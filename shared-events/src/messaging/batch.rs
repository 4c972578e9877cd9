//! One batch of deliveries, from bytes to committed outcomes. Promise: the handler's changes, the
//! inbox and the outbox are one transaction; a message that spoils a batch harms only itself; an
//! outage of the database parks nothing and loses nothing.

use std::{
    borrow::Cow,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::Utc;
use futures_util::FutureExt;
use metrics::{counter, histogram};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    database::{Database, Lease, Tx},
    decode::{Intake, Origin, QueueDelivery, Unread, stray},
    disposition::{ParkReason, Settlement},
    handler::{HandleError, Handler, Idempotency, Outcome, Received},
    inbox::{self, InboxClaim, InboxState, InboxUpdates},
    inbox_key::keys,
    outbox::{self, Cause, OutboxRow, RelayQueue},
    outbox_partition::CurrentPartition,
    redelivery::{Suspects, Trial},
    reply::Reply,
    sub_batches::sub_batches,
    time_limit::AdaptiveTimeout,
};
use crate::amqp::{
    connection::{Backoff, BusError},
    health::Health,
};
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, RawEnvelope, chain, read_envelopes},
    message::MessageSet,
    refusal::MessageRefused,
};

const PART: &str = "database";
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
pub(crate) enum Verdict {
    Done { told: Option<ReplyEvents> },
    Later { why: String },
    Park { reason: ParkReason, why: String },
}

/// What is told to whoever asked: events, written down only when somebody asked.
#[derive(Clone, Debug)]
pub(crate) struct ReplyEvents(Vec<RawEnvelope>);

impl ReplyEvents {
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
pub(crate) struct BatchProcessor<H: Handler> {
    pub(crate) handler: H,
    pub(crate) subscription: &'static str,
    pub(crate) source: String,
    pub(crate) database: Database,
    /// The connection of the last transaction, if it ended well: the server has everything at hand
    /// there that the next one needs.
    pub(crate) kept: Mutex<Option<Lease>>,
    pub(crate) time_limit: AdaptiveTimeout,
    pub(crate) suspects: Suspects,
    pub(crate) lane: CurrentPartition,
    pub(crate) relay_queue: RelayQueue,
    pub(crate) disposal: Arc<Settlement>,
    pub(crate) health: Health,
}

impl<H: Handler> BatchProcessor<H> {
    /// Reads, handles and disposes of every message. An error is one of the broker's: nothing may
    /// be acknowledged then, and everything comes again.
    pub(crate) async fn settle(
        &self,
        batch: Vec<QueueDelivery>,
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let Intake { origins, messages, unread } = Intake::read(&batch);
        self.set_aside(&batch, unread).await?;
        let mut verdicts = Vec::with_capacity(messages.len());
        for wave in sub_batches::<H>(&messages) {
            match self.decide(wave, shutdown).await {
                Some(decided) => verdicts.extend(decided),
                None => return Ok(Settled::Abandoned),
            }
        }
        self.dispose(&batch, origins.iter().zip(verdicts)).await?;
        Ok(Settled::All)
    }

    /// Parks what cannot be read, and tells whoever waits for an answer.
    pub(crate) async fn set_aside(
        &self,
        batch: &[QueueDelivery],
        unread: Vec<Unread>,
    ) -> Result<(), BusError> {
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
        let error = match self.attempt_until_decided(messages, None, shutdown).await? {
            Ok(verdicts) => return Some(verdicts),
            Err(error) => error,
        };
        warn!(error = %chain(&*error), messages = messages.len(),
            "a batch cannot be handled; trying its messages one by one");
        let mut verdicts = Vec::with_capacity(messages.len());
        for one in messages {
            let one = std::slice::from_ref(one);
            match self.attempt_until_decided(one, None, shutdown).await? {
                Ok(decided) => verdicts.extend(decided),
                Err(error) => {
                    let why = chain(&*error).to_string();
                    verdicts.push(Verdict::Park { reason: ParkReason::Hopeless, why });
                }
            }
        }
        Some(verdicts)
    }

    /// Tries again while the fault is one that passes. The error that comes out is not. Begins
    /// nothing while too many events wait for the broker.
    pub(crate) async fn attempt_until_decided(
        &self,
        messages: &[Received<H::Message>],
        mut trial: Option<&mut Trial>,
        shutdown: &CancellationToken,
    ) -> Option<Result<Vec<Verdict>, Box<dyn std::error::Error + Send + Sync>>> {
        let mut backoff = Backoff::new();
        loop {
            tokio::select! {
                biased;
                () = self.relay_queue.ready() => {}
                () = shutdown.cancelled() => return None,
            }
            let attempt = async {
                if let Some(trial) = &trial {
                    trial.begin().await?;
                }
                self.attempt(messages).await
            };
            let attempted = self.time_limit.bounded(attempt).await;
            if let Some(trial) = &mut trial {
                self.end(trial).await;
            }
            let source = match attempted {
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
        let kept = self.kept().take();
        let mut lease = match kept {
            Some(lease) => lease,
            None => self.database.lease().await?,
        };
        lease.begin().await?;
        let claims = self.claims(messages);
        let seen = match H::IDEMPOTENCY {
            Idempotency::NaturalKey => vec![InboxState::Never; messages.len()],
            Idempotency::Inbox => inbox::claim(&mut lease, &claims).await?,
        };
        let fresh = only_fresh(messages, &seen);
        let outcomes = match fresh.is_empty() {
            true => vec![],
            false => {
                let mut tx = Tx::lend(&mut lease);
                // A message that makes a handler panic is poisonous like any other.
                let handling = AssertUnwindSafe(self.handler.handle(&mut tx, &fresh));
                handling.catch_unwind().await.unwrap_or_else(|_| Err(panicked()))?
            }
        };
        if outcomes.len() != fresh.len() {
            let wrong = format!("{} outcomes for {} messages", outcomes.len(), fresh.len());
            return Err(HandleError::Hopeless(wrong.into()));
        }
        let (verdicts, events, inboxed) = self.conclude(messages, &claims, seen, outcomes);
        let rows = outbox::insert(&mut lease, self.lane.get(), events).await?;
        inboxed.store(&mut lease).await?;
        self.relay_queue.commit(&mut lease, rows).await?;
        *self.kept() = Some(lease);
        histogram!("bus_batch_messages", "source" => self.source.clone())
            .record(u32::try_from(messages.len()).unwrap_or(u32::MAX));
        histogram!("bus_transaction_seconds", "source" => self.source.clone())
            .record(started.elapsed());
        Ok(verdicts)
    }

    /// What the inbox is asked; nothing where it is not.
    fn claims(&self, messages: &[Received<H::Message>]) -> Vec<InboxClaim> {
        if H::IDEMPOTENCY == Idempotency::NaturalKey {
            return vec![];
        }
        let (name, now) = (self.subscription, Utc::now());
        let claim = |message: &Received<H::Message>| {
            let kind = &message.envelope.kind;
            let keys = keys(name, kind, message.id(), message.returned, now);
            InboxClaim { keys, digest: digest(message) }
        };
        messages.iter().map(claim).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Option<Lease>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns outcomes into verdicts, outbox rows, and what the inbox shall know.
    fn conclude(
        &self,
        messages: &[Received<H::Message>],
        claims: &[InboxClaim],
        seen: Vec<InboxState>,
        outcomes: Vec<Outcome>,
    ) -> (Vec<Verdict>, Vec<OutboxRow>, InboxUpdates) {
        let (mut rows, mut inboxed) = (Vec::new(), InboxUpdates::default());
        let mut verdicts = Vec::with_capacity(messages.len());
        let mut outcomes = outcomes.into_iter();
        let now = Utc::now();
        for (place, (message, seen)) in messages.iter().zip(seen).enumerate() {
            let (outcome, is_first) = match seen {
                InboxState::Never => (outcomes.next(), true),
                InboxState::Forgotten => (Some(forgotten()), true),
                InboxState::Conflict => (Some(self.handler.conflict(message)), false),
                InboxState::Before { outcome } => {
                    debug!(message.id = %message.id(), "seen before; told again");
                    let told = outcome.as_deref().and_then(ReplyEvents::kept);
                    verdicts.push(Verdict::Done { told });
                    continue;
                }
            };
            let keep = claims.get(place).filter(|_| is_first).map(|claim| &claim.keys);
            let verdict = match outcome.expect("outcomes were counted") {
                Outcome::Done { announce, told } => {
                    let cause = Cause::of(&message.envelope);
                    let mut events = Vec::with_capacity(announce.len() + told.len());
                    for event in announce {
                        let key = event.partition_key.clone();
                        let envelope = cause.wrap(&self.source, now, event);
                        rows.push(OutboxRow::new(&envelope, key));
                        events.push(envelope);
                    }
                    events.extend(told.into_iter().map(|it| cause.wrap(&self.source, now, it)));
                    let told = ReplyEvents::of(events);
                    if let (Some(keys), Some(told)) = (keep, &told) {
                        inboxed.answered(keys, &Reply::of(&told.0).body);
                    }
                    Verdict::Done { told }
                }
                Outcome::Later { why } => {
                    inboxed.unseen(keep);
                    Verdict::Later { why }
                }
                Outcome::Hopeless { why } => {
                    inboxed.unseen(keep);
                    Verdict::Park { reason: ParkReason::Hopeless, why }
                }
            };
            verdicts.push(verdict);
        }
        (verdicts, rows, inboxed)
    }

    /// After the commit: what waits and what is parked is safe elsewhere, then replies.
    pub(crate) async fn dispose(
        &self,
        batch: &[QueueDelivery],
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
                Verdict::Park { reason, why } => {
                    let refusal = MessageRefused::unreadable(&why);
                    self.disposal.refuse(&arrival.delivery.properties, None, refusal).await;
                    parked.push((stray(arrival, origin.event), reason, why));
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

fn panicked() -> HandleError {
    HandleError::Hopeless("the handler panicked; its log says where".into())
}

fn forgotten() -> Outcome {
    let why = "the message's id is so old that it is not known any more whether it was handled \
               before; send it under a new id if it was not"
        .to_owned();
    Outcome::Hopeless { why }
}

/// Same content, same digest: BLAKE3 of the canonical bytes.
pub(crate) fn digest<M: MessageSet>(message: &Received<M>) -> Vec<u8> {
    blake3::hash(&message.message().canonical()).as_bytes().to_vec()
}

/// The messages that the inbox has never seen. Nearly always all of them.
fn only_fresh<'m, M: MessageSet>(
    messages: &'m [Received<M>],
    seen: &[InboxState],
) -> Cow<'m, [Received<M>]> {
    if seen.iter().all(|seen| *seen == InboxState::Never) {
        return Cow::Borrowed(messages);
    }
    let fresh = messages.iter().zip(seen).filter(|(_, seen)| **seen == InboxState::Never);
    Cow::Owned(fresh.map(|(message, _)| message.clone()).collect())
}
