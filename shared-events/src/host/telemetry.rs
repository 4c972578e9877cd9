//! Logs and metrics of a process. Promise: foreign text in a log line steers no terminal and begins
//! no line of its own.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    error::Error,
    fmt::Debug,
    io::{self, IsTerminal, Write},
    panic,
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::field::Field;
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    fmt::{
        self,
        format::{Writer, debug_fn},
    },
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::config::LogFormat;
use crate::{
    envelope::chain,
    text::{visible, visible_json},
};

/// The filter of log lines, unless `RUST_LOG` is set.
const FILTER: &str = "info,lapin=warn,sqlx=warn";
/// The first character of a colour code.
const ESCAPE: &str = "\u{1b}";
/// Names of fields look as the formatter's own do.
const ITALIC: &str = "\u{1b}[3m";
const DIMMED: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";
/// From a quick statement to a slow transaction.
const SECONDS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// From one message to a full batch.
const MESSAGES: [f64; 7] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0];

/// Starts logging to standard output and collecting metrics.
pub(super) fn start(format: LogFormat) -> Result<PrometheusHandle, BuildError> {
    keep_panics_visible();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Human => {
            let colours = io::stdout().is_terminal();
            let writer = move || VisibleWriter { out: io::stdout(), colours, json: false };
            let fields = debug_fn(put_field).delimited(" ");
            let layer = fmt::layer().fmt_fields(fields).with_ansi(colours).with_writer(writer);
            registry.with(layer).init();
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

/// Writes one field of a line for people. Foreign text loses its control characters here already:
/// behind the formatter they cannot be told from colours.
fn put_field(line: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let text = format!("{value:?}");
    let text = visible(&text);
    match (field.name(), line.has_ansi_escapes()) {
        ("message", _) => line.write_str(&text),
        // What the bridge from `log` adds stands in the line's beginning.
        (name, _) if name.starts_with("log.") => Ok(()),
        (name, true) => write!(line, "{ITALIC}{name}{PLAIN}{DIMMED}={PLAIN}{text}"),
        (name, false) => write!(line, "{name}={text}"),
    }
}

/// Writes log lines with control characters replaced.
struct VisibleWriter<W> {
    out: W,
    /// Whether the formatter writes colours, which are the only escape characters of a line.
    colours: bool,
    json: bool,
}

impl<W: Write> Write for VisibleWriter<W> {
    /// Writes a whole line: the formatter writes each event at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        // The formatter's own line feed is the last character; every other one is a field's.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut seen = match (self.json, self.colours) {
            (true, _) => visible_json(text).into_owned(),
            (false, false) => visible(text).into_owned(),
            (false, true) => text.split(ESCAPE).map(visible).collect::<Vec<_>>().join(ESCAPE),
        };
        seen.push('\n');
        self.out.write_all(seen.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the reason of the process's end to standard error, for a person at a terminal.
pub(super) fn report(name: &str, error: &(dyn Error + 'static)) {
    // A failure has no other place to be reported.
    complain(&format!("{name}: {}", chain(error)));
}

/// Writes panics as lines of standard error: a panic may quote what it panicked over.
fn keep_panics_visible() {
    panic::set_hook(Box::new(|panic| {
        complain(&panic.to_string());
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(io::stderr(), "{trace}");
        }
    }));
}

/// Writes one line to standard error.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::Layer;

    use super::*;
    use crate::text::first_hidden;

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

    #[test]
    fn foreign_text_begins_no_line_of_a_log() {
        for end in ["\n", "\r\n", "\r", "\u{85}", "\u{2028}"] {
            let line = format!("INFO why=a{end}1999-01-01 INFO all is well\n");
            for colours in [false, true] {
                let log = written(colours, false, &line);
                assert!(log.starts_with("INFO why=a ") && log.ends_with("is well\n"), "{log:?}");
                assert_eq!(log.matches(['\n', '\r', '\u{85}', '\u{2028}']).count(), 1, "{log:?}");
            }
        }
    }

    /// Collects what the real formatter writes.
    #[derive(Clone, Default)]
    struct Collected(Arc<Mutex<Vec<u8>>>);

    impl Write for Collected {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics here").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_field_of_any_kind_is_one_line_that_steers_nothing() {
        const EVIL: &str = "a\u{1b}[2J\u{9b}31m\u{7}\n1999 INFO forged\u{2028}x\u{202e}y\u{2069}";
        for (colours, json) in [(false, false), (true, false), (false, true)] {
            let out = Collected::default();
            let writer = {
                let out = out.clone();
                move || VisibleWriter { out: out.clone(), colours, json }
            };
            let layer = match json {
                true => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
                false => {
                    let fields = debug_fn(put_field).delimited(" ");
                    let layer = fmt::layer().fmt_fields(fields).with_ansi(colours);
                    layer.with_writer(writer).boxed()
                }
            };
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
                tracing::info!(text = EVIL, shown = %EVIL, debugged = ?EVIL, "{EVIL}");
            });
            let log = out.0.lock().expect("no test panics here").clone();
            let log = String::from_utf8(log).expect("a log is text");
            assert!(log.contains("forged") && log.lines().count() == 1, "{log:?}");
            // The formatter's own colours are the only escape sequences.
            let uncoloured = log.split("\u{1b}[").map(|part| match part.split_once('m') {
                Some((code, rest)) if code.bytes().all(|b| b.is_ascii_digit()) => rest,
                _ => part,
            });
            let uncoloured: String = uncoloured.collect();
            assert!(!colours || log.contains("\u{1b}[32m"), "there are colours: {log:?}");
            let first = first_hidden(uncoloured.trim_end_matches('\n'));
            assert_eq!(first, None, "{uncoloured:?}");
            assert!(!log.contains("\u{1b}[2J"), "{log:?}");
        }
    }
}
