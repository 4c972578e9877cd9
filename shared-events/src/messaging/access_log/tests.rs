//! The log over a table in memory: groups, faults, queries that die.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinSet};

use super::*;
use crate::{access_log::AccessOutcome, ids::MessageId, message::Message as _};

const KIND: &str = "ledger.balance.get.v1";

/// A table in memory: the entries of each insert.
#[derive(Default)]
struct FakeTable {
    inserts: Mutex<Vec<Vec<Entry>>>,
    is_broken: AtomicBool,
    /// The permits of inserts, where they need any.
    gate: Option<Semaphore>,
    /// How many inserts have begun.
    begun: tokio::sync::watch::Sender<usize>,
}

#[async_trait]
impl AccessTable for Arc<FakeTable> {
    async fn insert(&self, entries: &[Entry]) -> sqlx::Result<()> {
        self.begun.send_modify(|begun| *begun += 1);
        if let Some(gate) = &self.gate {
            gate.acquire().await.expect("the gate is never closed").forget();
        }
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolTimedOut);
        }
        self.inserts.lock().expect("no test panics here").push(entries.to_vec());
        Ok(())
    }
}

impl FakeTable {
    fn gated() -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::default() })
    }

    fn open(&self, inserts: usize) {
        self.gate.as_ref().expect("a gated table").add_permits(inserts);
    }

    async fn wait_begun(&self, count: usize) {
        let mut begun = self.begun.subscribe();
        begun.wait_for(|begun| *begun >= count).await.expect("the table is there");
    }

    fn groups(&self) -> Vec<usize> {
        let inserts = self.inserts.lock().expect("no test panics here");
        inserts.iter().map(Vec::len).collect()
    }
}

fn asked() -> AskedQuery {
    AskedQuery::unread(KIND, Some(MessageId::new()), "counter-7")
}

fn answer() -> Event {
    let data = serde_json::value::to_raw_value("12.50").expect("JSON");
    let subject = MessageId::new().to_string();
    Event { kind: "ledger.balance.found.v1", subject, partition_key: None, data }
}

/// Yields until so many entries wait.
async fn wait_waiting(log: &AccessLog<Arc<FakeTable>>, count: usize) {
    while log.waiting().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn entries_that_wait_are_stored_together() {
    let table = FakeTable::gated();
    let log = AccessLog::over(Arc::clone(&table));
    let mut answering = JoinSet::new();
    let mut ask = |log: &AccessLog<_>| {
        let log = log.clone();
        answering.spawn(async move { log.record(asked(), answer()).await });
    };
    ask(&log);
    table.wait_begun(1).await;
    (0..3).for_each(|_| ask(&log));
    wait_waiting(&log, 3).await;
    table.open(2);
    while let Some(answered) = answering.join_next().await {
        assert_eq!(answered.expect("an answer").kind, "ledger.balance.found.v1");
    }
    assert_eq!(table.groups(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_entry_does_not_leave() {
    let table = Arc::new(FakeTable::default());
    let log = AccessLog::over(Arc::clone(&table));
    table.is_broken.store(true, Ordering::Relaxed);
    let answered = log.record(asked(), answer()).await;
    assert_eq!((answered.kind, &*code_of(&answered)), (MessageRefused::TYPE, "unavailable"));
    assert!(answered.data.get().contains("the access log of this service cannot be written"));
    let refused = MessageRefused::not_permitted("no grant is for it");
    let refused = Event::new(&refused);
    assert_eq!(code_of(&log.record(asked(), refused).await), "unavailable");
    let unreadable = log.record_refusal(asked(), MessageRefused::unreadable("no JSON")).await;
    assert_eq!(unreadable.code.as_str(), "unavailable");
    // The first reason says more.
    let away = Event::new(&MessageRefused::unavailable("the grants are too old"));
    assert!(log.record(asked(), away).await.data.get().contains("the grants are too old"));
    assert!(table.groups().is_empty());
    assert_eq!(*table.begun.borrow(), 1, "a broken table is left alone for a while");

    table.is_broken.store(false, Ordering::Relaxed);
    assert_eq!(code_of(&log.record(asked(), answer()).await), "unavailable");
    tokio::time::advance(FAILURE_PAUSE).await;
    let answered = log.record(asked(), answer()).await;
    assert_eq!(code_of(&answered), AccessOutcome::Answered.as_str());
    assert_eq!(table.groups(), [1]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_its_entry() {
    let table = FakeTable::gated();
    let log = AccessLog::over(Arc::clone(&table));
    let mut answering = tokio::spawn({
        let log = log.clone();
        async move { log.record(asked(), answer()).await }
    });
    table.wait_begun(1).await;
    let early = tokio::time::timeout(Duration::from_secs(60), &mut answering).await;
    assert!(early.is_err(), "it left while its entry was written");
    table.open(1);
    assert_eq!(answering.await.expect("an answer").kind, "ledger.balance.found.v1");
    assert_eq!(table.groups(), [1]);
}

#[tokio::test]
async fn an_abandoned_query_harms_no_other() {
    let table = FakeTable::gated();
    let log = AccessLog::over(Arc::clone(&table));
    let record = |log: &AccessLog<_>| {
        let log = log.clone();
        tokio::spawn(async move { log.record(asked(), answer()).await })
    };
    // One dies while it waits, and one while it writes for itself and another.
    let writer = record(&log);
    table.wait_begun(1).await;
    let (waiter, last) = (record(&log), record(&log));
    wait_waiting(&log, 2).await;
    waiter.abort();
    assert!(waiter.await.is_err());
    writer.abort();
    assert!(writer.await.is_err());
    table.wait_begun(2).await;
    table.open(1);
    assert_eq!(last.await.expect("an answer").kind, "ledger.balance.found.v1");
    assert_eq!(table.groups(), [2], "the entry of the one that died is there, too");
}
