//! The clients as the broker has them. Promise: everything in which the broker differs from the
//! file of principals is named, also what nobody should have made: users, exchanges of clients, and
//! bindings between exchanges.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use shared_events::topology::{
    CLIENT_QUEUE_PREFIX, ClientPrincipal, Principals, client_user, definitions, users,
};
use teller_client::TellerError;

use super::management::{Management, list};

const OTHER_PERMISSIONS: &str = "has other permissions";
const OTHER_TYPES: &str = "has other rights by type";

/// What the broker has.
pub(crate) struct Found {
    users: Value,
    permissions: Value,
    topic_permissions: Value,
    limits: Value,
    connections: Value,
    queues: Value,
    exchanges: Value,
    bindings: Value,
}

/// The clients, and what the file of principals does not explain.
#[derive(Serialize)]
pub(crate) struct State {
    pub(crate) clients: Vec<ClientState>,
    pub(crate) not_in_the_file: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct ClientState {
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) connections: usize,
    pub(crate) max_connections: u32,
    pub(crate) max_channels: u32,
    pub(crate) queues: usize,
    pub(crate) max_queues: u32,
    pub(crate) max_kib_per_second: u32,
    pub(crate) differences: Vec<String>,
}

impl Found {
    pub(crate) async fn read(broker: &Management) -> Result<Self, TellerError> {
        let vhost = broker.vhost.as_str();
        Ok(Self {
            users: broker.get(&["users"]).await?,
            permissions: broker.get(&["vhosts", vhost, "permissions"]).await?,
            topic_permissions: broker.get(&["vhosts", vhost, "topic-permissions"]).await?,
            limits: broker.get(&["user-limits"]).await?,
            connections: broker.get(&["vhosts", vhost, "connections"]).await?,
            queues: broker.get(&["queues", vhost]).await?,
            exchanges: broker.get(&["exchanges", vhost]).await?,
            bindings: broker.get(&["bindings", vhost]).await?,
        })
    }

    fn connections(&self, user: &str) -> usize {
        list(&self.connections).filter(|connection| connection["user"] == user).count()
    }

    fn queues(&self, prefix: &str) -> usize {
        list(&self.queues).filter(|queue| text(&queue["name"]).starts_with(prefix)).count()
    }
}

/// Compares the file of principals with the broker.
pub(crate) fn compare(principals: &Principals, found: &Found) -> State {
    let client = |client: &ClientPrincipal| ClientState {
        name: client.name.clone(),
        roles: client.roles.clone(),
        connections: found.connections(&client.name),
        max_connections: client.max_connections,
        max_channels: client.max_channels,
        queues: found.queues(&client.queue_prefix()),
        max_queues: client.max_queues,
        max_kib_per_second: client.max_kib_per_second,
        differences: differences(client, found),
    };
    State {
        clients: principals.clients.iter().map(client).collect(),
        not_in_the_file: strangers(principals, found),
    }
}

/// The differences between a client's user on the broker and the client in the file.
pub(crate) fn differences(client: &ClientPrincipal, found: &Found) -> Vec<String> {
    let (user, name) = (client_user(client), client.name.as_str());
    let Some(login) = list(&found.users).find(|login| login["name"] == name) else {
        return vec!["is not on the broker".to_owned()];
    };
    let mut differences = Vec::new();
    let mut note = |differs: bool, what: &str| {
        if differs {
            differences.push(what.to_owned());
        }
    };
    if let Some(hash) = &client.password_hash {
        note(login["password_hash"] != hash.as_str(), "has another password");
    }
    note(list(&login["tags"]).next().is_some(), "has tags");
    let same = |a: &Value, b: &Value, fields: &[&str]| fields.iter().all(|f| a[*f] == b[*f]);
    let wanted = user.permissions();
    let mut permissions = list(&found.permissions).filter(|permission| permission["user"] == name);
    let equal =
        permissions.next().is_some_and(|p| same(p, &wanted, &["configure", "write", "read"]));
    note(!equal, OTHER_PERMISSIONS);
    let topics: Vec<&Value> =
        list(&found.topic_permissions).filter(|topic| topic["user"] == name).collect();
    let wanted = user.topic_permissions();
    let fields = &["exchange", "write", "read"];
    let equal = topics.len() == wanted.len()
        && wanted.iter().all(|wanted| topics.iter().any(|topic| same(topic, wanted, fields)));
    note(!equal, OTHER_TYPES);
    let limits = list(&found.limits).find(|limits| limits["user"] == name);
    let limits = limits.map_or(&Value::Null, |limits| &limits["value"]);
    if limits["max-connections"] == 0 {
        note(true, "is locked out by the guard: see the broker's log");
    } else {
        note(*limits != user.limits(), "has other limits");
    }
    differences
}

/// Whether a client's rights on the broker are others than those of its roles.
pub(crate) fn has_other_rights(differences: &[String]) -> bool {
    differences.iter().any(|found| [OTHER_PERMISSIONS, OTHER_TYPES].contains(&found.as_str()))
}

/// Users, exchanges and bindings that are neither the bank's nor a client's.
fn strangers(principals: &Principals, found: &Found) -> Vec<String> {
    let known: BTreeSet<String> = users(principals).into_iter().map(|user| user.name).collect();
    let logins = list(&found.users).map(|login| text(&login["name"]));
    let mut strangers: Vec<String> = logins
        .filter(|name| !known.contains(*name))
        .map(|name| format!("user {name} is not in the file of principals"))
        .collect();
    let exchanges = list(&found.exchanges).map(|exchange| text(&exchange["name"]));
    let exchanges = exchanges.filter(|name| name.starts_with(CLIENT_QUEUE_PREFIX));
    strangers.extend(exchanges.map(|name| format!("exchange {name} belongs to a client")));
    let wanted = definitions(principals);
    let between = |bindings: &Value| -> BTreeSet<(String, String, String)> {
        let between = list(bindings).filter(|binding| binding["destination_type"] == "exchange");
        let ends = |binding: &Value| {
            ["source", "destination", "routing_key"].map(|end| text(&binding[end]).to_owned())
        };
        between.map(ends).map(|[source, destination, key]| (source, destination, key)).collect()
    };
    let foreign = &between(&found.bindings) - &between(&wanted["bindings"]);
    strangers.extend(foreign.into_iter().map(|(source, destination, key)| {
        format!("binding from {source} to {destination} with key {key} is not the bank's")
    }));
    strangers
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
