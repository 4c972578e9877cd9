//! The outbox without a database. Promise: rows reach the relay as committed after the answer to
//! the commit, as doubtful without one, and memory is bounded.

use futures_util::FutureExt;

use super::*;

fn row(bytes: usize) -> OutboxRow {
    OutboxRow {
        id: 1,
        transaction: 0,
        events: 1,
        message_id: Uuid::nil(),
        kind: String::new(),
        correlation_id: Uuid::nil(),
        partition_key: None,
        body: vec![b' '; bytes],
        permit: None,
    }
}

#[test]
fn an_event_that_the_broker_would_refuse_fails_its_own_message() {
    assert!(check_sizes(&[row(1), row(MESSAGE_BYTES_MAX)]).is_ok());
    let error = check_sizes(&[row(1), row(MESSAGE_BYTES_MAX + 1)]).expect_err("too large");
    assert!(
        !crate::messaging::database_fault::is_transient(&error),
        "one by one, and the announcing message is parked"
    );
}

#[test]
fn an_actor_is_one_visible_line_in_every_event() {
    assert_eq!(actor("jana\u{202e}\nnovak"), "jana\u{fffd} novak");
    assert!(actor(&"ř".repeat(10_000)).len() <= ACTOR_BYTES_MAX);
    let parent = "00-d6a2acb5e1ecac9f3bbf63cc9d256f88-2c89213c25c04ed4-01";
    assert!(child_span(parent).is_some_and(|span| span.starts_with(&parent[..36])));
    for wrong in [&parent.replace('d', "\u{1b}"), &parent.to_uppercase(), "00", ""] {
        assert_eq!(child_span(wrong), None);
    }
}

#[tokio::test]
async fn nothing_begins_while_too_much_waits() {
    let (relay_queue, mut relay) = RelayQueue::new();
    relay_queue.push(vec![row(WAITING_BYTES_MAX - 1)], RelayItem::Committed);
    assert!(relay_queue.ready().now_or_never().is_some(), "one more byte fits");
    relay_queue.push(vec![row(1), row(1)], RelayItem::Committed);
    let first = relay.recv().await.expect("the rows were queued");
    let second = relay.recv().await.expect("the rows were queued");
    let RelayItem::Committed(mut second) = second else { panic!("the commit was answered") };
    assert!(relay_queue.ready().now_or_never().is_none(), "no byte fits");
    second.pop();
    drop(first);
    assert!(relay_queue.ready().now_or_never().is_some(), "the first is gone");
    relay_queue.push(vec![row(WAITING_BYTES_MAX - 2)], RelayItem::Committed);
    assert!(relay_queue.ready().now_or_never().is_none(), "half of the second still waits");
    drop(second);
    assert!(relay_queue.ready().now_or_never().is_some());
}

/// The kind of a queued item, and the ids of its rows.
fn described(item: RelayItem) -> (&'static str, Vec<i64>) {
    let (kind, rows) = match item {
        RelayItem::Committed(rows) => ("committed", rows),
        RelayItem::Doubtful(rows) => ("doubtful", rows),
    };
    (kind, rows.iter().map(|row| row.id).collect())
}

#[tokio::test]
async fn a_commit_queues_its_rows_once_it_is_answered() {
    let (queue, mut relay) = RelayQueue::new();
    let rows = || vec![row_with_id(1), row_with_id(2)];
    queue.commit(rows(), async { Ok(()) }).await.expect("the commit is answered");
    assert_eq!(relay.recv().await.map(described), Some(("committed", vec![1, 2])));
    queue.commit(vec![], async { Ok(()) }).await.expect("the commit is answered");
    assert!(relay.try_recv().is_err(), "a transaction without events queues nothing");
}

#[tokio::test]
async fn a_commit_without_an_answer_queues_its_rows_as_doubtful() {
    let (queue, mut relay) = RelayQueue::new();
    let failed = queue.commit(vec![row_with_id(1)], async { Err(sqlx::Error::WorkerCrashed) });
    assert!(failed.await.is_err());
    assert_eq!(relay.recv().await.map(described), Some(("doubtful", vec![1])));
    let unanswered = queue.commit(vec![row_with_id(2)], std::future::pending());
    assert!(unanswered.now_or_never().is_none(), "dropped without an answer");
    assert_eq!(relay.recv().await.map(described), Some(("doubtful", vec![2])));
}

#[tokio::test]
async fn commits_are_queued_in_their_order() {
    let (queue, mut relay) = RelayQueue::new();
    let (answer, answered) = tokio::sync::oneshot::channel();
    let first = queue.commit(vec![row_with_id(1)], async {
        answered.await.map_err(|_| sqlx::Error::WorkerCrashed)
    });
    let second = queue.commit(vec![row_with_id(2)], async { Ok(()) });
    let answering = async { answer.send(()) };
    let (first, second, sent) = tokio::join!(first, second, answering);
    assert!(first.is_ok() && second.is_ok() && sent.is_ok());
    assert_eq!(relay.recv().await.map(described), Some(("committed", vec![1])));
    assert_eq!(relay.recv().await.map(described), Some(("committed", vec![2])));
}
