//! The relay over a broker and a table in memory. Promise: each test is one promise of the relay;
//! time is virtual, so a silent broker costs no seconds.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lapin::{
    Confirmation,
    message::{BasicReturnMessage, Delivery},
};
use tokio::sync::{mpsc, oneshot};

use super::Relay;
use crate::{
    amqp::{
        answer::BusError,
        health::Health,
        publish::{Outgoing, text},
    },
    messaging::{
        event_broker::EventBroker,
        outbox::{OutboxRow, RelayItem, row_with_id},
        outbox_table::OutboxTable,
    },
};

/// The broker's answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    Confirm,
    Nack,
    Return,
    NotRequested,
    Silence,
    LoseConnection,
}

/// The state of broker and table, and the journal of both.
#[derive(Debug, Default)]
struct World {
    journal: Vec<String>,
    /// The reactions to the next messages; to all later ones, confirms.
    reactions: VecDeque<Reaction>,
    stored: BTreeSet<i64>,
    /// Rows from before the start.
    leftovers: Vec<i64>,
    /// So many questions about stored rows fail.
    failing_lookups: u32,
    /// After so many questions about stored rows the rows of a commit in progress are there.
    slow_commit: (u32, Vec<i64>),
}

#[derive(Clone, Debug, Default)]
struct Fake(Arc<Mutex<World>>);

impl Fake {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: String) {
        self.world().journal.push(call);
    }

    /// The calls that begin with this word, without the word.
    fn calls_of(&self, word: &str) -> Vec<String> {
        let world = self.world();
        let calls = world.journal.iter().filter_map(|call| call.strip_prefix(word));
        calls.map(|call| call.trim().to_owned()).collect()
    }
}

type FakeConfirm = std::pin::Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

impl EventBroker for Fake {
    type Channel = ();
    type Confirm = FakeConfirm;

    fn user(&self) -> &str {
        "ledger"
    }

    async fn open(&self) -> Result<(), BusError> {
        self.note("open".to_owned());
        Ok(())
    }

    async fn publish(&self, (): &(), message: &Outgoing) -> Result<FakeConfirm, BusError> {
        let id = text(message.properties.message_id().as_ref());
        let id = id.trim_start_matches(['0', '-']).to_owned();
        let reaction = self.world().reactions.pop_front().unwrap_or(Reaction::Confirm);
        self.note(format!("publish {id}"));
        let returned = || BasicReturnMessage {
            delivery: Delivery::mock(0, "".into(), "".into(), false, vec![]),
            reply_code: 312,
            reply_text: "NO_ROUTE".into(),
        };
        let answer = match reaction {
            Reaction::Confirm => Confirmation::Ack(None),
            Reaction::Nack => Confirmation::Nack(None),
            Reaction::Return => Confirmation::Ack(Some(returned())),
            Reaction::NotRequested => Confirmation::NotRequested,
            Reaction::Silence => return Ok(Box::pin(std::future::pending())),
            Reaction::LoseConnection => {
                return Err(BusError::ConsumerEnded { queue: "none".to_owned() });
            }
        };
        Ok(Box::pin(std::future::ready(Ok(answer))))
    }

    async fn close_channel(&self, (): ()) -> Result<(), BusError> {
        self.note("close".to_owned());
        Ok(())
    }

    async fn disconnect(&self) {
        self.note("disconnect".to_owned());
    }
}

impl OutboxTable for Fake {
    type Partition = ();

    async fn take_partition(&self) -> sqlx::Result<()> {
        Ok(())
    }

    async fn unpublished(&self, (): &mut (), at_start: bool) -> sqlx::Result<Vec<OutboxRow>> {
        let world = self.world();
        let left = world.leftovers.iter().filter(|id| at_start && world.stored.contains(id));
        Ok(left.map(|id| row_with_id(*id)).collect())
    }

    async fn stored(&self, rows: &[OutboxRow]) -> sqlx::Result<Option<Vec<i64>>> {
        let mut world = self.world();
        if let Some(fewer) = world.failing_lookups.checked_sub(1) {
            world.failing_lookups = fewer;
            return Err(sqlx::Error::PoolTimedOut);
        }
        if let Some(fewer) = world.slow_commit.0.checked_sub(1) {
            world.slow_commit.0 = fewer;
            return Ok(None);
        }
        let committed = std::mem::take(&mut world.slow_commit.1);
        world.stored.extend(committed);
        let ids = rows.iter().map(|row| row.id);
        Ok(Some(ids.filter(|id| world.stored.contains(id)).collect()))
    }

    async fn delete(&self, ids: &[i64]) -> sqlx::Result<()> {
        for id in ids {
            self.world().stored.remove(id);
            self.note(format!("delete {id}"));
        }
        Ok(())
    }
}

/// Runs a relay over `fake` until these items are published and deleted.
async fn relayed(fake: &Fake, items: Vec<RelayItem>) {
    let (sender, queue) = mpsc::unbounded_channel();
    let relay = Relay::start(fake.clone(), fake.clone(), Health::default(), queue).await;
    let (ready, at_work) = oneshot::channel();
    let running = tokio::spawn(relay.run(ready));
    at_work.await.expect("the relay gets to work");
    for item in items {
        sender.send(item).expect("the relay listens");
    }
    drop(sender);
    let ended = tokio::time::timeout(Duration::from_secs(600), running).await;
    ended.expect("the relay ends").expect("the relay does not panic");
}

/// Rows that are in the table.
fn committed(fake: &Fake, ids: &[i64]) -> RelayItem {
    fake.world().stored.extend(ids);
    RelayItem::Committed(ids.iter().map(|id| row_with_id(*id)).collect())
}

/// Rows whose commit had no answer; the ids in `stored` were committed.
fn doubtful(fake: &Fake, ids: &[i64], stored: &[i64]) -> RelayItem {
    fake.world().stored.extend(stored);
    RelayItem::Doubtful(ids.iter().map(|id| row_with_id(*id)).collect())
}

fn with_reactions(reactions: &[Reaction]) -> Fake {
    let fake = Fake::default();
    fake.world().reactions.extend(reactions);
    fake
}

#[tokio::test(start_paused = true)]
async fn a_row_is_deleted_only_after_a_plain_acknowledgement() {
    use Reaction::{Confirm, LoseConnection, Nack, NotRequested, Return, Silence};
    for bad in [Nack, Return, NotRequested, Silence, LoseConnection] {
        let fake = with_reactions(&[Confirm, bad, Confirm]);
        let item = committed(&fake, &[1, 2, 3]);
        relayed(&fake, vec![item]).await;
        let journal = fake.world().journal.clone();
        let at =
            |call: &str| journal.iter().position(|found| found == call).expect("the call was made");
        let opened_again =
            journal.iter().rposition(|call| call == "open").expect("a channel was opened");
        assert!(opened_again > 0, "{bad:?} is a fault: {journal:?}");
        assert!(at("delete 2") > opened_again, "{bad:?}: {journal:?}");
        assert!(fake.world().stored.is_empty(), "{bad:?}: all are deleted in the end");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unconfirmed_message_is_published_again() {
    use Reaction::{Confirm, Nack, NotRequested, Return, Silence};
    for bad in [Nack, Return, NotRequested] {
        let fake = with_reactions(&[Confirm, bad, Confirm]);
        let item = committed(&fake, &[1, 2, 3]);
        relayed(&fake, vec![item]).await;
        // A returned message may hang on another's confirm: none of the answers counts.
        assert_eq!(fake.calls_of("publish"), ["1", "2", "3", "1", "2", "3"], "{bad:?}");
    }
    let fake = with_reactions(&[Confirm, Silence, Confirm]);
    let item = committed(&fake, &[1, 2, 3]);
    relayed(&fake, vec![item]).await;
    assert_eq!(fake.calls_of("publish"), ["1", "2", "3", "2"], "what is confirmed stays so");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_publishes_again_in_order() {
    use Reaction::{Confirm, LoseConnection, Silence};
    let fake = with_reactions(&[Silence, Silence, LoseConnection, Confirm]);
    let item = committed(&fake, &[1, 2, 3, 4]);
    relayed(&fake, vec![item]).await;
    assert_eq!(fake.calls_of("publish"), ["1", "2", "3", "1", "2", "3", "4"]);
    assert_eq!(fake.calls_of("delete"), ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn doubtful_rows_leave_before_later_ones_if_they_are_stored() {
    let fake = Fake::default();
    fake.world().failing_lookups = 5;
    let items = vec![
        committed(&fake, &[1]),
        doubtful(&fake, &[2, 3], &[3]),
        committed(&fake, &[4]),
        doubtful(&fake, &[5], &[]),
        committed(&fake, &[6]),
    ];
    relayed(&fake, items).await;
    assert_eq!(fake.calls_of("publish"), ["1", "3", "4", "6"], "rolled back rows never leave");
}

#[tokio::test(start_paused = true)]
async fn no_event_overtakes_those_of_a_commit_that_is_still_carried_out() {
    let fake = Fake::default();
    fake.world().slow_commit = (7, vec![2, 3]);
    let items = vec![committed(&fake, &[1]), doubtful(&fake, &[2, 3], &[]), committed(&fake, &[4])];
    relayed(&fake, items).await;
    assert_eq!(fake.calls_of("publish"), ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn rows_from_before_the_start_leave_first() {
    let fake = Fake::default();
    fake.world().leftovers = vec![1, 2];
    fake.world().stored.extend([1, 2]);
    let item = committed(&fake, &[3]);
    relayed(&fake, vec![item]).await;
    assert_eq!(fake.calls_of("publish"), ["1", "2", "3"]);
    assert!(fake.world().stored.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_relay_ends_when_everything_is_deleted() {
    let fake = Fake::default();
    let ids: Vec<i64> = (1..=2_000).collect();
    let items = ids.chunks(100).map(|chunk| committed(&fake, chunk)).collect();
    relayed(&fake, items).await;
    let journal = fake.world().journal.clone();
    assert_eq!(journal[journal.len() - 2..], ["close", "disconnect"]);
    assert_eq!(fake.calls_of("delete").len(), 2_000);
    let published: Vec<String> = ids.iter().map(|id| format!("{id:x}")).collect();
    assert_eq!(fake.calls_of("publish"), published, "each once, in order");
}
