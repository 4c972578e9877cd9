//! A receiver of webhooks that checks what it is sent as Standard Webhooks 1.0 says. Promise: the
//! check is written from the specification, shares nothing with the service that signs, and agrees
//! with the reference implementation.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use harness::{Bank, PATIENCE, wait_value};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinSet};

/// How old a request may be (the specification's advice).
const TOLERANCE_SECONDS: i64 = 300;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct WebhookCall {
    headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

impl WebhookCall {
    pub(crate) fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).with_context(|| format!("no header {name}"))?;
        Ok(value.to_str()?)
    }

    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// Fails unless it was signed with `secret` (`whsec_...`), for this body, just now.
    pub(crate) fn verify(&self, secret: &str) -> Result<()> {
        let judged = standardwebhooks::Webhook::new(secret)?;
        let judged = judged.verify(self.body.as_bytes(), &self.headers);
        let own = self.verify_by_specification(secret);
        ensure!(own.is_ok() == judged.is_ok(), "{own:?}, but the library says {judged:?}");
        own
    }

    fn verify_by_specification(&self, secret: &str) -> Result<()> {
        let (id, timestamp) = (self.header("webhook-id")?, self.header("webhook-timestamp")?);
        let age = chrono::Utc::now().timestamp() - timestamp.parse::<i64>()?;
        ensure!(age.abs() <= TOLERANCE_SECONDS, "the request is {age} s old");
        let key = secret.strip_prefix("whsec_").context("a secret starts with whsec_")?;
        let key = BASE64_STANDARD.decode(key)?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key)?;
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let signatures = self.header("webhook-signature")?;
        let mut of_version_1 =
            signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        let right = |text: &str| {
            BASE64_STANDARD.decode(text).is_ok_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
        };
        ensure!(of_version_1.any(right), "{signatures} is not the signature of {id}");
        Ok(())
    }
}

#[derive(Default)]
struct Received {
    calls: Vec<WebhookCall>,
    answers: VecDeque<StatusCode>,
    /// Said with every refusal.
    retry_after: Option<&'static str>,
    /// Where every answer sends the caller.
    location: Option<HeaderValue>,
}

type Shared = Arc<Mutex<Received>>;

/// Listens on a free port of this machine as long as it lives.
pub(crate) struct WebhookReceiver {
    address: SocketAddr,
    received: Shared,
    _serving: JoinSet<()>,
}

impl WebhookReceiver {
    /// Answers the first calls with these statuses, and all others with 204. The bank names it.
    pub(crate) async fn open(bank: &Bank, answers: &[u16]) -> Result<Self> {
        let receiver = Self::unnamed(answers).await?;
        bank.name_receiver(&receiver.address.to_string());
        Ok(receiver)
    }

    /// A receiver that the bank does not name.
    pub(crate) async fn unnamed(answers: &[u16]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let answers =
            answers.iter().map(|answer| StatusCode::from_u16(*answer)).collect::<Result<_, _>>()?;
        let received = Arc::new(Mutex::new(Received { answers, ..Received::default() }));
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&received));
        let mut serving = JoinSet::new();
        serving.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, received, _serving: serving })
    }

    /// Says `Retry-After` with every refusal.
    pub(crate) async fn asking_for_pauses(
        bank: &Bank,
        answers: &[u16],
        retry_after: &'static str,
    ) -> Result<Self> {
        let receiver = Self::open(bank, answers).await?;
        let mut received = receiver.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.retry_after = Some(retry_after);
        drop(received);
        Ok(receiver)
    }

    /// Sends every call to another URL, so many times.
    pub(crate) async fn redirecting(bank: &Bank, to: &str, times: usize) -> Result<Self> {
        let receiver = Self::open(bank, &vec![307; times]).await?;
        let mut received = receiver.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.location = Some(to.parse()?);
        drop(received);
        Ok(receiver)
    }

    /// For a holder's `webhook`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The same under another name of this machine.
    pub(crate) fn url_of(&self, host: &str) -> String {
        format!("http://{host}:{}/hook", self.address.port())
    }

    /// Every call that came.
    pub(crate) fn calls(&self) -> Vec<WebhookCall> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// Waits until so many came.
    pub(crate) async fn wait(&self, count: usize) -> Result<Vec<WebhookCall>> {
        wait_value(&format!("{count} webhook calls"), PATIENCE, async || {
            let calls = self.calls();
            Ok((calls.len() >= count).then_some(calls))
        })
        .await
    }
}

/// The text of a server inside the network of the bank.
pub(crate) const SECRETS: &str = "db-password=hunter2";

async fn take(State(received): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
    let body = String::from_utf8_lossy(&body).into_owned();
    received.calls.push(WebhookCall { headers, body, at: Instant::now() });
    let location = received.location.clone();
    let mut answer = match (received.answers.pop_front(), received.retry_after) {
        (None, _) => StatusCode::NO_CONTENT.into_response(),
        (Some(status), None) => (status, SECRETS).into_response(),
        (Some(status), Some(pause)) => (status, [(RETRY_AFTER, pause)], SECRETS).into_response(),
    };
    answer.headers_mut().extend(location.map(|url| (LOCATION, url)));
    answer
}

/// Takes every connection and never says a word.
pub(crate) struct SilentReceiver {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl SilentReceiver {
    pub(crate) async fn open(bank: &Bank) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.push(connection);
            }
        });
        let silent = Self { address, _serving: serving };
        bank.name_receiver(&silent.host());
        Ok(silent)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.host())
    }

    /// Another name of this machine, so that it is another host than that of [`WebhookReceiver`].
    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }
}
