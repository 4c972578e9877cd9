//! One signed request by HTTP, as Standard Webhooks 1.0 has it. Promise: every attempt has the same
//! `webhook-id` and body, so that a receiver can drop what comes twice; no redirect is followed; no
//! proxy is asked; of an answer only the status and `Retry-After` are looked at, and kept.

use std::time::Duration;

use chrono::Utc;
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use shared_events::envelope::chain;
use tracing::debug;

use super::ssrf_guard::{PublicOnly, Reachable, fit_url};
use crate::{
    domain::{Answer, KeyBefore, Keys, Parcel, SigningKey, retry_after, signatures, webhook_body},
    settings::Webhook,
};

/// How long a receiver may take for all of its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a receiver may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many idle connections to one receiver are kept.
const IDLE_PER_HOST_MAX: usize = 4;
/// How receivers see us.
const USER_AGENT: &str = concat!("bankwire-notifications/", env!("CARGO_PKG_VERSION"));

/// Calls webhooks.
pub(crate) struct Caller {
    client: Client,
    /// The bank's own key, and the one before, while receivers learn the new one.
    key: SigningKey,
    key_before: Option<SigningKey>,
    reachable: Reachable,
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
        let reachable =
            Reachable { private: settings.allow_private, ports: settings.ports.allowed() };
        let (key, key_before) = (settings.secret, settings.secret_before);
        Ok(Self { client: client.build()?, key, key_before, reachable })
    }

    /// Makes one attempt.
    pub(crate) async fn send(&self, parcel: &Parcel) -> Answer {
        let Some(url) = &parcel.recipient.webhook else {
            return Answer::unsendable("the holder has no webhook, wants none, or it is gone");
        };
        let url = match fit_url(url, &self.reachable) {
            Ok(url) => url,
            Err(unfit) => return Answer::unsendable(&unfit.to_string()),
        };
        let (id, timestamp) = (parcel.delivery_id.to_string(), Utc::now().timestamp());
        let body = webhook_body(parcel);
        let keys = self.keys(&parcel.recipient.keys);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", signatures(&keys, &id, timestamp, &body))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id)
            .body(body);
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                Answer::of_http(status, asked_pause(response.headers()))
            }
            Err(error) => {
                let why = why_unanswered(&error);
                debug!(delivery.id = %parcel.delivery_id,
                    error = %chain(&error.without_url()), "no answer");
                Answer::unreachable(why)
            }
        }
    }

    /// What signs: the holder's key, else the bank's; and the key before, where it was replaced.
    fn keys<'k>(&'k self, keys: &'k Keys) -> Vec<&'k SigningKey> {
        let banks = std::iter::once(&self.key).chain(&self.key_before);
        let own: Vec<&SigningKey> = match &keys.own {
            Some(own) => vec![own],
            None => banks.clone().collect(),
        };
        match &keys.before {
            None => own,
            Some(KeyBefore::Own(before)) => own.into_iter().chain([before]).collect(),
            Some(KeyBefore::TheBanks) => own.into_iter().chain(banks).collect(),
        }
    }
}

fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, Utc::now())
}

/// Not in more words: whoever may list deliveries learns nothing of what else listens there.
fn why_unanswered(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be connected to"
    } else {
        "no answer"
    }
}
