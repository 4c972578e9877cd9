//! The users of the broker and their rights, as regular expressions. Promise: a service publishes
//! only its own events and reads only its own queues; a client sends and reads what its roles
//! name, and touches no queue but its own.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    CLIENT_LIMIT_PREFIXES, COMMANDS, ClientPrincipal, EVENTS, PARKED, PERSONAL, Principals,
    REPLIES, RETRY, SERVICES, SUBSCRIPTIONS, Subscription, VIRTUAL_HOST, own_queue_prefix,
    role_patterns,
};

/// A user of the broker, with its rights as regular expressions.
#[derive(Clone, Debug)]
pub struct User {
    /// The name.
    pub name: String,
    /// Management UI tags.
    pub tags: &'static [&'static str],
    /// The right to declare.
    pub configure: String,
    /// The right to publish.
    pub write: String,
    /// The right to read.
    pub read: String,
    /// The rights by routing key. A topic exchange that is not listed has none.
    pub topics: Vec<TopicRight>,
    /// The hash of the password in RabbitMQ's form.
    pub password_hash: String,
    /// The most connections and channels; absent for services.
    pub limits: Option<(u32, u32)>,
}

/// The routing keys that a user may publish to an exchange, and may bind queues with.
#[derive(Clone, Debug)]
pub struct TopicRight {
    /// The exchange.
    pub exchange: &'static str,
    /// The keys of published messages.
    pub write: String,
    /// The keys of bindings.
    pub read: String,
}

const NOTHING: &str = "^$";

/// All users.
#[must_use]
pub fn users(principals: &Principals) -> Vec<User> {
    let mut users: Vec<User> = SERVICES.iter().map(|service| service_user(service)).collect();
    users.extend(principals.clients.iter().map(client_user));
    // Can do nothing until the broker's start is given a password for it.
    users.push(User {
        tags: &["administrator"],
        // Deleting the queues of a client that is removed.
        configure: "^client\\.".to_owned(),
        password_hash: String::new(),
        ..without_rights("administrator")
    });
    users.extend(
        principals
            .monitoring
            .iter()
            .map(|name| User { tags: &["monitoring"], ..without_rights(name) }),
    );
    users
}

fn without_rights(name: &str) -> User {
    User {
        name: name.to_owned(),
        tags: &[],
        configure: NOTHING.to_owned(),
        write: NOTHING.to_owned(),
        read: NOTHING.to_owned(),
        topics: vec![],
        password_hash: development_hash(name),
        limits: None,
    }
}

fn service_user(service: &str) -> User {
    let publishes =
        |exchange, keys: String| TopicRight { exchange, write: keys, read: ".*".into() };
    User {
        write: "^bank\\.(events|personal|retry|parked|replies)$".to_owned(),
        read: format!("({})|(^{service}\\.parked$)", queues_of(service, |_| true)),
        topics: vec![
            publishes(EVENTS, format!("^{service}\\.")),
            publishes(PERSONAL, format!("^{service}\\.")),
            publishes(RETRY, format!("^{service}\\.")),
            publishes(PARKED, format!("^{service}$")),
        ],
        ..without_rights(service)
    }
}

/// The user of a client.
#[must_use]
pub fn client_user(client: &ClientPrincipal) -> User {
    let (roles, name) = (client.roles(), &client.name);
    let own = format!("{}.*", own_queue_prefix(name).replace('.', "\\."));
    let mut read = vec![EVENTS, REPLIES];
    read.extend(role_patterns::personal(&roles));
    read.extend(role_patterns::streams(&roles));
    let read: Vec<String> = read.iter().map(|name| name.replace('.', "\\.")).collect();
    let right = |exchange, write: &str, read: &str| {
        let (write, read) = (write.to_owned(), read.to_owned());
        TopicRight { exchange, write, read }
    };
    User {
        configure: format!("^{own}$"),
        // Binding a queue needs the right to write to the queue.
        write: format!("^({}|{own})$", COMMANDS.replace('.', "\\.")),
        read: format!("^({}|{own})$", read.join("|")),
        topics: vec![
            right(COMMANDS, &role_patterns::sendable(&roles), NOTHING),
            right(EVENTS, NOTHING, &role_patterns::readable(&roles, EVENTS)),
            right(PERSONAL, NOTHING, &role_patterns::readable(&roles, PERSONAL)),
            right(REPLIES, NOTHING, &format!("^{own}$")),
        ],
        password_hash: client.password_hash.clone().unwrap_or_else(|| development_hash(name)),
        limits: Some((client.max_connections, client.max_channels)),
        ..without_rights(name)
    }
}

impl User {
    /// The user as the definitions have it.
    pub(super) fn to_definition(&self) -> Value {
        let mut user = json!({
            "name": self.name,
            "password_hash": self.password_hash,
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": self.tags,
        });
        if self.limits.is_some() {
            user["limits"] = self.limits();
        }
        user
    }

    /// The limits of its connections, in RabbitMQ's words.
    #[must_use]
    pub fn limits(&self) -> Value {
        self.limits.map_or(Value::Null, |(connections, channels)| {
            json!({ "max-connections": connections, "max-channels": channels })
        })
    }

    /// Its permissions in the bank's virtual host.
    #[must_use]
    pub fn permissions(&self) -> Value {
        json!({
            "user": self.name,
            "vhost": VIRTUAL_HOST,
            "configure": self.configure,
            "write": self.write,
            "read": self.read,
        })
    }

    /// Its rights by routing key, in the bank's virtual host.
    #[must_use]
    pub fn topic_permissions(&self) -> Vec<Value> {
        let permission = |topic: &TopicRight| {
            json!({
                "user": self.name,
                "vhost": VIRTUAL_HOST,
                "exchange": topic.exchange,
                "write": topic.write,
                "read": topic.read,
            })
        };
        self.topics.iter().map(permission).collect()
    }
}

/// The global parameters of the broker with the limits of a client that `guard.erl` keeps.
#[must_use]
pub fn guard_limits(client: &ClientPrincipal) -> [Value; 2] {
    let [queues, rate] = CLIENT_LIMIT_PREFIXES.map(|prefix| format!("{prefix}{}", client.name));
    [
        json!({ "name": queues, "value": client.max_queues }),
        json!({ "name": rate, "value": client.max_kib_per_second }),
    ]
}

/// The hash of a password in RabbitMQ's form: base64 of a salt and of SHA-256 over salt and
/// password.
#[must_use]
pub fn password_hash(salt: [u8; 4], password: &str) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    BASE64_STANDARD.encode([&salt, hash.as_slice()].concat())
}

/// The hash of the public password `<name>-dev`, with a salt that makes rendering repeatable. The
/// broker's start script replaces it.
fn development_hash(name: &str) -> String {
    let digest = Sha256::digest(name);
    password_hash([digest[0], digest[1], digest[2], digest[3]], &format!("{name}-dev"))
}

/// A pattern that matches the queues of the wanted subscriptions of a service, and no others.
pub(super) fn queues_of(service: &str, wanted: fn(&Subscription) -> bool) -> String {
    let own = SUBSCRIPTIONS
        .iter()
        .filter(|subscription| subscription.service == service && wanted(subscription));
    let names: Vec<&str> =
        own.map(|subscription| &subscription.name[service.len() + 1..]).collect();
    format!("^{service}\\.({})(\\.[0-9]+)?$", names.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_the_rights_of_its_roles() {
        let clerk = ClientPrincipal::new("branch-7", vec!["clerk".to_owned()]);
        let user = client_user(&clerk);
        assert_eq!(user.configure, r"^client\.branch-7\..*$");
        assert_eq!(user.write, r"^(bank\.commands|client\.branch-7\..*)$");
        assert_eq!(
            user.read,
            r"^(bank\.events|bank\.replies|bank\.personal|client\.branch-7\..*)$"
        );
        let sends = &user.topics[0].write;
        assert!(sends.contains(r"accounts\.account\.open|"), "{sends}");
        assert!(sends.ends_with(r")\.v[0-9]+$"), "{sends}");
        assert!(!sends.contains("period"), "{sends}");
        assert_eq!(user.topics[2].read, r"^(accounts\.holder\.current)\.(v[0-9]+|\*)$");
        assert_eq!(user.topics[3].read, r"^client\.branch-7\..*$");
        let channel = ClientPrincipal::new("web", vec!["customer_channel".to_owned()]);
        let user = client_user(&channel);
        assert_eq!(user.read, r"^(bank\.events|bank\.replies|client\.web\..*)$");
        assert_eq!(user.topics[2].read, "^$");
        let auditor = ClientPrincipal::new("audit", vec!["auditor".to_owned()]);
        let user = client_user(&auditor);
        assert!(user.read.contains(r"bank\.audit"), "{}", user.read);
        assert_eq!(user.topics[1].read, ".*");
    }

    #[test]
    fn a_hash_is_rabbitmqs() {
        // The example of RabbitMQ's documentation: password `test12`, salt 908d c60a.
        let hash = password_hash([0x90, 0x8d, 0xc6, 0x0a], "test12");
        assert_eq!(hash, "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
    }
}
