//! The two edges of a batch, in memory: tables and a broker that record every call in one journal.
//! Promise: a transaction leaves nothing behind unless it is committed, as in PostgreSQL.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lapin::{BasicProperties, message::Delivery};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    access::{Act, Verdict},
    amqp::{answer::BusError, publish::Outgoing},
    approvals::ApprovalState,
    messaging::{
        approvals::{ApprovalRecord, WaitingCommands},
        conclude::BatchUpdates,
        delivery_broker::DeliveryBroker,
        delivery_store::{BatchHandler, DeliveryStore},
        handler::{Event, HandleError, Idempotency, Outcome, Received},
        inbox::{InboxClaim, InboxState, state_of},
        outbox::OutboxRow,
        test_messages::TestMessage,
    },
    refusal::MessageRefused,
};

/// The calls on both edges, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    fn note(&self, call: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call.into());
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls that begin with this word.
    pub(super) fn calls_of(&self, word: &str) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.starts_with(word)).collect()
    }
}

type InboxEntry = (Vec<u8>, Option<Vec<u8>>);

/// The committed state of the database.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) inbox: HashMap<Uuid, InboxEntry>,
    pub(super) outbox: usize,
    pub(super) approvals: Vec<ApprovalRecord>,
    /// The texts of the messages that had their effect.
    pub(super) applied: Vec<String>,
    attempts: HashMap<Vec<u8>, i32>,
}

/// A database in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct FakeStore {
    journal: Journal,
    tables: Arc<Mutex<Tables>>,
    /// So many calls of `begin`, and then of `commit`, fail.
    pub(super) failing_begins: Arc<Mutex<u32>>,
    pub(super) failing_commits: Arc<Mutex<u32>>,
}

/// A transaction: the state that its commit makes the committed one.
pub(super) struct FakeTransaction(Tables);

impl FakeStore {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal, ..Self::default() }
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault while any are left.
fn fail(left: &Mutex<u32>) -> sqlx::Result<()> {
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    match left.checked_sub(1) {
        Some(fewer) => {
            *left = fewer;
            Err(sqlx::Error::PoolTimedOut)
        }
        None => Ok(()),
    }
}

#[async_trait]
impl DeliveryStore for FakeStore {
    type Transaction = FakeTransaction;

    async fn ready(&self) {}

    async fn begin(&self) -> sqlx::Result<FakeTransaction> {
        self.journal.note("begin");
        fail(&self.failing_begins)?;
        Ok(FakeTransaction(self.tables().clone()))
    }

    async fn approvals(
        &self,
        transaction: &mut FakeTransaction,
        commands: &[Uuid],
    ) -> sqlx::Result<Vec<ApprovalRecord>> {
        let all = transaction.0.approvals.iter();
        Ok(all.filter(|record| commands.contains(&record.command.uuid())).cloned().collect())
    }

    async fn waiting(
        &self,
        transaction: &mut FakeTransaction,
        principals: &[String],
    ) -> sqlx::Result<HashMap<String, WaitingCommands>> {
        let mut waiting: HashMap<String, WaitingCommands> = HashMap::new();
        for record in transaction.0.approvals.iter().filter(|record| {
            record.state == ApprovalState::Waiting && principals.contains(&record.principal)
        }) {
            waiting.entry(record.principal.clone()).or_default().commands += 1;
        }
        Ok(waiting)
    }

    async fn claim(
        &self,
        transaction: &mut FakeTransaction,
        claims: &[InboxClaim],
    ) -> sqlx::Result<Vec<InboxState>> {
        let mut known = transaction.0.inbox.clone();
        let states: Vec<_> = claims.iter().map(|claim| state_of(claim, &mut known)).collect();
        for claim in claims {
            for key in claim.keys.all() {
                let entry = (claim.digests.of_author.clone(), None);
                transaction.0.inbox.entry(key).or_insert(entry);
            }
        }
        Ok(states)
    }

    async fn store(
        &self,
        transaction: &mut FakeTransaction,
        events: Vec<OutboxRow>,
        updates: &BatchUpdates,
    ) -> sqlx::Result<Vec<OutboxRow>> {
        transaction.0.outbox += events.len();
        for (key, reply) in updates.inbox.answered.iter().zip(&updates.inbox.replies) {
            let entry = transaction.0.inbox.get_mut(key).expect("an answered message is claimed");
            entry.1 = Some(reply.clone());
        }
        transaction.0.inbox.retain(|key, _| !updates.inbox.forgotten.contains(key));
        transaction.0.approvals.extend(updates.approvals.set_aside.iter().cloned());
        for record in &mut transaction.0.approvals {
            if updates.approvals.handled.contains(&record.command.uuid()) {
                record.state = ApprovalState::Handled;
            }
        }
        Ok(events)
    }

    async fn commit(&self, transaction: FakeTransaction, _: Vec<OutboxRow>) -> sqlx::Result<()> {
        fail(&self.failing_commits)?;
        let mut tables = self.tables();
        *tables = Tables { attempts: tables.attempts.clone(), ..transaction.0 };
        self.journal.note("commit");
        Ok(())
    }

    async fn unfinished_attempts(&self, message: &[u8]) -> sqlx::Result<i32> {
        Ok(self.tables().attempts.get(message).copied().unwrap_or(0))
    }

    async fn begin_attempt(&self, message: &[u8], attempt: i32) -> sqlx::Result<()> {
        self.tables().attempts.insert(message.to_vec(), attempt);
        Ok(())
    }

    async fn end_attempts(&self, message: &[u8]) -> sqlx::Result<()> {
        self.tables().attempts.remove(message);
        Ok(())
    }
}

/// A handler that obeys the text of a message; any other text is applied and announced.
#[derive(Clone, Debug, Default)]
pub(super) struct FakeHandler {
    /// Signalled when a message hangs, as if the process died of it.
    pub(super) hangs: Arc<Notify>,
}

impl BatchHandler<FakeTransaction> for FakeHandler {
    type Message = TestMessage;
    const IDEMPOTENCY: Idempotency = Idempotency::Inbox;

    async fn handle_in(
        &self,
        transaction: &mut FakeTransaction,
        batch: &[Received<TestMessage>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::new();
        for message in batch {
            let TestMessage(said) = message.message();
            match message.rights.judge(&Act::OnBranch("main")) {
                Verdict::Permitted => {}
                Verdict::NeedsApproval(needs) => {
                    outcomes.push(Outcome::NeedsApproval(needs));
                    continue;
                }
                Verdict::NotPermitted => {
                    outcomes.push(self.outcome_without_right(message, "of the branch"));
                    continue;
                }
            }
            outcomes.push(match said.as_str() {
                "poison" => return Err(HandleError::Hopeless("poison".into())),
                "panic" => panic!("of a test"),
                "hang" => {
                    self.hangs.notify_one();
                    std::future::pending().await
                }
                "later" => Outcome::Later { why: "no account yet".to_owned() },
                "hopeless" => Outcome::Hopeless { why: "never".to_owned() },
                said => {
                    transaction.0.applied.push(said.to_owned());
                    Outcome::announce(&MessageRefused::unavailable(said))
                }
            });
        }
        Ok(outcomes)
    }

    fn outcome_of_conflict(&self, _: &Received<TestMessage>) -> Outcome {
        let announce = vec![Event::new(&MessageRefused::invalid("id", "came before"))];
        Outcome::Done { announce, told: vec![] }
    }

    fn outcome_without_right(&self, _: &Received<TestMessage>, why: &str) -> Outcome {
        Outcome::refused(&MessageRefused::not_permitted(why))
    }
}

/// A broker in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct FakeBroker {
    pub(super) journal: Journal,
    /// Whether it confirms nothing.
    pub(super) is_lost: Arc<Mutex<bool>>,
    /// The number of messages in each of its queues.
    pub(super) message_count: Arc<AtomicU32>,
    pub(super) replies: Arc<Mutex<Vec<Vec<u8>>>>,
}

#[async_trait]
impl DeliveryBroker for FakeBroker {
    fn user(&self) -> &str {
        "accounts"
    }

    fn connection_name(&self) -> &str {
        "accounts-svc/reply@test"
    }

    async fn publish_confirmed(&self, messages: &[Outgoing]) -> Result<(), BusError> {
        if *self.is_lost.lock().unwrap_or_else(PoisonError::into_inner) && !messages.is_empty() {
            return Err(BusError::Timeout { doing: "confirming", after: Duration::ZERO });
        }
        for message in messages {
            let headers = message.properties.headers().clone().unwrap_or_default();
            let reason = headers.inner().get("x-parked-reason").cloned();
            let reason = reason.and_then(|value| Some(value.as_long_string()?.to_string()));
            let reason = reason.map_or(String::new(), |reason| format!(" {reason}"));
            self.journal.note(format!("publish {}{reason}", message.key));
        }
        Ok(())
    }

    async fn message_count(&self, _: &str) -> Result<u32, BusError> {
        Ok(self.message_count.load(Ordering::Relaxed))
    }

    async fn publish_reply(
        &self,
        reply_to: &str,
        body: &[u8],
        _: BasicProperties,
    ) -> Result<(), BusError> {
        self.journal.note(format!("reply {reply_to}"));
        self.replies.lock().unwrap_or_else(PoisonError::into_inner).push(body.to_vec());
        Ok(())
    }

    async fn acknowledge(&self, delivery: &Delivery, multiple: bool) -> Result<(), BusError> {
        let reach = if multiple { "up to " } else { "" };
        self.journal.note(format!("acknowledge {reach}{}", delivery.delivery_tag));
        Ok(())
    }
}
