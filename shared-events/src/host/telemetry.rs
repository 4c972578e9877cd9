//! Logs and metrics of a process. Promise: foreign text in a log line steers no terminal and begins
//! no line of its own.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use super::config::LogFormat;
use crate::{
    envelope::chain,
    text::{visible_json, visible_lines},
};

/// The filter of log lines, unless `RUST_LOG` is set.
const FILTER: &str = "info,lapin=warn,sqlx=warn";
/// The first character of a colour code.
const ESCAPE: &str = "\u{1b}";
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
            let colours = io::stdout().is_terminal();
            let writer = move || VisibleWriter { out: io::stdout(), colours, json: false };
            registry.with(fmt::layer().with_ansi(colours).with_writer(writer)).init();
        }
        LogFormat::Json => {
            let writer = || VisibleWriter { out: io::stdout(), colours: false, json: true };
            registry.with(fmt::layer().json().flatten_event(true).with_writer(writer)).init();
        }
    }
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_messages".to_owned()), &MESSAGES)?
        .install_recorder()
}

/// Writes log lines with control characters replaced.
struct VisibleWriter<W> {
    out: W,
    /// Whether the formatter writes colours. A field's own escape characters never reach the
    /// output.
    colours: bool,
    json: bool,
}

impl<W: Write> Write for VisibleWriter<W> {
    /// Writes a whole line: the formatter writes each event at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let visible = match (self.json, self.colours) {
            (true, _) => visible_json(&text).into_owned(),
            (false, false) => visible_lines(&text).into_owned(),
            (false, true) => text.split(ESCAPE).map(visible_lines).collect::<Vec<_>>().join(ESCAPE),
        };
        self.out.write_all(visible.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the reason of the process's end to standard error, for a person at a terminal.
pub(super) fn report(name: &str, error: &(dyn Error + 'static)) {
    // A failure has no other place to be reported.
    let _ = writeln!(io::stderr(), "{name}: {}", chain(error));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(colours: bool, json: bool, line: &str) -> String {
        let mut visible = VisibleWriter { out: Vec::new(), colours, json };
        visible.write_all(line.as_bytes()).expect("memory takes all");
        String::from_utf8(visible.out).expect("a log line is text")
    }

    #[test]
    fn foreign_text_steers_no_log() {
        let line = "\u{1b}[32m INFO\u{1b}[0m why=a\u{9b}2J\u{2028}b\u{202e}\n";
        let seen = "\u{1b}[32m INFO\u{1b}[0m why=a\u{fffd}2J b\u{fffd}\n";
        assert_eq!(written(true, false, line), seen);
        assert_eq!(written(false, false, line), seen.replace('\u{1b}', "\u{fffd}"));
        assert_eq!(written(false, true, "{\"why\":\"\u{202e}\"}\n"), "{\"why\":\"\\u202e\"}\n");
    }
}
