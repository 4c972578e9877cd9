//! One signed request by HTTP, as Standard Webhooks 1.0 has it. Promise: every attempt has the same
//! `webhook-id` and body, so that a receiver can drop what comes twice; no redirect is followed; no
//! proxy is asked; an answer that never ends is not read to its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, Response, header::CONTENT_TYPE, redirect::Policy};
use shared_events::envelope::chain;

use super::guard::{PublicOnly, fit_url};
use crate::{
    domain::{Answer, Parcel, SigningKey, Told, webhook_body},
    settings::Webhook,
};

/// How long a receiver may take for all of its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a receiver may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many idle connections to one receiver are kept.
const IDLE_PER_HOST_MAX: usize = 4;
/// The most of an answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How receivers see us.
const USER_AGENT: &str = concat!("bankwire-notifications/", env!("CARGO_PKG_VERSION"));

/// Calls webhooks.
pub(crate) struct Caller {
    client: Client,
    /// The bank's own key.
    key: SigningKey,
    allow_private: bool,
}

impl Caller {
    pub(crate) fn new(settings: Webhook) -> Result<Self, reqwest::Error> {
        // Fails where a provider is installed already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .user_agent(USER_AGENT);
        if !settings.allow_private {
            client = client.dns_resolver(PublicOnly);
        }
        let (key, allow_private) = (settings.secret, settings.allow_private);
        Ok(Self { client: client.build()?, key, allow_private })
    }

    /// Makes one attempt, at `now`.
    pub(super) async fn send(&self, parcel: &Parcel, told: &Told, now: DateTime<Utc>) -> Answer {
        let Some(url) = &parcel.recipient.webhook else {
            return Answer::unsendable("the holder has no webhook, or wants none");
        };
        let url = match fit_url(url, self.allow_private) {
            Ok(url) => url,
            Err(unfit) => return Answer::unsendable(&unfit.to_string()),
        };
        let (id, timestamp) = (parcel.delivery_id.to_string(), now.timestamp());
        let body = webhook_body(parcel, told);
        let key = parcel.recipient.webhook_key.as_ref().unwrap_or(&self.key);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", key.sign(&id, timestamp, &body))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id)
            .body(body);
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                Answer::of_http(status, &beginning(response).await)
            }
            Err(error) => Answer::unreachable(&chain(&error.without_url()).to_string()),
        }
    }
}

/// The beginning of an answer. What it says is a courtesy; the status counts.
async fn beginning(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < ANSWER_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read.extend_from_slice(&chunk);
    }
    read.truncate(ANSWER_BYTES_MAX);
    String::from_utf8_lossy(&read).into_owned()
}
