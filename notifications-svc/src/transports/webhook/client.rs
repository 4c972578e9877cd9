//! One signed request by HTTP, as Standard Webhooks 1.0 defines it. Promise: every attempt has the
//! same `webhook-id` and body, so that a receiver can drop a duplicate; no redirect is followed; no
//! proxy is used; only the status and `Retry-After` of an answer are read and kept.

use std::time::Duration;

use chrono::Utc;
use reqwest::{
    Client, ClientBuilder,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use shared_events::envelope::chain;
use tracing::{debug, error};

use super::{
    bank_keys::BankKeys,
    response::{attempt_result, retry_after},
    signature::signature_header,
    ssrf_guard::{PublicResolver, Receiver, WebhookPolicy, check_url},
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
    /// For receivers that are not named: by TLS, at public addresses.
    public: Client,
    /// For the receivers that the bank names.
    named: Client,
    bank_keys: BankKeys,
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
        Ok(Self {
            public: builder().https_only(true).dns_resolver(PublicResolver).build()?,
            named: builder().build()?,
            bank_keys: BankKeys { current: settings.secret, before: settings.secret_before },
            policy: WebhookPolicy::new(settings.allow),
        })
    }

    async fn call(&self, delivery: &PendingDelivery) -> AttemptResult {
        let Some(url) = &delivery.recipient.webhook else {
            return AttemptResult::unsendable(
                "the holder has no webhook, wants none, or it is gone",
            );
        };
        let (client, url) = match check_url(url, &self.policy) {
            Ok(Receiver::Public(url)) => (&self.public, url),
            Ok(Receiver::Named(url)) => (&self.named, url),
            Err(forbidden) => return AttemptResult::unsendable(&forbidden.to_string()),
        };
        let (id, timestamp) = (delivery.id.to_string(), Utc::now().timestamp());
        let body = webhook_body(delivery);
        let bank_keys = match self.bank_keys.read() {
            Ok(keys) => keys,
            Err(fault) => {
                error!(error = %chain(&fault), "webhooks cannot be signed");
                return AttemptResult::unreachable("the bank cannot sign now");
            }
        };
        let keys = signing_keys(&delivery.recipient.keys, &bank_keys);
        let request = client
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
}

/// The keys that sign: the holder's key or the bank's; and the key before, where it was replaced.
fn signing_keys<'k>(keys: &'k SigningKeys, bank_keys: &'k [SigningKey]) -> Vec<&'k SigningKey> {
    let own: Vec<&SigningKey> = match &keys.own {
        Some(own) => vec![own],
        None => bank_keys.iter().collect(),
    };
    match &keys.previous {
        None => own,
        Some(PreviousKey::Own(previous)) => own.into_iter().chain([previous]).collect(),
        Some(PreviousKey::BankKey) => own.into_iter().chain(bank_keys).collect(),
    }
}

/// What both clients have in common.
fn builder() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .user_agent(USER_AGENT)
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        deliveries::AttemptOutcome,
        samples::{movement, pending_delivery},
        triggers::NotificationPayload,
    };

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    /// What a server inside the bank's network would answer.
    const SECRETS: &str = "db-password=hunter2";

    fn client(named: &str, https_port: u16) -> WebhookClient {
        let settings = serde_json::json!({ "secret": SECRET, "allow": named });
        let settings: Webhook = serde_json::from_value(settings).expect("settings");
        let client = WebhookClient::new(settings).expect("this machine has root certificates");
        let policy = WebhookPolicy { ports: vec![https_port], ..client.policy };
        WebhookClient { policy, ..client }
    }

    async fn call(client: &WebhookClient, url: String) -> AttemptResult {
        let mut delivery = pending_delivery(NotificationPayload::TransferPosted(movement()));
        delivery.recipient.webhook = Some(url);
        client.send(&delivery).await
    }

    /// Answers the next request with this, and returns the request.
    async fn answer(listener: &TcpListener, answer: String) -> String {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 64 * 1024];
        let read = connection.read(&mut request).await.expect("a request");
        connection.write_all(answer.as_bytes()).await.expect("the answer is read");
        String::from_utf8_lossy(&request[..read]).into_owned()
    }

    async fn local() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        (listener, port)
    }

    #[tokio::test]
    async fn a_name_that_resolves_into_the_own_network_gets_no_connection() {
        let (listener, port) = local().await;
        // The name is none that is refused by itself, and the port is one of HTTPS: only the
        // address is wrong, which is known when the connection is made.
        let client = client("mail:8025", port);
        let result = tokio::select! {
            result = call(&client, format!("https://localhost:{port}/hook")) => result,
            _ = listener.accept() => panic!("the own network was called"),
        };
        assert_eq!(result.error(), "cannot be connected to");
        assert_eq!(result.outcome, AttemptOutcome::Retryable);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_an_answer_is_not_kept() {
        let ((named, port), (inner, inner_port)) = (local().await, local().await);
        let client = client(&format!("127.0.0.1:{port}"), 443);
        let moved = format!(
            "HTTP/1.1 307 {SECRETS}\r\nlocation: http://127.0.0.1:{inner_port}/{SECRETS}\r\n\
             x-answer: {SECRETS}\r\ncontent-length: {}\r\n\r\n{SECRETS}",
            SECRETS.len()
        );
        let url = format!("http://127.0.0.1:{port}/hook");
        let asked = async { tokio::join!(call(&client, url), answer(&named, moved)) };
        let (result, request) = tokio::select! {
            asked = asked => asked,
            _ = inner.accept() => panic!("the redirect was followed"),
        };
        assert_eq!(result.error(), "307", "the status, and nothing of the answer");
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_user_of_a_url_that_was_stored_before_the_rule_is_not_sent() {
        let (listener, port) = local().await;
        let client = client(&format!("127.0.0.1:{port}"), 443);
        let result = tokio::select! {
            result = call(&client, format!("http://ada:hunter2@127.0.0.1:{port}/")) => result,
            _ = listener.accept() => panic!("the receiver was called"),
        };
        assert_eq!(result.outcome, AttemptOutcome::Permanent);
        assert!(result.error().contains("a user or a password"), "{}", result.error());
    }
}
