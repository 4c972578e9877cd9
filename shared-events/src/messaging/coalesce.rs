//! Joins the events of one transaction into few messages. Promise: the order stays, and a message
//! joins only neighbours of one type and one partition key, which have the same readers.

use super::outbox::OutboxRow;
use crate::amqp::publish::{Outgoing, named, partition_headers, set_header, short};
use crate::{
    envelope::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, CONTENT_TYPE, CONTENT_TYPE_BATCH},
    topology::exchange_of_event,
};

/// As few rows as can carry these events, in their order.
pub(crate) fn coalesce(events: Vec<OutboxRow>) -> Vec<OutboxRow> {
    let mut joined: Vec<OutboxRow> = Vec::new();
    for event in events {
        match joined.last_mut() {
            Some(last) if fits(last, &event) => append(last, &event),
            Some(_) | None => joined.push(event),
        }
    }
    joined
}

fn fits(row: &OutboxRow, event: &OutboxRow) -> bool {
    row.kind == event.kind
        && row.partition_key == event.partition_key
        && usize::try_from(row.events).is_ok_and(|events| events < BATCH_EVENTS_MAX)
        && row.body.len() + event.body.len() + ARRAY_BYTES < BATCH_BYTES_MAX
}

/// The bytes that an array adds to its elements, at most: two brackets and a comma.
const ARRAY_BYTES: usize = 3;

/// Appends an event to a row, whose body becomes a JSON array if it is not one yet.
fn append(row: &mut OutboxRow, event: &OutboxRow) {
    match row.events {
        1 => row.body.insert(0, b'['),
        _ => drop(row.body.pop()),
    }
    row.body.reserve(event.body.len() + ARRAY_BYTES);
    row.body.push(b',');
    row.body.extend_from_slice(&event.body);
    row.body.push(b']');
    row.events += 1;
}

/// The message that carries a row.
pub(crate) fn outgoing(row: &OutboxRow, user: &str) -> Outgoing {
    let mut headers = partition_headers(row.partition_key.as_deref());
    let content_type = match row.events {
        1 => CONTENT_TYPE,
        many => {
            set_header(&mut headers, "x-events", &many.to_string());
            CONTENT_TYPE_BATCH
        }
    };
    let source = row.kind.split('.').next().unwrap_or_default();
    let timestamp = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0);
    let properties = named(content_type, &row.message_id.to_string(), &row.kind, user)
        .with_app_id(short(&format!("/{source}")))
        .with_correlation_id(short(&row.correlation_id.to_string()))
        .with_timestamp(timestamp)
        .with_headers(headers);
    let exchange = exchange_of_event(&row.kind);
    Outgoing { exchange, key: row.kind.clone(), properties, body: row.body.clone() }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn event(kind: &str, key: Option<&str>, body: Vec<u8>) -> OutboxRow {
        OutboxRow {
            id: 0,
            transaction: 0,
            events: 1,
            message_id: Uuid::nil(),
            kind: kind.to_owned(),
            correlation_id: Uuid::nil(),
            partition_key: key.map(ToOwned::to_owned),
            body,
            permit: None,
        }
    }

    /// How many events each message has.
    fn messages(rows: Vec<OutboxRow>) -> Vec<i32> {
        coalesce(rows).iter().map(|row| row.events).collect()
    }

    #[test]
    fn neighbours_of_one_type_and_key_travel_together() {
        let rows = [
            ("a.v1", None),
            ("a.v1", None),
            ("b.v1", None),
            ("a.v1", None),
            ("a.v1", Some("x")),
            ("a.v1", Some("x")),
        ];
        let rows = rows.map(|(kind, key)| event(kind, key, b"{}".to_vec()));
        assert_eq!(messages(rows.to_vec()), [2, 1, 1, 2]);
    }

    #[test]
    fn a_message_has_at_most_a_hundred_events_and_a_quarter_mebibyte() {
        let small = vec![event("a.v1", None, b"{}".to_vec()); 250];
        assert_eq!(messages(small), [100, 100, 50]);
        let large = vec![event("a.v1", None, vec![b' '; 200 * 1024]); 3];
        assert_eq!(messages(large), [1, 1, 1]);
        let half = vec![event("a.v1", None, vec![b' '; 100 * 1024]); 4];
        assert!(coalesce(half).iter().all(|row| row.body.len() < BATCH_BYTES_MAX));
    }

    #[test]
    fn a_joined_message_is_an_array_of_its_events() {
        let rows = ["1", "2", "3"].map(|n| event("a.v1", None, n.as_bytes().to_vec()));
        assert_eq!(coalesce(rows.to_vec())[0].body, b"[1,2,3]");
        assert_eq!(coalesce(rows[..1].to_vec())[0].body, b"1");
    }
}
