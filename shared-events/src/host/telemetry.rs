//! Logs and metrics of a process.

use std::{
    error::Error,
    io::{IsTerminal, Write},
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use super::config::LogFormat;
use crate::envelope::chain;

/// What is logged when `RUST_LOG` does not say otherwise.
const FILTER: &str = "info,lapin=warn,sqlx=warn";
/// From a quick statement to a slow transaction.
const SECONDS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// From one message to a full batch.
const MESSAGES: [f64; 7] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0];

/// Starts logging to standard output and collecting metrics.
pub(super) fn start(format: LogFormat) -> Result<PrometheusHandle, BuildError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Human => {
            let colours = std::io::stdout().is_terminal();
            registry.with(fmt::layer().with_ansi(colours)).init();
        }
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true)).init(),
    }
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_messages".to_owned()), &MESSAGES)?
        .install_recorder()
}

/// Says on standard error why the process ends, for whoever started it by hand.
pub(super) fn complain(name: &str, error: &(dyn Error + 'static)) {
    // Nobody to tell if this fails.
    let _ = writeln!(std::io::stderr(), "{name}: {}", chain(error));
}
