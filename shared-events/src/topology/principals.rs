//! The file of principals: the clients of a bank, each a user of the broker with roles, and the
//! people who watch the management UI. Promise: a file that breaks a rule is refused, with the
//! field and the rule; the same file renders to the same permissions.

use serde::{Deserialize, Serialize};

use super::SERVICES;
use crate::access::{Grant, ROLES, Role, check_grants};

/// The principals of development, which the repository contains.
const DEVELOPMENT: &str = include_str!("../../../rabbitmq/principals.json");
/// Names that are not a client's: in this bank, in a broker, or as a certificate's file they mean
/// something else.
const RESERVED: [&str; 11] = [
    "admin",
    "administrator",
    "authority",
    "bank",
    "bankwire",
    "bench",
    "broker",
    "client",
    "guard",
    "guest",
    "postgres",
];
/// The end of the names of database servers.
const DATABASE_SUFFIX: &str = "-db";
/// The longest name: queues are named after their client.
const NAME_CHARS_MAX: usize = 32;
const CONNECTIONS_DEFAULT: u32 = 20;
const CHANNELS_DEFAULT: u32 = 100;
const QUEUES_DEFAULT: u32 = 20;
/// Some two thousand commands a second.
const RATE_DEFAULT: u32 = 2_048;
/// The greatest limit that a file may give.
const LIMIT_MAX: u32 = 10_000;
/// A salt of 4 bytes and a SHA-256, in base64.
const PASSWORD_HASH_CHARS: usize = 48;

/// All principals of a bank apart from its services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principals {
    /// The clients, each a user of the broker.
    pub clients: Vec<ClientPrincipal>,
    /// Users who see the management UI and change nothing.
    #[serde(default)]
    pub monitoring: Vec<String>,
}

/// A client of the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPrincipal {
    /// The user's name on the broker, and the prefix of its queues: `client.<name>.`
    pub name: String,
    /// The names of its roles without bounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Its roles with bounds. The broker knows the roles of both lists, and no bounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// The most connections at a time.
    #[serde(default = "connections_default")]
    pub max_connections: u32,
    /// The most channels at a time, over all connections.
    #[serde(default = "channels_default")]
    pub max_channels: u32,
    /// The most queues, durable and exclusive ones.
    #[serde(default = "queues_default")]
    pub max_queues: u32,
    /// The most KiB a second that it sends, over all connections. A client that has sent five
    /// seconds' worth more is blocked until it has waited for the difference.
    #[serde(default = "rate_default")]
    pub max_kib_per_second: u32,
    /// The hash of its password in RabbitMQ's form; without one, the development password
    /// `<name>-dev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
}

const fn connections_default() -> u32 {
    CONNECTIONS_DEFAULT
}

const fn channels_default() -> u32 {
    CHANNELS_DEFAULT
}

const fn queues_default() -> u32 {
    QUEUES_DEFAULT
}

const fn rate_default() -> u32 {
    RATE_DEFAULT
}

/// A file of principals that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidPrincipals {
    /// The field: `clients[2].roles`.
    pub field: String,
    /// The rule that it breaks.
    pub rule: String,
}

impl InvalidPrincipals {
    fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}

impl Principals {
    /// Reads a file of principals.
    ///
    /// # Errors
    /// When the text is no such file, or breaks a rule; the error names the field and the rule.
    pub fn parse(json: &str) -> Result<Self, InvalidPrincipals> {
        let reader = &mut serde_json::Deserializer::from_str(json);
        let principals: Self = serde_path_to_error::deserialize(reader).map_err(|error| {
            InvalidPrincipals::new(error.path().to_string(), error.inner().to_string())
        })?;
        principals.check()?;
        Ok(principals)
    }

    /// The principals of development.
    ///
    /// # Panics
    /// Never: a test reads the file.
    #[must_use]
    pub fn development() -> Self {
        Self::parse(DEVELOPMENT).expect("a test reads the principals of development")
    }

    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("principals are plain JSON") + "\n"
    }

    /// The client with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ClientPrincipal> {
        self.clients.iter().find(|client| client.name == name)
    }

    fn check(&self) -> Result<(), InvalidPrincipals> {
        for (number, client) in self.clients.iter().enumerate() {
            let field = |name: &str| format!("clients[{number}].{name}");
            client
                .check()
                .map_err(|error| InvalidPrincipals::new(field(&error.field), error.rule))?;
            if self.clients[..number].iter().any(|other| other.name == client.name) {
                return Err(InvalidPrincipals::new(field("name"), "must be given once"));
            }
        }
        for (number, name) in self.monitoring.iter().enumerate() {
            let invalid = |rule: &str| {
                Err(InvalidPrincipals::new(format!("monitoring[{number}]"), rule.to_owned()))
            };
            if let Err(rule) = check_client_name(name) {
                return invalid(&rule);
            }
            if self.find(name).is_some() || self.monitoring[..number].contains(name) {
                return invalid("must be given once");
            }
        }
        Ok(())
    }
}

impl ClientPrincipal {
    /// A client with these roles, the default limits and no password yet.
    #[must_use]
    pub fn new(name: &str, roles: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            roles,
            grants: vec![],
            max_connections: CONNECTIONS_DEFAULT,
            max_channels: CHANNELS_DEFAULT,
            max_queues: QUEUES_DEFAULT,
            max_kib_per_second: RATE_DEFAULT,
            password_hash: None,
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// When a field breaks its rule.
    pub fn check(&self) -> Result<(), InvalidPrincipals> {
        check_client_name(&self.name).map_err(|rule| InvalidPrincipals::new("name", rule))?;
        if self.roles.is_empty() && self.grants.is_empty() {
            return Err(InvalidPrincipals::new("roles", "must name a role"));
        }
        check_grants(&self.grants)
            .map_err(|fault| InvalidPrincipals::new(fault.field, fault.rule))?;
        for role in &self.roles {
            if Role::find(role).is_none() {
                let known = ROLES.map(|role| role.name).join(", ");
                let rule = format!("{role:?} is no role; the roles are {known}");
                return Err(InvalidPrincipals::new("roles", rule));
            }
        }
        let limits = [
            ("max_connections", self.max_connections),
            ("max_channels", self.max_channels),
            ("max_queues", self.max_queues),
            ("max_kib_per_second", self.max_kib_per_second),
        ];
        for (field, limit) in limits {
            if !(1..=LIMIT_MAX).contains(&limit) {
                let rule = format!("must be from 1 to {LIMIT_MAX}");
                return Err(InvalidPrincipals::new(field, rule));
            }
        }
        match &self.password_hash {
            Some(hash) if hash.len() != PASSWORD_HASH_CHARS => {
                let rule = "must be RabbitMQ's salted SHA-256 in base64";
                Err(InvalidPrincipals::new("password_hash", rule))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The roles, with and without bounds.
    #[must_use]
    pub fn roles(&self) -> Vec<&'static Role> {
        let bounded = self.grants.iter().filter_map(|grant| Role::find(grant.role.as_str()));
        self.roles.iter().filter_map(|name| Role::find(name)).chain(bounded).collect()
    }

    /// What the services permit it, until a command changes that.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        let roles = self.roles.iter().filter_map(|name| Role::find(name));
        let unbounded = roles.map(|role| Grant::of_role(role.code));
        unbounded.chain(self.grants.iter().cloned()).collect()
    }

    /// The prefix of the names of its queues, with the dot at the end.
    #[must_use]
    pub fn queue_prefix(&self) -> String {
        super::own_queue_prefix(&self.name)
    }
}

/// Checks the name of a client.
///
/// # Errors
/// The rule that the name breaks.
pub fn check_client_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(is_plain)
        || name.len() > NAME_CHARS_MAX
    {
        return Err(format!(
            "must begin with a letter, and have up to {NAME_CHARS_MAX} of a-z, 0-9 and -"
        ));
    }
    let is_taken = SERVICES.contains(&name) || RESERVED.contains(&name);
    if is_taken || name.ends_with(DATABASE_SUFFIX) {
        return Err(format!("{name:?} is the name of a service, or reserved"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_principals_of_development_are_valid() {
        let principals = Principals::development();
        assert_eq!(Principals::parse(&principals.to_json()), Ok(principals));
    }

    #[test]
    fn a_wrong_file_names_the_field_and_the_rule() {
        let client = |fields: &str| format!(r#"{{"clients":[{{{fields}}}]}}"#);
        let twice =
            r#"{"clients":[{"name":"a","roles":["clerk"]},{"name":"a","roles":["clerk"]}]}"#;
        let watches = r#"{"clients":[{"name":"a","roles":["clerk"]}],"monitoring":["a"]}"#;
        for (file, field, rule) in [
            ("7".to_owned(), ".", "invalid type"),
            (client(r#""name":"Ada","roles":["clerk"]"#), "clients[0].name", "begin with a letter"),
            (client(r#""name":"a.b","roles":["clerk"]"#), "clients[0].name", "begin with a letter"),
            (client(r#""name":"a*","roles":["clerk"]"#), "clients[0].name", "begin with a letter"),
            (client(r#""name":"","roles":["clerk"]"#), "clients[0].name", "begin with a letter"),
            (client(r#""name":"ledger","roles":["clerk"]"#), "clients[0].name", "reserved"),
            (client(r#""name":"guest","roles":["clerk"]"#), "clients[0].name", "reserved"),
            (client(r#""name":"broker","roles":["clerk"]"#), "clients[0].name", "reserved"),
            (client(r#""name":"ledger-db","roles":["clerk"]"#), "clients[0].name", "reserved"),
            (client(r#""name":"a","roles":[]"#), "clients[0].roles", "must name a role"),
            (
                client(r#""name":"a","roles":["king"]"#),
                "clients[0].roles",
                "the roles are customer",
            ),
            (client(r#""name":"a","role":"clerk""#), "clients[0].role", "unknown field"),
            (
                client(r#""name":"a","roles":["clerk"],"max_queues":0"#),
                "clients[0].max_queues",
                "from 1 to",
            ),
            (
                client(r#""name":"a","roles":["clerk"],"password_hash":"x""#),
                "clients[0].password_hash",
                "SHA-256",
            ),
            (twice.to_owned(), "clients[1].name", "once"),
            (watches.to_owned(), "monitoring[0]", "once"),
        ] {
            let error = Principals::parse(&file).expect_err("a rule is broken");
            assert_eq!(error.field, field, "{file}");
            assert!(error.rule.contains(rule), "{file}: {}", error.rule);
        }
    }
}
