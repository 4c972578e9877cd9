//! Joins events that are ready into few messages. Promise: order is kept, and only events that
//! every reader gets together travel together: same type, same partition key.

use std::collections::VecDeque;

use super::{
    outbox::Row,
    publish::{Outgoing, named, partition_headers, set_header, short},
};
use crate::{
    envelope::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, CONTENT_TYPE, CONTENT_TYPE_BATCH},
    topology::EVENTS,
};

/// Takes the first row and those right behind it that may travel with it.
pub(crate) fn take_joined(backlog: &mut VecDeque<Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut bytes = 0;
    while let Some(next) = backlog.front() {
        bytes += next.body.len() + 1;
        let fits = rows.len() < BATCH_EVENTS_MAX && bytes < BATCH_BYTES_MAX;
        let joins = rows.first().is_none_or(|first| {
            fits && first.kind == next.kind && first.partition_key == next.partition_key
        });
        if !joins {
            break;
        }
        rows.extend(backlog.pop_front());
    }
    rows
}

/// One message of one event, or of several as a CloudEvents batch.
pub(crate) fn join(rows: &[Row], user: &str) -> Outgoing {
    let first = rows.first().expect("a message has at least one event");
    let mut headers = partition_headers(first.partition_key.as_deref());
    let (content_type, body) = match rows {
        [one] => (CONTENT_TYPE, one.body.clone()),
        many => {
            set_header(&mut headers, "x-events", &many.len().to_string());
            let mut body = vec![b'['];
            for row in many {
                body.extend_from_slice(&row.body);
                body.push(b',');
            }
            body.pop();
            body.push(b']');
            (CONTENT_TYPE_BATCH, body)
        }
    };
    let source = first.kind.split('.').next().unwrap_or_default();
    let timestamp = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0);
    let properties = named(content_type, &first.event_id.to_string(), &first.kind, user)
        .with_app_id(short(&format!("/{source}")))
        .with_correlation_id(short(&first.correlation_id.to_string()))
        .with_timestamp(timestamp)
        .with_headers(headers);
    Outgoing { exchange: EVENTS, key: first.kind.clone(), properties, body }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(id: i64, kind: &str, key: Option<&str>, bytes: usize) -> Row {
        Row {
            id,
            event_id: Uuid::nil(),
            kind: kind.to_owned(),
            correlation_id: Uuid::nil(),
            partition_key: key.map(ToOwned::to_owned),
            body: vec![b' '; bytes],
            room: None,
        }
    }

    /// The ids of the rows of each message, in order.
    fn messages(rows: Vec<Row>) -> Vec<Vec<i64>> {
        let mut backlog = VecDeque::from(rows);
        let mut messages = Vec::new();
        while !backlog.is_empty() {
            messages.push(take_joined(&mut backlog).iter().map(|row| row.id).collect());
        }
        messages
    }

    #[test]
    fn neighbours_of_one_type_and_key_travel_together() {
        let rows = vec![
            row(1, "a.v1", None, 2),
            row(2, "a.v1", None, 2),
            row(3, "b.v1", None, 2),
            row(4, "a.v1", None, 2),
            row(5, "a.v1", Some("x"), 2),
            row(6, "a.v1", Some("x"), 2),
        ];
        assert_eq!(messages(rows), [vec![1, 2], vec![3], vec![4], vec![5, 6]]);
    }

    #[test]
    fn a_message_has_at_most_a_hundred_events_and_a_quarter_mebibyte() {
        let many = (0..250).map(|id| row(id, "a.v1", None, 2)).collect();
        let sizes: Vec<usize> = messages(many).iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let large = (0..3).map(|id| row(id, "a.v1", None, 200 * 1024)).collect();
        assert_eq!(messages(large), [[0], [1], [2]]);
    }

    #[test]
    fn a_joined_message_is_an_array_of_its_events() {
        let mut rows = vec![row(1, "a.v1", None, 0), row(2, "a.v1", None, 0)];
        rows[0].body = b"{\"n\":1}".to_vec();
        rows[1].body = b"{\"n\":2}".to_vec();
        assert_eq!(join(&rows, "ledger").body, br#"[{"n":1},{"n":2}]"#);
        assert_eq!(join(&rows[..1], "ledger").body, br#"{"n":1}"#);
    }
}
