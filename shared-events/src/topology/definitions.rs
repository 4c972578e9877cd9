//! The topology as RabbitMQ's definitions file (3.13 to 4.x). Promise: settings on which
//! correctness depends (queue types, single active consumer, delays) are queue arguments, which no
//! policy can change; settings for an operator to tune are policies; what bounds a client's queues
//! is an operator policy, which no argument of the client exceeds.

use serde_json::{Value, json};

use super::{
    AUDIT, AUDIT_AGE_MAX, AUDIT_BYTES_MAX, CLIENT_QUEUE_BYTES_MAX, CLIENT_QUEUE_MESSAGES_MAX,
    CLIENT_QUEUE_PREFIX, CLIENT_QUEUE_UNUSED_MAX, COMMANDS, COMMANDS_BYTES_MAX, DELIVERIES_MAX,
    EVENTS, PARKED, PARKED_BYTES_MAX, PARTITION_KEY_HEADER, PERSONAL, Principals,
    QUERIES_BYTES_MAX, QUERY_AGE_MAX, QUEUES_MAX, REPLIES, RETRY, RETRY_TIERS, SERVICES,
    SUBSCRIPTIONS, Subscription, UNROUTED, UNROUTED_BYTES_MAX, User, VIRTUAL_HOST, any_version,
    exchange_of, guard_limits, parked_queue, users, users::queues_of,
};

/// A delivery limit without effect, on every version: 3.13 has no limit, the default of 4.x is 20.
const LOOKS_MAX: u32 = 1_000_000_000;

/// The definitions file: a broker with all objects that services verify and clients use.
#[must_use]
pub fn definitions(principals: &Principals) -> Value {
    let users = users(principals);
    json!({
        "vhosts": [{ "name": VIRTUAL_HOST, "default_queue_type": "quorum" }],
        "users": users.iter().map(User::to_definition).collect::<Vec<_>>(),
        "permissions": users.iter().map(User::permissions).collect::<Vec<_>>(),
        "topic_permissions": users.iter().flat_map(User::topic_permissions).collect::<Vec<_>>(),
        "exchanges": exchanges(),
        "queues": queues(),
        "bindings": bindings(),
        "policies": policies(),
        "parameters": parameters(),
        "global_parameters": principals.clients.iter().flat_map(guard_limits).collect::<Vec<_>>(),
    })
}

fn exchanges() -> Vec<Value> {
    let exchange = |name: &str, kind: &str, arguments: Value| {
        json!({
            "name": name,
            "vhost": VIRTUAL_HOST,
            "type": kind,
            "durable": true,
            "auto_delete": false,
            "internal": false,
            "arguments": arguments,
        })
    };
    // Unroutable messages go to a queue that operators watch. Replies are the exception: a client
    // that has gone away wants no answer.
    let seen = json!({ "alternate-exchange": UNROUTED });
    let mut exchanges = vec![
        exchange(COMMANDS, "topic", seen.clone()),
        exchange(EVENTS, "topic", seen.clone()),
        exchange(PERSONAL, "topic", seen.clone()),
        exchange(RETRY, "topic", seen.clone()),
        exchange(PARKED, "topic", seen),
        exchange(REPLIES, "topic", json!({})),
        exchange(UNROUTED, "fanout", json!({})),
    ];
    let hashed = json!({ "hash-header": PARTITION_KEY_HEADER });
    let partitioned = SUBSCRIPTIONS.iter().filter(|subscription| subscription.partitions.is_some());
    exchanges.extend(
        partitioned
            .map(|subscription| exchange(subscription.name, "x-consistent-hash", hashed.clone())),
    );
    exchanges
}

fn queues() -> Vec<Value> {
    let queue = |name: &str, arguments: Value| {
        json!({
            "name": name,
            "vhost": VIRTUAL_HOST,
            "durable": true,
            "auto_delete": false,
            "arguments": arguments,
        })
    };
    let plain = json!({ "x-queue-type": "quorum" });
    // One consumer at a time, so that two instances of a service never change the order.
    let ordered = json!({ "x-queue-type": "quorum", "x-single-active-consumer": true });
    let mut queues = vec![queue(AUDIT, json!({ "x-queue-type": "stream" }))];
    queues.push(queue(UNROUTED, plain.clone()));
    queues.extend(SERVICES.iter().map(|service| queue(&parked_queue(service), plain.clone())));
    for subscription in SUBSCRIPTIONS {
        for name in subscription.queues() {
            if subscription.is_queries() {
                queues.push(queue(&name, plain.clone()));
                continue;
            }
            queues.push(queue(&name, ordered.clone()));
            for (delay, wait) in RETRY_TIERS {
                let waiting = json!({
                    "x-queue-type": "quorum",
                    "x-message-ttl": millis(wait),
                    "x-dead-letter-exchange": RETRY,
                    "x-dead-letter-routing-key": name,
                    "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                });
                queues.push(queue(&format!("{name}.retry.{delay}"), waiting));
            }
        }
    }
    queues
}

fn bindings() -> Vec<Value> {
    let mut bindings =
        vec![binding(EVENTS, "queue", AUDIT, "#"), binding(UNROUTED, "queue", UNROUTED, "")];
    for service in SERVICES {
        bindings.push(binding(PARKED, "queue", &parked_queue(service), service));
    }
    for subscription in SUBSCRIPTIONS {
        bindings.extend(sources(&subscription));
        for queue in subscription.queues() {
            if subscription.partitions.is_some() {
                // Of a hash exchange the key is a weight: all partitions have the same.
                bindings.push(binding(subscription.name, "queue", &queue, "1"));
            }
            if !subscription.is_queries() {
                bindings.push(binding(RETRY, "queue", &queue, &queue));
                bindings.extend(RETRY_TIERS.iter().map(|(delay, _)| {
                    let waiting = format!("{queue}.retry.{delay}");
                    binding(RETRY, "queue", &waiting, &waiting)
                }));
            }
        }
    }
    bindings
}

/// The bindings from a subscription's message types to its queue, or to the exchange before its
/// partitions.
fn sources(subscription: &Subscription) -> Vec<Value> {
    let destination = if subscription.partitions.is_some() { "exchange" } else { "queue" };
    let source = |kind: &&str| {
        let exchange = exchange_of(kind).expect("a subscription carries published types only");
        binding(exchange, destination, subscription.name, &any_version(kind))
    };
    let mut sources: Vec<Value> = subscription.types.iter().map(source).collect();
    // The versions of a type stand in a row, and share a binding.
    sources.dedup();
    sources
}

fn binding(source: &str, destination_type: &str, destination: &str, key: &str) -> Value {
    json!({
        "source": source,
        "vhost": VIRTUAL_HOST,
        "destination": destination,
        "destination_type": destination_type,
        "routing_key": key,
        "arguments": {},
    })
}

fn policy(name: &str, pattern: &str, definition: &Value) -> Value {
    json!({
        "name": name,
        "vhost": VIRTUAL_HOST,
        "pattern": pattern,
        "apply-to": "queues",
        "priority": 1,
        "definition": definition,
    })
}

fn policies() -> Vec<Value> {
    let mut policies = vec![
        policy(
            "queries",
            &format!("^({})\\.queries$", SERVICES.join("|")),
            &json!({
                "message-ttl": millis(QUERY_AGE_MAX),
                "delivery-limit": DELIVERIES_MAX,
                "max-length-bytes": QUERIES_BYTES_MAX,
                "overflow": "reject-publish",
            }),
        ),
        policy(
            "audit",
            &format!("^{}$", AUDIT.replace('.', "\\.")),
            &json!({ "max-age": AUDIT_AGE_MAX, "max-length-bytes": AUDIT_BYTES_MAX }),
        ),
    ];
    // A client that has gone for good leaves its durable queues behind. An unused queue is deleted
    // after a while; a full queue loses its oldest messages, so that publishers are never blocked.
    policies.push(policy(
        "clients",
        &format!("^{}", CLIENT_QUEUE_PREFIX.replace('.', "\\.")),
        &json!({
            "expires": millis(CLIENT_QUEUE_UNUSED_MAX),
            "max-length-bytes": CLIENT_QUEUE_BYTES_MAX,
            "overflow": "drop-head",
        }),
    ));
    // Any client can fill this one.
    policies.push(policy(
        "unrouted",
        &format!("^{}$", UNROUTED.replace('.', "\\.")),
        &json!({
            "delivery-limit": LOOKS_MAX,
            "max-length-bytes": UNROUTED_BYTES_MAX,
            "overflow": "drop-head",
        }),
    ));
    // A look at a parked message may count as a delivery, and must never use the message up. If the
    // queue is full, the service keeps the message: its own queue waits, and no message is lost.
    policies.push(policy(
        "parked",
        &format!("^({})\\.parked$", SERVICES.join("|")),
        &json!({
            "delivery-limit": LOOKS_MAX,
            "max-length-bytes": PARKED_BYTES_MAX,
            "overflow": "reject-publish",
        }),
    ));
    policies.extend(SERVICES.iter().flat_map(|service| work_policies(service)));
    policies
}

/// The policies of the queues of commands and of events of a service.
fn work_policies(service: &str) -> Vec<Value> {
    // Innocent messages come back with every restart: the service finds the message that kills the
    // service, and the broker's limit is never reached. At-least-once dead-lettering needs
    // reject-publish; without it the broker silently falls back to at-most-once.
    let work = json!({
        "delivery-limit": LOOKS_MAX,
        "dead-letter-exchange": PARKED,
        "dead-letter-routing-key": service,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    });
    // Clients fill queues of commands: a full one refuses their commands, and the disk stays free.
    let mut bounded = work.clone();
    bounded["max-length-bytes"] = COMMANDS_BYTES_MAX.into();
    let commands = queues_of(service, |own| !own.is_queries() && !own.is_events());
    let mut policies = vec![policy(&format!("{service} work"), &commands, &bounded)];
    if SUBSCRIPTIONS.iter().any(|own| own.service == service && own.is_events()) {
        let events = queues_of(service, Subscription::is_events);
        policies.push(policy(&format!("{service} events"), &events, &work));
    }
    policies
}

/// What no argument of a client's queue exceeds (operator policies), and the most queues of the
/// virtual host: `guard.erl` needs seconds to notice a client with too many.
fn parameters() -> Vec<Value> {
    let parameter = |component: &str, name: &str, value: Value| {
        json!({
            "vhost": VIRTUAL_HOST,
            "component": component,
            "name": name,
            "value": value,
        })
    };
    let own = format!("^{}", CLIENT_QUEUE_PREFIX.replace('.', "\\."));
    let operator_policy = |name: &str, apply_to: &str, definition: Value| {
        let value = json!({
            "pattern": own,
            "apply-to": apply_to,
            "priority": 1,
            "definition": definition,
        });
        parameter("operator_policy", name, value)
    };
    let age = millis(CLIENT_QUEUE_UNUSED_MAX);
    let bounds = json!({
        "expires": age,
        "message-ttl": age,
        "max-length": CLIENT_QUEUE_MESSAGES_MAX,
        "max-length-bytes": CLIENT_QUEUE_BYTES_MAX,
    });
    vec![
        operator_policy("clients", "queues", bounds),
        parameter("vhost-limits", "limits", json!({ "max-queues": QUEUES_MAX })),
    ]
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("waiting times are minutes, not ages")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::LedgerAccountOpened, message::Message};

    #[test]
    fn the_versions_of_a_type_share_a_binding() {
        let types = &[LedgerAccountOpened::TYPE, LedgerAccountOpened::TYPE];
        let subscription = Subscription { types, ..super::super::ACCOUNTS_EVENTS };
        assert_eq!(sources(&subscription).len(), 1);
    }
}
