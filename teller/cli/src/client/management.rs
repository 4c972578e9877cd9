//! The broker's management API. Promise: a refusal names what was asked; an object that is not
//! there is no error where it is looked up or deleted.

use std::time::Duration;

use clap::Args;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_events::topology::{ClientPrincipal, VIRTUAL_HOST, client_user, guard_limits};
use teller_client::{Refusal, TellerError, input::InvalidInput};

use crate::global::{read, secret};

const PASSWORD: &str = "TELLER_MANAGEMENT_PASSWORD";
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The broker's management API
    #[arg(
        long,
        value_name = "URL",
        env = "TELLER_MANAGEMENT_URL",
        default_value = "https://127.0.0.1:15671"
    )]
    management_url: String,
    /// The administrator of the broker
    #[arg(
        long,
        value_name = "NAME",
        env = "TELLER_MANAGEMENT_USER",
        default_value = "administrator"
    )]
    management_user: String,
    /// The virtual host of the bank
    #[arg(long, value_name = "NAME", env = "TELLER_VHOST", default_value = VIRTUAL_HOST)]
    vhost: String,
}

/// The API of one broker, for one virtual host.
pub(crate) struct Management {
    http: reqwest::Client,
    url: String,
    user: String,
    password: SecretString,
    pub(crate) vhost: String,
}

impl Options {
    pub(crate) fn connect(self) -> Result<Management, TellerError> {
        let password = secret(PASSWORD)?.ok_or_else(|| {
            let rule = format!("must be set, or {PASSWORD}_FILE must name a file with it");
            InvalidInput::new(PASSWORD, rule)
        })?;
        let password = read(PASSWORD, &password)?;
        if reqwest::Url::parse(&self.management_url).is_err() {
            return Err(InvalidInput::new("management-url", "must be a URL").into());
        }
        // Another part of the program may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build();
        Ok(Management {
            http: http.map_err(no_answer)?,
            url: self.management_url.trim_end_matches('/').to_owned(),
            user: self.management_user,
            password,
            vhost: self.vhost,
        })
    }
}

impl Management {
    /// Gives the broker a client's user with its rights and limits.
    pub(crate) async fn put_client(&self, client: &ClientPrincipal) -> Result<(), TellerError> {
        let user = client_user(client);
        let (name, vhost) = (&user.name, &self.vhost);
        self.put_login(client).await?;
        for topic in user.topic_permissions() {
            self.put(&["topic-permissions", vhost, name], &topic).await?;
        }
        for limit in guard_limits(client) {
            let parameter = limit["name"].as_str().unwrap_or_default();
            self.put(&["global-parameters", parameter], &limit).await?;
        }
        // After its rights by type: without them, permissions give a new user all types.
        self.put(&["permissions", vhost, name], &user.permissions()).await?;
        // Last: a client that is locked out has the right permissions when it returns.
        for (limit, value) in user.limits().as_object().into_iter().flatten() {
            self.put(&["user-limits", name, limit], &json!({ "value": value })).await?;
        }
        Ok(())
    }

    /// Gives a client's user its password.
    pub(crate) async fn put_login(&self, client: &ClientPrincipal) -> Result<(), TellerError> {
        let user = client_user(client);
        let login = json!({
            "password_hash": user.password_hash,
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": user.tags.join(","),
        });
        self.put(&["users", &user.name], &login).await
    }

    /// The names of the queues of the virtual host.
    pub(crate) async fn queues(&self) -> Result<Vec<String>, TellerError> {
        let queues = self.get(&["queues", &self.vhost]).await?;
        let names = list(&queues).filter_map(|queue| queue["name"].as_str().map(str::to_owned));
        Ok(names.collect())
    }

    /// Closes the connections of a user, and returns their number.
    pub(crate) async fn close_connections(&self, user: &str) -> Result<usize, TellerError> {
        let open = self.get(&["connections", "username", user]).await?;
        self.delete(&["connections", "username", user]).await?;
        Ok(list(&open).count())
    }

    /// An object or a list; null where there is none.
    pub(crate) async fn get(&self, path: &[&str]) -> Result<Value, TellerError> {
        Ok(self.ask(Method::GET, path, None).await?.unwrap_or_default())
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<(), TellerError> {
        self.ask(Method::PUT, path, Some(body)).await.map(|_| ())
    }

    /// Whether there was something to delete.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<bool, TellerError> {
        Ok(self.ask(Method::DELETE, path, None).await?.is_some())
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Option<Value>, TellerError> {
        let mut url = reqwest::Url::parse(&self.url).map_err(no_answer)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        let mut request = self.http.request(method.clone(), url);
        request = request.basic_auth(&self.user, Some(self.password.expose_secret()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status();
        let text = answer.text().await.map_err(no_answer)?;
        match status {
            StatusCode::NOT_FOUND if method != Method::PUT => Ok(None),
            StatusCode::UNAUTHORIZED => {
                let rule = format!("the broker refuses the login or the right of {}", self.user);
                Err(InvalidInput::new("management-user", rule).into())
            }
            _ if !status.is_success() => {
                let asked = format!("{method} {}: {status}: {text}", path.join("/"));
                Err(Refusal::new("broker_refused", asked).into())
            }
            _ if text.is_empty() => Ok(Some(Value::Null)),
            _ => Ok(Some(serde_json::from_str(&text).map_err(no_answer)?)),
        }
    }
}

/// The items of a list; none of anything else.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn no_answer(error: impl std::error::Error + Send + Sync + 'static) -> TellerError {
    TellerError::NoAnswer(error.into())
}
