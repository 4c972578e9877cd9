//! Standard output and standard error of the benchmark. Promise: the report alone goes to standard
//! output; progress and errors go to standard error.

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::json;
use shared_events::{
    envelope::chain,
    text::{visible, visible_json, visible_lines},
};

use crate::{fault::BenchError, report::Report};

const EXIT_WRONG_OPTIONS: u8 = 2;
const EXIT_NOT_MEASURED: u8 = 3;

/// Prints the report: JSON for programs, a table for people.
pub(crate) fn show(as_json: bool, report: &Report) -> Result<(), BenchError> {
    let text = match as_json {
        true => serde_json::to_string(report).expect("a report is plain JSON"),
        false => table(report.rows()),
    };
    let shown = if as_json { visible_json(&text) } else { visible_lines(&text) };
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{shown}").and_then(|()| stdout.flush());
    match written {
        // A reader that closed the pipe has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(BenchError::system("write the report")),
    }
}

/// Prints a line of progress. It is lost where standard error is closed.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

/// The figures: name, value, unit.
fn table(rows: Vec<[String; 3]>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["figure", "value", "unit"]);
    if let Some(values) = table.column_mut(1) {
        values.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

impl BenchError {
    /// Prints the error on one line of standard error, and returns the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        let why = chain(self).to_string();
        let (code, error) = match self {
            Self::Setting { field, rule } => {
                let error = json!({ "kind": "wrong_input", "field": field, "message": rule });
                (EXIT_WRONG_OPTIONS, error)
            }
            Self::Broker(_)
            | Self::Connection(_)
            | Self::Database(_)
            | Self::System { .. }
            | Self::Command { .. }
            | Self::Wrong(_) => {
                (EXIT_NOT_MEASURED, json!({ "kind": "not_measured", "message": why }))
            }
        };
        match as_json {
            true => {
                let line = json!({ "error": error }).to_string();
                let _ = writeln!(io::stderr(), "{}", visible_json(&line));
            }
            false => note(&format!("error: {why}")),
        }
        ExitCode::from(code)
    }
}
