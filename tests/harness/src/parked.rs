//! Messages in a queue, with the reason and detail of their parking.

use std::{collections::HashMap, fmt};

use lapin::types::AMQPValue;

/// A message that a service has given up.
#[derive(Clone)]
pub struct Parked {
    /// AMQP's `message_id`, or empty.
    pub id: String,
    /// AMQP's `type`, or empty.
    pub kind: String,
    /// AMQP's `content_type`, or empty.
    pub content_type: String,
    /// `x-parked-reason`.
    pub reason: String,
    /// `x-parked-detail`.
    pub detail: String,
    /// `x-parked-queue`.
    pub queue: String,
    /// All headers that are text.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Parked {
    pub(crate) fn of(delivery: &lapin::message::Delivery) -> Self {
        let properties = &delivery.properties;
        let text = |text: &Option<lapin::types::ShortString>| {
            text.as_ref().map_or_else(String::new, ToString::to_string)
        };
        let mut headers = HashMap::new();
        for (name, value) in properties.headers().iter().flat_map(lapin::types::FieldTable::inner) {
            if let AMQPValue::LongString(value) = value {
                headers.insert(name.to_string(), value.to_string());
            }
        }
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        Self {
            id: text(properties.message_id()),
            kind: text(properties.kind()),
            content_type: text(properties.content_type()),
            reason: header("x-parked-reason"),
            detail: header("x-parked-detail"),
            queue: header("x-parked-queue"),
            body: delivery.data.clone(),
            headers,
        }
    }
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} {} from {}", self.kind, self.id, self.queue)?;
        write!(f, ": {} ({}), {} {body:.500}", self.reason, self.detail, self.content_type)
    }
}
