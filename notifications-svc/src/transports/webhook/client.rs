//! One signed request by HTTP, as Standard Webhooks 1.0 defines it. Promise: every attempt has the
//! same `webhook-id` and body, so that a receiver can drop a duplicate; no redirect is followed; no
//! proxy is used; only the status and `Retry-After` of an answer are read and kept.

use std::time::Duration;

use chrono::Utc;
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use shared_events::envelope::chain;
use tracing::debug;

use super::{
    response::{attempt_result, retry_after},
    signature::signature_header,
    ssrf_guard::{PublicResolver, WebhookPolicy, check_url},
    webhook_body::webhook_body,
};
use crate::{
    deliveries::{AttemptResult, PendingDelivery, TrafficLimits, Transport},
    recipients::{Channel, PreviousKey, SigningKey, SigningKeys},
    settings::Webhook,
};

/// The time limit of a whole answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most idle connections to one receiver.
const IDLE_PER_HOST_MAX: usize = 4;
/// The name of the client for receivers.
const USER_AGENT: &str = concat!("bankwire-notifications/", env!("CARGO_PKG_VERSION"));

/// The transport of webhooks.
pub(crate) struct WebhookClient {
    client: Client,
    bank_key: SigningKey,
    /// The bank's key before, while receivers learn the new one.
    previous_bank_key: Option<SigningKey>,
    policy: WebhookPolicy,
}

impl Transport for WebhookClient {
    const CHANNEL: Channel = Channel::Webhook;
    /// Webhooks go to as many servers as there are holders: enough slots to hide the latency of
    /// good servers, few enough for one server not to look like an attack. Ten servers that hang
    /// cost ten slots of 64.
    const LIMITS: TrafficLimits =
        TrafficLimits { total: 64, unproven: 32, slow: 10, per_host: 8, per_account: 4 };

    async fn send(&self, delivery: &PendingDelivery) -> AttemptResult {
        self.call(delivery).await
    }
}

impl WebhookClient {
    pub(crate) fn new(settings: Webhook) -> Result<Self, reqwest::Error> {
        // Fails where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .user_agent(USER_AGENT);
        if !settings.allow_private {
            client = client.dns_resolver(PublicResolver);
        }
        let (allow_private, ports) = (settings.allow_private, settings.ports.allowed());
        Ok(Self {
            client: client.build()?,
            bank_key: settings.secret,
            previous_bank_key: settings.secret_before,
            policy: WebhookPolicy { allow_private, ports },
        })
    }

    async fn call(&self, delivery: &PendingDelivery) -> AttemptResult {
        let Some(url) = &delivery.recipient.webhook else {
            return AttemptResult::unsendable(
                "the holder has no webhook, wants none, or it is gone",
            );
        };
        let url = match check_url(url, &self.policy) {
            Ok(url) => url,
            Err(forbidden) => return AttemptResult::unsendable(&forbidden.to_string()),
        };
        let (id, timestamp) = (delivery.id.to_string(), Utc::now().timestamp());
        let body = webhook_body(delivery);
        let keys = self.signing_keys(&delivery.recipient.keys);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", signature_header(&keys, &id, timestamp, &body))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id)
            .body(body);
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                attempt_result(status, requested_pause(response.headers()))
            }
            Err(error) => {
                let reason = missing_answer(&error);
                debug!(delivery.id = %delivery.id,
                    error = %chain(&error.without_url()), "a webhook gave no answer");
                AttemptResult::unreachable(reason)
            }
        }
    }

    /// The keys that sign: the holder's key or the bank's; and the key before, where it was
    /// replaced.
    fn signing_keys<'k>(&'k self, keys: &'k SigningKeys) -> Vec<&'k SigningKey> {
        let bank_keys = std::iter::once(&self.bank_key).chain(&self.previous_bank_key);
        let own: Vec<&SigningKey> = match &keys.own {
            Some(own) => vec![own],
            None => bank_keys.clone().collect(),
        };
        match &keys.previous {
            None => own,
            Some(PreviousKey::Own(previous)) => own.into_iter().chain([previous]).collect(),
            Some(PreviousKey::BankKey) => own.into_iter().chain(bank_keys).collect(),
        }
    }
}

fn requested_pause(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, Utc::now())
}

/// The reason for a missing answer, in few words: people who list deliveries must learn nothing
/// about other servers on that host.
fn missing_answer(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be connected to"
    } else {
        "no answer"
    }
}
