//! Clients that a fact makes for itself: users of the broker, which all virtual hosts share.
//! Promise: each has a name of its own, has no rights elsewhere, and is gone when the fact is over.

use std::sync::{PoisonError, atomic::Ordering};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use shared_events::topology::{CLIENT_LIMIT_PREFIXES, ClientPrincipal, client_user, guard_limits};

use super::Bank;
use crate::broker::Broker;

impl Bank {
    /// A client of this bank alone, with these roles: a user of the broker, named after the first.
    /// The fact's vhost is all that it may use.
    pub async fn add_client(&self, roles: &[&str]) -> Result<ClientPrincipal> {
        let first = roles.first().context("a client has a role")?.replace('_', "-");
        let number = self.0.started.fetch_add(1, Ordering::Relaxed);
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let client = ClientPrincipal::new(&format!("{first}-{}-{number}", self.0.vhost), roles);
        client.check()?;
        self.put_client(&client).await?;
        Ok(client)
    }

    /// Gives a client of [`Bank::add_client`] other roles or limits. Its password is `<name>-dev`.
    pub async fn put_client(&self, client: &ClientPrincipal) -> Result<()> {
        put(&self.0.broker, &self.0.vhost, client).await?;
        self.grant(client).await?;
        self.0.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(client.name.clone());
        Ok(())
    }

    /// Removes the clients that the fact has made, and has not removed itself.
    pub(super) async fn drop_clients(&self) -> Result<()> {
        let clients =
            std::mem::take(&mut *self.0.clients.lock().unwrap_or_else(PoisonError::into_inner));
        for client in clients {
            let gone = self.0.broker.api(Method::DELETE, &format!("users/{client}"), None).await;
            if gone.is_ok() {
                for prefix in CLIENT_LIMIT_PREFIXES {
                    let parameter = format!("global-parameters/{prefix}{client}");
                    self.0.broker.api(Method::DELETE, &parameter, None).await?;
                }
            }
        }
        Ok(())
    }
}

/// Gives a client its user, with rights in one virtual host, and the password `<name>-dev`.
async fn put(broker: &Broker, vhost: &str, client: &ClientPrincipal) -> Result<()> {
    let (user, name) = (client_user(client), client.name.as_str());
    let put = async |path: String, body: Value| broker.api(Method::PUT, &path, Some(body)).await;
    let login = json!({ "password_hash": user.password_hash, "tags": "" });
    put(format!("users/{name}"), login).await?;
    put(format!("permissions/{vhost}/{name}"), in_any_vhost(user.permissions())).await?;
    for topic in user.topic_permissions() {
        put(format!("topic-permissions/{vhost}/{name}"), in_any_vhost(topic)).await?;
    }
    for (limit, value) in user.limits().as_object().into_iter().flatten() {
        put(format!("user-limits/{name}/{limit}"), json!({ "value": value })).await?;
    }
    for limit in guard_limits(client) {
        let parameter = limit["name"].as_str().context("a parameter has a name")?.to_owned();
        put(format!("global-parameters/{parameter}"), limit).await?;
    }
    Ok(())
}

/// A definition without the name of the bank's virtual host.
fn in_any_vhost(mut definition: Value) -> Value {
    if let Some(object) = definition.as_object_mut() {
        object.remove("vhost");
    }
    definition
}
