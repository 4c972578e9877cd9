//! One batch of deliveries, from bytes to the acknowledgement. Promise: the handler's changes, the
//! inbox and the outbox are one transaction; a delivery is acknowledged after that commit, and
//! after every retried or parked message is confirmed; one bad message harms only itself.
//!
//! ```text
//! decode ─> park the undecodable ─> attempt: begin, claim, handle, store, commit ─> settle ─> ack
//!                                      │  ▲
//!                        transient fault  └── again, the same messages, after a pause
//! ```
//! A fault that is not transient ends the batch: its messages are attempted one by one.
//!
//! | promise | test in `batch/tests.rs` |
//! |---|---|
//! | nothing is acknowledged before the commit | `a_delivery_is_acknowledged_after_the_commit` |
//! | a poisonous message harms only itself | `a_poisonous_message_is_parked_and_harms_no_other` |
//! | an outage parks nothing | `an_outage_parks_nothing_and_acknowledges_nothing` |
//! | a failed retry publish acknowledges nothing | `a_failed_retry_publish_acknowledges_nothing` |
//! | one effect for each id | `a_message_that_comes_again_has_one_effect_and_the_same_reply` |
//! | a killing message is parked alone | `a_message_that_kills_the_service_is_parked_alone` |

#[cfg(test)]
mod tests;

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use metrics::{counter, histogram};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    access::AccessBoard,
    author::decode_with_rights,
    decode::{DecodedBatch, MessageSource, QueueDelivery, UndecodableMessage},
    delivery_broker::DeliveryBroker,
    delivery_store::{BatchHandler, DeliveryStore},
    digest::Digests,
    disposition::{ProcessingResult, ReplyEvents, disposition},
    handler::{Event, HandleError, Idempotency, Outcome, Received},
    inbox::{InboxClaim, InboxState, InboxUpdates},
    inbox_key::keys,
    isolated_batch::IsolatedMessage,
    isolation::needs_isolation,
    origin::Principal,
    outbox::{Cause, OutboxRow},
    reply::Reply,
    republish::attempts,
    settlement::Settlement,
    sub_batches::sub_batches,
    time_limit::AdaptiveTimeout,
};
use crate::amqp::{answer::BusError, connection::Backoff, health::Health};
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, chain, read_envelopes},
    message::MessageSet,
};

/// The database, as its service's health names it.
const DATABASE_PART: &str = "database";

type BatchFault = Box<dyn std::error::Error + Send + Sync>;

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Every message is processed, waiting or parked.
    All,
    /// The service stops while the database is away: another instance gets the deliveries.
    Abandoned,
}

/// Processes the batches of one subscription.
pub(crate) struct BatchProcessor<H, S, B> {
    pub(crate) handler: H,
    pub(crate) subscription: &'static str,
    pub(crate) source: String,
    pub(crate) store: S,
    pub(crate) time_limit: AdaptiveTimeout,
    /// Held while the process handles an isolated message.
    pub(crate) isolation: Arc<Mutex<()>>,
    pub(crate) settlement: Arc<Settlement<B>>,
    pub(crate) access: AccessBoard,
    pub(crate) health: Health,
}

impl<H, S, B> BatchProcessor<H, S, B>
where
    H: BatchHandler<S::Transaction>,
    S: DeliveryStore,
    B: DeliveryBroker,
{
    /// Settles every delivery of a batch, then acknowledges all at once, here and nowhere else. An
    /// error is one of the broker's: nothing was acknowledged, and all deliveries come again.
    pub(crate) async fn process(
        &self,
        batch: &[QueueDelivery],
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let Some(last) = batch.last() else { return Ok(Settled::All) };
        let settled = match batch.as_array::<1>() {
            Some(one) if needs_isolation(&one[0]) => self.settle_isolated(one, shutdown).await?,
            Some(_) | None => self.settle(batch, shutdown).await?,
        };
        if settled == Settled::All {
            self.settlement.broker.acknowledge(&last.message, true).await?;
            counter!("bus_acknowledgements_total").increment(1);
        }
        Ok(settled)
    }

    async fn settle(
        &self,
        batch: &[QueueDelivery],
        shutdown: &CancellationToken,
    ) -> Result<Settled, BusError> {
        let service = self.settlement.service;
        let Some(decoded) = decode_with_rights(batch, service, &self.access, shutdown).await else {
            return Ok(Settled::Abandoned);
        };
        self.settle_undecodable(batch, &decoded.undecodable).await?;
        let mut results = Vec::with_capacity(decoded.messages.len());
        for sub_batch in sub_batches(&decoded.messages, H::IDEMPOTENCY) {
            match self.process_together(sub_batch, shutdown).await {
                Some(processed) => results.extend(processed),
                None => return Ok(Settled::Abandoned),
            }
        }
        self.settle_processed(batch, &decoded, results).await?;
        Ok(Settled::All)
    }

    pub(crate) async fn settle_undecodable(
        &self,
        batch: &[QueueDelivery],
        undecodable: &[UndecodableMessage],
    ) -> Result<(), BusError> {
        let decided = undecodable.iter().map(|message| {
            let delivery = &batch[message.delivery];
            let attempts = attempts(&delivery.message.properties);
            let UndecodableMessage { event, id, author, .. } = message;
            let author = author.as_ref().map(Principal::as_str);
            let source = MessageSource { delivery, event: *event, id: *id, author };
            (source, disposition(message.result.clone(), &delivery.queue, attempts))
        });
        self.settlement.settle(decided).await
    }

    pub(crate) async fn settle_processed(
        &self,
        batch: &[QueueDelivery],
        decoded: &DecodedBatch<H::Message>,
        results: Vec<ProcessingResult>,
    ) -> Result<(), BusError> {
        let messages = decoded.positions.iter().zip(&decoded.messages);
        let decided = messages.zip(results).map(|((position, message), result)| {
            let delivery = &batch[position.delivery];
            let author = Some(message.principal.as_str());
            let source = MessageSource { delivery, event: Some(position.event), id: None, author };
            (source, disposition(result, &delivery.queue, message.attempt))
        });
        self.settlement.settle(decided).await
    }

    /// Processes messages in one transaction; after a fault that is not transient, each in its own.
    /// `None` when the service stops before the database comes back.
    async fn process_together(
        &self,
        messages: &[Received<H::Message>],
        shutdown: &CancellationToken,
    ) -> Option<Vec<ProcessingResult>> {
        let error = match self.attempt_until_settled(messages, None, shutdown).await? {
            Ok(results) => return Some(results),
            Err(error) => error,
        };
        warn!(error = %chain(&*error), messages = messages.len(),
            "a batch cannot be processed; its messages are attempted one by one");
        let mut results = Vec::with_capacity(messages.len());
        for message in messages {
            let one = std::slice::from_ref(message);
            match self.attempt_until_settled(one, None, shutdown).await? {
                Ok(processed) => results.extend(processed),
                Err(error) => {
                    results.push(ProcessingResult::Failed { why: chain(&*error).to_string() });
                }
            }
        }
        Some(results)
    }

    /// Attempts the same messages until they are committed or a fault is not transient. Begins
    /// nothing while too many events wait for the broker.
    pub(crate) async fn attempt_until_settled(
        &self,
        messages: &[Received<H::Message>],
        mut isolated: Option<&mut IsolatedMessage>,
        shutdown: &CancellationToken,
    ) -> Option<Result<Vec<ProcessingResult>, BatchFault>> {
        let mut backoff = Backoff::new();
        loop {
            tokio::select! {
                biased;
                () = self.store.ready() => {}
                () = shutdown.cancelled() => return None,
            }
            let attempt = async {
                if let Some(isolated) = &isolated {
                    self.store.begin_attempt(&isolated.key, isolated.attempts + 1).await?;
                }
                self.attempt(messages).await
            };
            let attempted = self.time_limit.bounded(attempt).await;
            if let Some(isolated) = &mut isolated {
                self.end_attempts(isolated).await;
            }
            let fault = match attempted {
                Ok(results) => {
                    self.health.good(DATABASE_PART);
                    return Some(Ok(results));
                }
                Err(HandleError::Hopeless(error)) => return Some(Err(error)),
                Err(HandleError::Transient(fault)) => fault,
            };
            warn!(error = %chain(&*fault), messages = messages.len(), "a batch is attempted again");
            self.health.bad(DATABASE_PART, chain(&*fault).to_string());
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
    ) -> Result<Vec<ProcessingResult>, HandleError> {
        let started = std::time::Instant::now();
        let mut transaction = self.store.begin().await?;
        let claims = self.claims(messages);
        let states = match H::IDEMPOTENCY {
            Idempotency::NaturalKey => vec![InboxState::New; messages.len()],
            Idempotency::Inbox => self.store.claim(&mut transaction, &claims).await?,
        };
        let new = to_handle(messages, &states, H::REFUSES_ITSELF);
        let outcomes = match new.is_empty() {
            true => vec![],
            false => {
                // A message that makes a handler panic is poisonous like any other.
                let handling = AssertUnwindSafe(self.handler.handle_in(&mut transaction, &new));
                handling.catch_unwind().await.unwrap_or_else(|_| Err(panicked()))?
            }
        };
        if outcomes.len() != new.len() {
            let wrong = format!("{} outcomes for {} messages", outcomes.len(), new.len());
            return Err(HandleError::Hopeless(wrong.into()));
        }
        let Concluded { results, events, updates } =
            self.conclude(messages, &claims, states, outcomes);
        let rows = self.store.store(&mut transaction, events, &updates).await?;
        self.store.commit(transaction, rows).await?;
        histogram!("bus_batch_messages", "source" => self.source.clone())
            .record(u32::try_from(messages.len()).unwrap_or(u32::MAX));
        histogram!("bus_transaction_seconds", "source" => self.source.clone())
            .record(started.elapsed());
        Ok(results)
    }

    /// The claims on the inbox; none for a handler with a natural key.
    fn claims(&self, messages: &[Received<H::Message>]) -> Vec<InboxClaim> {
        if H::IDEMPOTENCY == Idempotency::NaturalKey {
            return vec![];
        }
        let (name, now) = (self.subscription, Utc::now());
        let claim = |message: &Received<H::Message>| {
            let kind = &message.envelope.kind;
            let keys = keys(name, kind, message.id(), message.returned, now);
            InboxClaim { keys, digests: Digests::of(message) }
        };
        messages.iter().map(claim).collect()
    }

    /// Turns outcomes into results, outbox rows and inbox updates.
    fn conclude(
        &self,
        messages: &[Received<H::Message>],
        claims: &[InboxClaim],
        states: Vec<InboxState>,
        outcomes: Vec<Outcome>,
    ) -> Concluded {
        let mut concluded = Concluded {
            results: Vec::with_capacity(messages.len()),
            events: Vec::new(),
            updates: InboxUpdates::default(),
        };
        let mut outcomes = outcomes.into_iter();
        let now = Utc::now();
        for (number, (message, state)) in messages.iter().zip(states).enumerate() {
            let (outcome, is_first) = match state {
                InboxState::New => match refusal(message, H::REFUSES_ITSELF) {
                    None => (outcomes.next(), true),
                    Some(why) => (Some(self.handler.outcome_without_right(message, why)), true),
                },
                InboxState::Expired => (Some(expired()), true),
                InboxState::Conflict => (Some(self.handler.outcome_of_conflict(message)), false),
                InboxState::Processed { reply } => {
                    debug!(message.id = %message.id(), "processed before; the reply is sent again");
                    let reply = reply.as_deref().and_then(stored_reply);
                    concluded.results.push(ProcessingResult::Completed { reply });
                    continue;
                }
            };
            let claim = claims.get(number).filter(|_| is_first);
            let result = match outcome.expect("outcomes were counted") {
                Outcome::Done { announce, told } => {
                    let cause = Cause::of(&message.envelope);
                    let reply = concluded.announce(&cause, &self.source, now, announce, told);
                    if let (Some(claim), Some(reply)) = (claim, &reply) {
                        concluded.updates.answered(&claim.keys, &Reply::of(&reply.0).body);
                    }
                    ProcessingResult::Completed { reply }
                }
                Outcome::Later { why } => {
                    concluded.updates.forget(claim);
                    ProcessingResult::NotReady { why }
                }
                Outcome::Hopeless { why } => {
                    concluded.updates.forget(claim);
                    ProcessingResult::Failed { why }
                }
            };
            concluded.results.push(result);
        }
        concluded
    }
}

/// The end of a transaction: a result for each message, and the rows to store.
struct Concluded {
    results: Vec<ProcessingResult>,
    events: Vec<OutboxRow>,
    updates: InboxUpdates,
}

impl Concluded {
    /// Adds events to the outbox. Returns the reply: these events, and those announced earlier.
    fn announce(
        &mut self,
        cause: &Cause,
        source: &str,
        now: DateTime<Utc>,
        new: Vec<Event>,
        earlier: Vec<Event>,
    ) -> Option<ReplyEvents> {
        let mut events = Vec::with_capacity(new.len() + earlier.len());
        for event in new {
            let key = event.partition_key.clone();
            let envelope = cause.wrap(source, now, event);
            self.events.push(OutboxRow::new(&envelope, key));
            events.push(envelope);
        }
        events.extend(earlier.into_iter().map(|event| cause.wrap(source, now, event)));
        ReplyEvents::of(events)
    }
}

/// A reply as the inbox stores it.
fn stored_reply(json: &[u8]) -> Option<ReplyEvents> {
    let is_batch = json.first() == Some(&b'[');
    let content_type = if is_batch { CONTENT_TYPE_BATCH } else { CONTENT_TYPE };
    ReplyEvents::of(read_envelopes(content_type, json).ok()?)
}

fn panicked() -> HandleError {
    HandleError::Hopeless("the handler panicked; its log says where".into())
}

fn expired() -> Outcome {
    let why = "the message's id is so old that an earlier effect may be forgotten; send the \
               message under a new id if none is known"
        .to_owned();
    Outcome::Hopeless { why }
}

/// Why a message is refused before its handler sees it.
fn refusal<M>(message: &Received<M>, by_handler: bool) -> Option<&str> {
    message.rights.refusal().filter(|_| !by_handler)
}

/// The new messages that their authors may send: nearly always all of them.
fn to_handle<'m, M: MessageSet>(
    messages: &'m [Received<M>],
    states: &[InboxState],
    refuses_itself: bool,
) -> Cow<'m, [Received<M>]> {
    let is_handled = |(message, state): &(&Received<M>, &InboxState)| {
        **state == InboxState::New && refusal(message, refuses_itself).is_none()
    };
    let mut all = messages.iter().zip(states);
    if all.clone().all(|one| is_handled(&one)) {
        return Cow::Borrowed(messages);
    }
    Cow::Owned(all.by_ref().filter(is_handled).map(|(message, _)| message.clone()).collect())
}
