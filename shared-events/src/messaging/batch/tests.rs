//! A batch over fakes of its two edges. Promise: each test is one promise of the batch; the journal
//! of both edges shows the order of calls.

mod approvals;
mod fakes;

use std::sync::{Arc, PoisonError, atomic::Ordering};

use fakes::{FakeBroker, FakeHandler, FakeStore, Journal};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

use super::{BatchProcessor, Settled};
use crate::{
    access::{Grant, RoleCode},
    amqp::health::Health,
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, RawEnvelope},
    messaging::{
        access::AccessBoard,
        announcer::{Announcer, RetiredEvents},
        message_source::QueueDelivery,
        settlement::Settlement,
        test_messages::{QUEUE, body_of, client_may, command, delivery, envelope, granting},
        time_limit::AdaptiveTimeout,
    },
    topology::{CLIENT_FAULTS_PARKED_MAX, COMMANDS},
};

/// A batch processor over fakes, and the fakes.
struct Bench {
    processor: BatchProcessor<FakeHandler, FakeStore, FakeBroker>,
    store: FakeStore,
    broker: FakeBroker,
    handler: FakeHandler,
    journal: Journal,
    shutdown: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        Self::with_grants(client_may())
    }

    fn with_grants(access: AccessBoard) -> Self {
        let (journal, handler) = (Journal::default(), FakeHandler::default());
        let store = FakeStore::new(journal.clone());
        let broker = FakeBroker { journal: journal.clone(), ..FakeBroker::default() };
        let processor = BatchProcessor {
            handler: handler.clone(),
            subscription: QUEUE,
            announcer: Announcer {
                source: "/accounts".to_owned(),
                retired: RetiredEvents::default(),
            },
            store: store.clone(),
            time_limit: AdaptiveTimeout::new(),
            isolation: Arc::default(),
            settlement: Arc::new(Settlement { service: "accounts", broker: broker.clone() }),
            access,
            health: Health::default(),
        };
        Self { processor, store, broker, handler, journal, shutdown: CancellationToken::new() }
    }

    /// Processes a batch. The end, or that the broker was lost.
    async fn process(&self, batch: &[QueueDelivery]) -> Option<Settled> {
        self.processor.process(batch, &self.shutdown).await.ok()
    }

    fn lose_broker(&self, is_lost: bool) {
        *self.broker.is_lost.lock().unwrap_or_else(PoisonError::into_inner) = is_lost;
    }

    fn replies(&self) -> Vec<Vec<u8>> {
        self.broker.replies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One delivery for each text, tagged from one.
fn commands(texts: &[&str]) -> Vec<QueueDelivery> {
    (1..).zip(texts).map(|(tag, text)| command(tag, &envelope(text))).collect()
}

/// The same delivery, with a queue for the reply.
fn asking(mut delivery: QueueDelivery) -> QueueDelivery {
    delivery.message.properties = delivery.message.properties.with_reply_to("client.acme.1".into());
    delivery
}

/// A joined delivery that came back so often that it is isolated.
fn redelivered(events: &[RawEnvelope]) -> QueueDelivery {
    let bodies: Vec<Vec<u8>> = events.iter().map(body_of).collect();
    let body = [b"[", bodies.join(&b","[..]).as_slice(), b"]"].concat();
    let mut delivery = delivery(1, COMMANDS, CONTENT_TYPE_BATCH, body);
    let mut headers = FieldTable::default();
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
    delivery.message.properties = delivery.message.properties.with_headers(headers);
    delivery.message.redelivered = true;
    delivery
}

/// What an outsider sends in the name of nobody.
fn anonymous(mut delivery: QueueDelivery) -> QueueDelivery {
    let properties = BasicProperties::default().with_content_type(CONTENT_TYPE.into());
    delivery.message.properties = properties.with_reply_to("client.acme.1".into());
    delivery
}

#[tokio::test]
async fn a_delivery_is_acknowledged_after_the_commit() {
    let bench = Bench::new();
    let batch: Vec<_> = commands(&["a", "b"]).into_iter().map(asking).collect();
    assert_eq!(bench.process(&batch).await, Some(Settled::All));
    let reply = "reply client.acme.1";
    let expected = ["begin", "commit", reply, reply, "acknowledge up to 2"];
    assert_eq!(bench.journal.calls(), expected);
    assert_eq!(bench.store.tables().applied, ["a", "b"]);
    assert_eq!(bench.store.tables().outbox, 2);
}

#[tokio::test]
async fn a_poisonous_message_is_parked_and_harms_no_other() {
    for poison in ["poison", "panic", "hopeless"] {
        let bench = Bench::new();
        assert_eq!(bench.process(&commands(&["a", poison, "c"])).await, Some(Settled::All));
        assert_eq!(bench.store.tables().applied, ["a", "c"], "{poison}");
        let calls = bench.journal.calls();
        let end = ["publish accounts hopeless", "acknowledge up to 3"];
        assert_eq!(calls[calls.len() - 2..], end, "{poison}: {calls:?}");
        assert_eq!(bench.journal.calls_of("publish").len(), 1, "{poison}");
        assert_eq!(bench.store.tables().inbox.len(), 2, "{poison}: a replay is new");
    }
}

#[tokio::test]
async fn an_undecodable_message_is_parked_and_its_sender_is_told() {
    let bench = Bench::new();
    let bad = asking(delivery(2, COMMANDS, CONTENT_TYPE, b"{".to_vec()));
    let mut batch = commands(&["a"]);
    batch.push(bad);
    assert_eq!(bench.process(&batch).await, Some(Settled::All));
    let parked = ["reply client.acme.1", "publish accounts undecodable"];
    assert_eq!(
        bench.journal.calls(),
        [&parked[..], &["begin", "commit", "acknowledge up to 2"]].concat()
    );
}

#[tokio::test]
async fn a_clients_faulty_messages_fill_no_parked_queue() {
    let bench = Bench::new();
    bench.broker.message_count.store(CLIENT_FAULTS_PARKED_MAX, Ordering::Relaxed);
    let faulty = delivery(1, COMMANDS, CONTENT_TYPE, b"{".to_vec());
    let batch = [asking(faulty), anonymous(command(2, &envelope("b"))), command(3, &envelope("c"))];
    assert_eq!(bench.process(&batch).await, Some(Settled::All));
    let calls = ["reply client.acme.1", "begin", "commit", "acknowledge up to 3"];
    assert_eq!(bench.journal.calls(), calls, "the client is told, and nothing is parked");
    assert_eq!(bench.process(&commands(&["hopeless"])).await, Some(Settled::All));
    assert_eq!(bench.journal.calls_of("publish"), ["publish accounts hopeless"]);
}

#[tokio::test]
async fn a_message_of_wrong_origin_is_parked_and_nobody_is_told() {
    let bench = Bench::new();
    let mut batch = commands(&["a", "b", "c"]);
    batch[1] = anonymous(command(2, &envelope("b")));
    assert_eq!(bench.process(&batch).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, ["a", "c"]);
    let calls = ["publish accounts wrong_origin", "begin", "commit", "acknowledge up to 3"];
    assert_eq!(bench.journal.calls(), calls);
}

#[tokio::test]
async fn a_reply_goes_to_a_queue_of_its_author_only() {
    let queues = ["client.acme.1", "client.acme", "client.acmen.1", "client.eve.1", "acme.1"];
    let bench = Bench::new();
    let to = |(tag, queue): (u64, &&str)| {
        let mut asks = command(tag, &envelope(queue));
        asks.message.properties = asks.message.properties.with_reply_to((*queue).into());
        asks
    };
    let batch: Vec<_> = (1..).zip(&queues).map(to).collect();
    assert_eq!(bench.process(&batch).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, queues, "each command has its effect");
    assert_eq!(bench.journal.calls_of("reply"), ["reply client.acme.1"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_parks_nothing_and_acknowledges_nothing() {
    let bench = Bench::new();
    *bench.store.failing_begins.lock().expect("no test panicked") = 20;
    *bench.store.failing_commits.lock().expect("no test panicked") = 3;
    assert_eq!(bench.process(&commands(&["a", "b"])).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, ["a", "b"], "once, when the database is back");
    let calls = bench.journal.calls();
    assert_eq!(calls.iter().filter(|call| *call == "begin").count(), 24);
    assert_eq!(calls[24..], ["commit", "acknowledge up to 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stops_in_an_outage_acknowledges_nothing() {
    let bench = Bench::new();
    *bench.store.failing_begins.lock().expect("no test panicked") = u32::MAX;
    let batch = commands(&["a"]);
    let (ended, ()) = tokio::join!(bench.process(&batch), async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        bench.shutdown.cancel();
    });
    assert_eq!(ended, Some(Settled::Abandoned));
    let begins = bench.journal.calls_of("begin").len();
    assert_eq!(bench.journal.calls().len(), begins, "nothing was published or acknowledged");
}

#[tokio::test]
async fn a_message_that_is_not_ready_waits_before_its_delivery_is_acknowledged() {
    let bench = Bench::new();
    assert_eq!(bench.process(&commands(&["a", "later"])).await, Some(Settled::All));
    let retry = format!("publish {QUEUE}.retry.5s");
    assert_eq!(bench.journal.calls(), ["begin", "commit", &retry, "acknowledge up to 2"]);
    assert_eq!(bench.store.tables().inbox.len(), 1, "the retry finds the message new");
}

#[tokio::test]
async fn a_failed_retry_publish_acknowledges_nothing() {
    for text in ["later", "hopeless"] {
        let bench = Bench::new();
        bench.lose_broker(true);
        let batch = commands(&["a", text]);
        assert_eq!(bench.process(&batch).await, None, "{text}");
        assert_eq!(bench.journal.calls(), ["begin", "commit"], "{text}");
        bench.lose_broker(false);
        assert_eq!(bench.process(&batch).await, Some(Settled::All), "the batch comes again");
        assert_eq!(bench.store.tables().applied, ["a"], "{text}");
        assert_eq!(bench.journal.calls_of("acknowledge"), ["acknowledge up to 2"]);
    }
}

#[tokio::test]
async fn a_message_that_comes_again_has_one_effect_and_the_same_reply() {
    let bench = Bench::new();
    let sent = envelope("a");
    for tag in 1..=2 {
        let again = asking(command(tag, &sent));
        assert_eq!(bench.process(&[again]).await, Some(Settled::All));
    }
    let twice = [asking(command(3, &sent)), asking(command(4, &sent))];
    assert_eq!(bench.process(&twice).await, Some(Settled::All), "twice in one batch");
    assert_eq!(bench.store.tables().applied, ["a"]);
    assert_eq!(bench.store.tables().outbox, 1);
    let replies = bench.replies();
    assert_eq!(replies.len(), 4);
    assert!(replies.iter().all(|reply| *reply == replies[0]), "each reply is the first one");
}

#[tokio::test]
async fn an_id_with_other_content_changes_nothing() {
    let bench = Bench::new();
    let first = envelope("a");
    let other = RawEnvelope { id: first.id, ..envelope("b") };
    assert_eq!(bench.process(&[command(1, &first)]).await, Some(Settled::All));
    assert_eq!(bench.process(&[asking(command(2, &other))]).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, ["a"]);
    let reply = String::from_utf8(bench.replies().remove(0)).expect("a reply is JSON");
    assert!(reply.contains("came before"), "{reply}");
}

#[tokio::test]
async fn an_id_belongs_to_the_author_who_has_used_it_first() {
    let bench = Bench::new();
    let sent = envelope("a");
    let mut of_eve = command(2, &sent);
    of_eve.message.properties = of_eve.message.properties.with_user_id("eve".into());
    of_eve.message.properties = of_eve.message.properties.with_reply_to("client.eve.1".into());
    assert_eq!(bench.process(&[asking(command(1, &sent))]).await, Some(Settled::All));
    assert_eq!(bench.process(&[of_eve]).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, ["a"]);
    let reply = String::from_utf8(bench.replies().remove(1)).expect("a reply is JSON");
    assert!(reply.contains("came before"), "the first reply is none of eve's business: {reply}");
}

#[tokio::test]
async fn a_command_that_no_grant_permits_is_answered_and_not_handled() {
    let bench = Bench::with_grants(granting(vec![Grant::of_role(RoleCode::Auditor)]));
    let batch: Vec<_> = commands(&["a", "panic"]).into_iter().map(asking).collect();
    for _ in 0..2 {
        assert_eq!(bench.process(&batch).await, Some(Settled::All));
    }
    assert!(bench.store.tables().applied.is_empty());
    assert!(bench.journal.calls_of("publish").is_empty(), "nothing is parked");
    for reply in bench.replies() {
        let reply = String::from_utf8(reply).expect("a reply is JSON");
        assert!(reply.contains("not_permitted"), "{reply}");
        assert!(reply.contains("acme may not send accounts.account.open.v1"), "{reply}");
    }
    assert_eq!(bench.replies().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_kills_the_service_is_parked_alone() {
    let bench = Bench::new();
    let delivery = [redelivered(&["a", "hang", "c"].map(envelope))];
    for death in 1..=4 {
        tokio::select! {
            _ = bench.process(&delivery) => panic!("the process dies before the end"),
            () = bench.handler.hangs.notified() => {}
        }
        assert_eq!(bench.store.tables().applied, ["a"], "death {death}");
        assert!(bench.journal.calls_of("publish").is_empty(), "death {death}");
    }
    assert_eq!(bench.process(&delivery).await, Some(Settled::All));
    assert_eq!(bench.store.tables().applied, ["a", "c"]);
    assert_eq!(bench.journal.calls_of("publish"), ["publish accounts kills_the_service"]);
    assert_eq!(bench.journal.calls_of("acknowledge"), ["acknowledge up to 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_dies_while_it_decodes_parks_the_delivery_undecoded() {
    use crate::messaging::{delivery_store::DeliveryStore, isolation::isolation_key};
    let bench = Bench::new();
    let delivery = [asking(redelivered(&[envelope("a")]))];
    let key = isolation_key(&[&delivery[0].message.data]);
    bench.store.begin_attempt(&key, 4).await.expect("memory has no faults");
    assert_eq!(bench.process(&delivery).await, Some(Settled::All));
    let parked = ["publish accounts kills_the_service", "acknowledge up to 1"];
    assert_eq!(bench.journal.calls(), parked);
}
