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
//! | a command waits for its approval | `approvals::a_command_waits_for_its_approval` |
//! | one effect for each id | `a_message_that_comes_again_has_one_effect_and_the_same_reply` |
//! | a killing message is parked alone | `a_message_that_kills_the_service_is_parked_alone` |

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use chrono::Utc;
use futures_util::FutureExt;
use metrics::{counter, histogram};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    access::AccessBoard,
    announcer::Announcer,
    approvals::{WaitingCommands, perhaps_set_aside, with_approvals},
    conclude::{Concluded, expired},
    decode::{DecodedBatch, UndecodableMessage, decode_with_rights},
    delivery_broker::DeliveryBroker,
    delivery_store::{BatchHandler, DeliveryStore},
    digest::Digests,
    disposition::{ProcessingResult, disposition},
    handler::{HandleError, Idempotency, Outcome, Received, Standing},
    inbox::{InboxClaim, InboxState},
    inbox_key::keys,
    isolated_batch::IsolatedMessage,
    isolation::needs_isolation,
    message_source::{MessageSource, QueueDelivery},
    origin::Principal,
    republish::attempts,
    settlement::Settlement,
    sub_batches::{sub_batches, to_handle},
    time_limit::AdaptiveTimeout,
};
use crate::amqp::{answer::BusError, connection::Backoff, health::Health};
use crate::{
    access::{Act, Verdict, is_of_whole_bank},
    envelope::chain,
};

/// The database, as its service's health names it.
const DATABASE_PART: &str = "database";
/// The refusal of a message whose approver has lost the right since.
const NOT_APPROVED: &str = "no grant of the principal that approved it approves it any more";

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
    pub(crate) announcer: Announcer,
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
                    results.push(ProcessingResult::failed(&*error));
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
        let mut states = match H::IDEMPOTENCY {
            Idempotency::NaturalKey => vec![InboxState::New; messages.len()],
            Idempotency::Inbox => self.store.claim(&mut transaction, &claims).await?,
        };
        let messages = self.with_approvals(&mut transaction, messages, &mut states).await?;
        let answered: Vec<Option<Outcome>> =
            messages.iter().map(|message| self.answer_before(message)).collect();
        let new = to_handle(&messages, &states, &answered);
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
        let waiting = self.waiting(&mut transaction, &messages, (&answered, &outcomes)).await?;
        let Concluded { results, events, updates, .. } =
            self.conclude(&messages, &claims, (states, answered), (outcomes, waiting));
        let rows = self.store.store(&mut transaction, events, &updates).await?;
        self.store.commit(transaction, rows).await?;
        histogram!("bus_batch_messages", "source" => self.announcer.source.clone())
            .record(u32::try_from(messages.len()).unwrap_or(u32::MAX));
        histogram!("bus_transaction_seconds", "source" => self.announcer.source.clone())
            .record(started.elapsed());
        Ok(results)
    }

    /// The messages with what became of their approvals: one statement, for messages that may have
    /// been set aside alone. Those that were are new to the rest of the batch.
    async fn with_approvals<'m>(
        &self,
        transaction: &mut S::Transaction,
        messages: &'m [Received<H::Message>],
        states: &mut [InboxState],
    ) -> sqlx::Result<Cow<'m, [Received<H::Message>]>> {
        let asked = perhaps_set_aside(messages, states);
        if asked.is_empty() {
            return Ok(Cow::Borrowed(messages));
        }
        let records = self.store.approvals(transaction, &asked).await?;
        let set_aside = states.iter_mut().filter(|state| **state == InboxState::SetAside);
        set_aside.for_each(|state| *state = InboxState::New);
        let bank = (&self.access, self.settlement.service);
        Ok(Cow::Owned(with_approvals(messages, records, H::IDEMPOTENCY, bank)))
    }

    /// The waiting commands of the authors of messages that are to be set aside.
    async fn waiting(
        &self,
        transaction: &mut S::Transaction,
        messages: &[Received<H::Message>],
        (answered, outcomes): (&[Option<Outcome>], &[Outcome]),
    ) -> sqlx::Result<HashMap<String, WaitingCommands>> {
        let mut outcomes = answered.iter().flatten().chain(outcomes);
        if !outcomes.any(|outcome| matches!(outcome, Outcome::NeedsApproval(_))) {
            return Ok(HashMap::new());
        }
        let authors: BTreeSet<String> =
            messages.iter().map(|message| message.principal.to_string()).collect();
        self.store.waiting(transaction, &Vec::from_iter(authors)).await
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

    /// The answer to a message that does not reach its handler.
    fn answer_before(&self, message: &Received<H::Message>) -> Option<Outcome> {
        let refused = |why: &str| Some(self.handler.outcome_without_right(message, why));
        match &message.standing {
            Standing::Answered(outcome) => return Some(outcome.clone()),
            Standing::OtherContent => return Some(self.handler.outcome_of_conflict(message)),
            Standing::None | Standing::Approved(_) => {}
        }
        match message.rights.refusal() {
            Some(_) if H::REFUSES_ITSELF => return None,
            Some(why) => {
                let (kind, principal) = (&*message.envelope.kind, message.principal.as_str());
                info!(message.id = %message.id(), kind, principal, why, "refused a message");
                return refused(why);
            }
            None => {}
        }
        // A handler judges commands about accounts itself.
        let is_judged = message.rights.may_need_approval();
        if !(is_judged && is_of_whole_bank(&message.envelope.kind)) {
            return None;
        }
        match message.rights.judge(&Act::OfWholeBank) {
            Verdict::Permitted => None,
            Verdict::NeedsApproval(needs) => Some(Outcome::NeedsApproval(needs)),
            Verdict::NotPermitted => refused(NOT_APPROVED),
        }
    }

    /// Turns outcomes into results, outbox rows and updates.
    fn conclude(
        &self,
        messages: &[Received<H::Message>],
        claims: &[InboxClaim],
        (states, answered): (Vec<InboxState>, Vec<Option<Outcome>>),
        (outcomes, waiting): (Vec<Outcome>, HashMap<String, WaitingCommands>),
    ) -> Concluded<'_> {
        let bank = (&self.access, self.settlement.service);
        let mut concluded = Concluded::new(messages.len(), &self.announcer, bank, waiting);
        let mut outcomes = outcomes.into_iter();
        let decided = messages.iter().zip(states).zip(answered);
        for (number, ((message, state), answered)) in decided.enumerate() {
            let claim = claims.get(number);
            match state {
                InboxState::New | InboxState::SetAside => {
                    let outcome = answered.or_else(|| outcomes.next());
                    let outcome = outcome.expect("outcomes were counted");
                    concluded.conclude(message, claim, outcome);
                }
                InboxState::Expired => concluded.conclude(message, claim, expired()),
                InboxState::Conflict => {
                    concluded.conclude(message, None, self.handler.outcome_of_conflict(message));
                }
                InboxState::Processed { reply } => {
                    concluded.repeat(message.id(), reply.as_deref());
                }
            }
        }
        concluded
    }
}

fn panicked() -> HandleError {
    HandleError::Hopeless("the handler panicked; its log says where".into())
}
