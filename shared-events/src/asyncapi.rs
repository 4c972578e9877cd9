//! The whole bus as an AsyncAPI 3.0 document. Promise: the document agrees with the catalogue and
//! the topology; the author of a client can generate the client from it.

mod answers;

use serde_json::{Map, Value, json};

use answers::ANSWERS;

use crate::{
    approvals::ApprovalRequested,
    catalogue::{Entry, PUBLISHED, find},
    envelope::{BATCH_EVENTS_MAX, CONTENT_TYPE, CONTENT_TYPE_BATCH, schema_urn},
    message::{Kind, Message},
    owned::Shape as _,
    refusal::MessageRefused,
    topology::{
        PARTITION_KEY_HEADER, QUERY_AGE_MAX, SERVICES, SUBSCRIPTIONS, Subscription, VIRTUAL_HOST,
        exchange_of, owner_of,
    },
};

/// The version of AsyncAPI's AMQP bindings.
const BINDING_VERSION: &str = "0.3.0";
/// The channel of all replies.
const REPLY_CHANNEL: &str = "replies";
/// The message that several events share.
const BATCH_MESSAGE: &str = "batch";

/// The document. References to `./<type>.json` are to the schemas beside it.
#[must_use]
pub fn asyncapi() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:bankwire:bus",
        "info": {
            "title": "Bankwire",
            "version": "1.0.0",
            "description": "The core of a bank: accounts, ledger and notifications, which know \
                each other only through these messages. Every message is a CloudEvent 1.0 in \
                structured mode; the schemas of envelope and data (JSON Schema 2020-12) are the \
                files beside this document. Operations are those of the services: a client sends \
                the messages that a service receives.",
            "tags": SERVICES.map(|service| json!({ "name": service })),
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "development": {
                "host": "localhost:5672",
                "pathname": format!("/{VIRTUAL_HOST}"),
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ 3.13 or later, as `make up` starts it.",
                "security": [{ "$ref": "#/components/securitySchemes/user" }],
            },
        },
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages(),
            "schemas": { "headers": headers() },
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "A user of the broker for each client. Its roles name the \
                        commands and queries that it may send and the events that it may read. The \
                        property `user_id` of each message names the user, who is the author of \
                        the message.",
                },
            },
        },
    })
}

/// One channel for each routing key, and one for all replies, whose keys only the requesters know.
fn channels() -> Map<String, Value> {
    let mut channels = Map::new();
    for entry in PUBLISHED.iter().filter(|entry| entry.kind != Kind::Reply) {
        let mut carried = Map::from_iter([carried(entry.kind_name)]);
        if entry.kind == Kind::Event {
            carried.extend([self::carried(BATCH_MESSAGE)]);
        }
        let channel = json!({
            "address": entry.kind_name,
            "messages": carried,
            "bindings": { "amqp": exchange(entry.kind_name, "topic") },
        });
        channels.insert(entry.kind_name.to_owned(), channel);
    }
    let mut told: Vec<&str> = ANSWERS.iter().flat_map(|(_, answers)| *answers).copied().collect();
    told.extend(ApprovalRequested::TYPES);
    told.extend([MessageRefused::TYPE, BATCH_MESSAGE]);
    let replies = json!({
        "address": null,
        "description": "The address is the requester's own: the name of the queue that the \
            requester has bound to the exchange by that name and put into `reply_to`. It \
            begins with `client.<user>.`, or there is no reply.",
        "messages": told.into_iter().map(carried).collect::<Map<_, _>>(),
        "bindings": { "amqp": exchange(MessageRefused::TYPE, "direct") },
    });
    channels.insert(REPLY_CHANNEL.to_owned(), replies);
    channels
}

/// The name of a message within a channel: the same as outside.
fn carried(message: &str) -> (String, Value) {
    (message.to_owned(), json!({ "$ref": format!("#/components/messages/{message}") }))
}

fn exchange(kind: &str, exchange_type: &str) -> Value {
    json!({
        "is": "routingKey",
        "exchange": {
            "name": exchange_of(kind).expect("channels are of published types"),
            "type": exchange_type,
            "durable": true,
            "autoDelete": false,
            "vhost": VIRTUAL_HOST,
        },
        "bindingVersion": BINDING_VERSION,
    })
}

/// Operations: the messages that each service receives and answers, and the events of each service.
fn operations() -> Map<String, Value> {
    let mut operations = Map::new();
    for subscription in SUBSCRIPTIONS {
        operations.extend(subscription.types.iter().map(|kind| receive(&subscription, kind)));
    }
    for service in SERVICES {
        let own = format!("{service}.");
        let announced = PUBLISHED
            .iter()
            .filter(|entry| entry.kind == Kind::Event && entry.kind_name.starts_with(&own));
        operations.extend(announced.map(|entry| send(service, entry.kind_name)));
    }
    operations
}

fn receive(subscription: &Subscription, kind: &str) -> (String, Value) {
    let service = subscription.service;
    let mut bindings = json!({ "ack": true, "bindingVersion": BINDING_VERSION });
    let mut operation = json!({
        "action": "receive",
        "summary": summary(kind),
        "channel": { "$ref": format!("#/channels/{kind}") },
        "tags": [{ "name": service }],
        "x-queues": subscription.queues(),
    });
    match find(kind).map(|entry| entry.kind) {
        Some(Kind::Query) => {
            let wait = u64::try_from(QUERY_AGE_MAX.as_millis()).expect("queries wait for seconds");
            bindings["expiration"] = wait.into();
            operation["messages"] = pointers(kind, &[kind]);
            operation["reply"] = reply(kind);
        }
        Some(Kind::Command) => {
            operation["messages"] = pointers(kind, &[kind]);
            operation["reply"] = reply(kind);
        }
        Some(Kind::Event | Kind::Reply) | None => {
            operation["messages"] = pointers(kind, &[kind, BATCH_MESSAGE]);
        }
    }
    operation["bindings"] = json!({ "amqp": bindings });
    (format!("{service}.receive.{kind}"), operation)
}

fn reply(kind: &str) -> Value {
    let answers =
        ANSWERS.iter().find(|(asked, _)| *asked == kind).map_or(&[][..], |(_, answers)| answers);
    let mut told = answers.to_vec();
    told.push(MessageRefused::TYPE);
    if find(kind).is_some_and(|entry| entry.kind == Kind::Command) {
        // The answer while the command waits for an approval.
        told.extend(
            ApprovalRequested::TYPES.iter().filter(|told| owner_of(told) == owner_of(kind)),
        );
        told.push(BATCH_MESSAGE);
    }
    json!({
        "address": {
            "location": "$message.header#/reply_to",
            "description": "AMQP's property `reply_to`. Without one there is no reply.",
        },
        "channel": { "$ref": format!("#/channels/{REPLY_CHANNEL}") },
        "messages": pointers(REPLY_CHANNEL, &told),
    })
}

fn send(service: &str, kind: &str) -> (String, Value) {
    let operation = json!({
        "action": "send",
        "summary": summary(kind),
        "channel": { "$ref": format!("#/channels/{kind}") },
        "messages": pointers(kind, &[kind, BATCH_MESSAGE]),
        "tags": [{ "name": service }],
        "bindings": {
            "amqp": {
                "deliveryMode": 2,
                "mandatory": true,
                "timestamp": true,
                "userId": service,
                "bindingVersion": BINDING_VERSION,
            },
        },
    });
    (format!("{service}.send.{kind}"), operation)
}

fn pointers(channel: &str, messages: &[&str]) -> Value {
    let pointer =
        |message: &&str| json!({ "$ref": format!("#/channels/{channel}/messages/{message}") });
    messages.iter().map(pointer).collect()
}

fn messages() -> Map<String, Value> {
    let mut messages: Map<_, _> =
        PUBLISHED.iter().map(|entry| (entry.kind_name.to_owned(), message(entry))).collect();
    let batch = json!({
        "name": BATCH_MESSAGE,
        "title": "Batch",
        "summary": "Several events in one message. On an event's channel all are of its type.",
        "contentType": CONTENT_TYPE_BATCH,
        "headers": { "$ref": "#/components/schemas/headers" },
        "payload": {
            "type": "array",
            "minItems": 1,
            "maxItems": BATCH_EVENTS_MAX,
            "items": { "$ref": "./envelope.json" },
        },
        "bindings": { "amqp": { "bindingVersion": BINDING_VERSION } },
    });
    messages.insert(BATCH_MESSAGE.to_owned(), batch);
    messages
}

fn message(entry: &Entry) -> Value {
    let kind = entry.kind_name;
    json!({
        "name": kind,
        "title": entry.schema().get("title"),
        "summary": summary(kind),
        "contentType": CONTENT_TYPE,
        "correlationId": { "location": "$message.payload#/correlationid" },
        "headers": { "$ref": "#/components/schemas/headers" },
        "payload": {
            "allOf": [
                { "$ref": "./envelope.json" },
                {
                    "type": "object",
                    "properties": {
                        "type": { "const": kind },
                        "dataschema": { "const": schema_urn(kind) },
                        "data": { "$ref": format!("./{kind}.json") },
                    },
                },
            ],
        },
        "tags": [{ "name": format!("{:?}", entry.kind).to_lowercase() }],
        "bindings": { "amqp": { "messageType": kind, "bindingVersion": BINDING_VERSION } },
    })
}

/// The documentation of the type, without the leading name.
fn summary(kind: &str) -> String {
    let schema = find(kind).expect("summaries are of published types").schema();
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut letters = text.trim_start_matches(&format!("`{kind}`: ")).chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn headers() -> Value {
    json!({
        "type": "object",
        "properties": {
            PARTITION_KEY_HEADER: {
                "type": "string",
                "description": "Messages with the same key are handled in the order of publishing.",
            },
            "x-events": {
                "type": "string",
                "pattern": "^[0-9]+$",
                "description": "How many events a batch has.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = asyncapi();
        let mut unread = vec![&document];
        while let Some(value) = unread.pop() {
            match value {
                Value::Object(fields) => unread.extend(fields.values()),
                Value::Array(items) => unread.extend(items),
                _ => continue,
            }
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { continue };
            let found = match reference.strip_prefix('#') {
                Some(pointer) => document.pointer(pointer).is_some(),
                None => reference == "./envelope.json" || find(file_stem(reference)).is_some(),
            };
            assert!(found, "{reference}");
        }
    }

    fn file_stem(reference: &str) -> &str {
        reference.trim_start_matches("./").trim_end_matches(".json")
    }

    #[test]
    fn replies_travel_on_their_own_exchange() {
        let document = asyncapi();
        let name = document.pointer("/channels/replies/bindings/amqp/exchange/name");
        assert_eq!(name, Some(&Value::from(crate::topology::REPLIES)));
    }
}
