//! Probes over HTTP, for operators and orchestrators. Promise: a probe answers at once, from
//! memory.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tracing::error;

use crate::{amqp::Health, text::visible_json};

/// A process that takes longer to answer a probe is not healthy.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

const JSON: &str = "application/json";

/// Serves `/healthz` (the process lives), `/readyz` (the faults of all parts) and `/metrics`.
/// Returns the address of the listener.
pub(super) async fn start(
    listen: SocketAddr,
    health: Health,
    metrics: PrometheusHandle,
) -> std::io::Result<SocketAddr> {
    let ready = move || {
        let code = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        std::future::ready((code, [(CONTENT_TYPE, JSON)], report(&health)).into_response())
    };
    let routes = Router::new()
        .route("/healthz", get(|| std::future::ready("ok")))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || std::future::ready(metrics.render())));
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            error!(%error, "probes are not served any more");
        }
    });
    Ok(address)
}

/// The health as JSON. Its reasons may quote a stranger, and a person asks with `curl`.
fn report(health: &Health) -> String {
    let json = serde_json::to_string(&health.report()).expect("a report is plain JSON");
    visible_json(&json).into_owned()
}

/// Checks that the process at this address is ready.
pub(super) fn check(listen: SocketAddr) -> ExitCode {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    match ask_ready(address) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn ask_ready(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, PROBE_TIMEOUT)?;
    stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_whitespace().nth(1) == Some("200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_quotes_a_stranger_steers_no_terminal() {
        let health = Health::default();
        health.bad("relay", "no such key: \u{202e}\u{9b}2J\u{2028}x".to_owned());
        let json = report(&health);
        assert!(json.contains(r"no such key: \u202e\u009b2J\u2028x"), "{json}");
    }
}
