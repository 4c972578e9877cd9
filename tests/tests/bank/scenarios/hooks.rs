//! A receiver of webhooks that checks what it is sent as Standard Webhooks 1.0 says. Promise: the
//! check is written from the specification, and shares nothing with the service that signs.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration_tests::{PATIENCE, wait_value};
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinSet};

/// How old a request may be (the specification's advice).
const TOLERANCE_SECONDS: i64 = 300;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).with_context(|| format!("no header {name}"))?;
        Ok(value.to_str()?)
    }

    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// Fails unless it was signed with `secret` (`whsec_...`), for this body, just now.
    pub(crate) fn verify(&self, secret: &str) -> Result<()> {
        let (id, timestamp) = (self.header("webhook-id")?, self.header("webhook-timestamp")?);
        let age = chrono::Utc::now().timestamp() - timestamp.parse::<i64>()?;
        ensure!(age.abs() <= TOLERANCE_SECONDS, "it is {age} s old");
        let key = secret.strip_prefix("whsec_").context("a secret starts with whsec_")?;
        let key = BASE64_STANDARD.decode(key)?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key)?;
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let signatures = self.header("webhook-signature")?;
        let mut of_version_1 = signatures.split(' ').filter_map(|it| it.strip_prefix("v1,"));
        let right = |it: &str| {
            BASE64_STANDARD.decode(it).is_ok_and(|it| mac.clone().verify_slice(&it).is_ok())
        };
        ensure!(of_version_1.any(right), "{signatures} is not the signature of {id}");
        Ok(())
    }
}

#[derive(Default)]
struct Kept {
    calls: Vec<Call>,
    answers: VecDeque<StatusCode>,
}

type Shared = Arc<Mutex<Kept>>;

/// Listens on a free port of this machine as long as it lives.
pub(crate) struct Hooks {
    address: SocketAddr,
    kept: Shared,
    _serving: JoinSet<()>,
}

impl Hooks {
    /// Answers the first calls with these statuses, and all others with 204.
    pub(crate) async fn open(answers: &[u16]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let answers =
            answers.iter().map(|it| StatusCode::from_u16(*it)).collect::<Result<_, _>>()?;
        let kept = Arc::new(Mutex::new(Kept { calls: vec![], answers }));
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&kept));
        let mut serving = JoinSet::new();
        serving.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, kept, _serving: serving })
    }

    /// For a holder's `webhook`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Every call that came.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// Waits until so many came.
    pub(crate) async fn wait(&self, count: usize) -> Result<Vec<Call>> {
        wait_value(&format!("{count} webhook calls"), PATIENCE, async || {
            let calls = self.calls();
            Ok((calls.len() >= count).then_some(calls))
        })
        .await
    }
}

async fn take(State(kept): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.calls.push(Call { headers, body: String::from_utf8_lossy(&body).into_owned() });
    kept.answers.pop_front().unwrap_or(StatusCode::NO_CONTENT)
}
