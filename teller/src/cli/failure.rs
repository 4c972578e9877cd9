//! What went wrong, as an exit code and one line.

use std::{
    io::{self, ErrorKind},
    process::ExitCode,
};

use super::output::note;
#[cfg(feature = "bench")]
use crate::bench::BenchError;
use crate::{TellerError, input::InvalidInput};
use serde_json::json;

/// The exit codes, as `--help` explains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Refused = 1,
    WrongInput = 2,
    NoAnswer = 3,
    NotVerified = 4,
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done.
    Teller(TellerError),
    /// It was done in part, and what was shown says so.
    Shown(Exit),
    /// Its result could not be written.
    Output(io::Error),
    /// It could not be measured.
    #[cfg(feature = "bench")]
    Bench(BenchError),
}

impl Failure {
    /// Says why on standard error, and gives the exit code.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let (exit, line) = match &self {
            Self::Shown(exit) => (*exit, None),
            // Whoever read our output has seen enough.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Output(error) => {
                (Exit::NoAnswer, Some(format!("error: the result cannot be written: {error}")))
            }
            Self::Teller(error) => (exit_of(error), Some(line(error, as_json))),
            #[cfg(feature = "bench")]
            Self::Bench(error) => (Exit::NoAnswer, Some(format!("error: {}", chain(error)))),
        };
        if let Some(line) = line {
            note(&line);
        }
        ExitCode::from(exit as u8)
    }
}

const fn exit_of(error: &TellerError) -> Exit {
    match error {
        TellerError::Refused(_) => Exit::Refused,
        TellerError::Input(_) => Exit::WrongInput,
        TellerError::NoAnswer(_) => Exit::NoAnswer,
    }
}

fn line(error: &TellerError, as_json: bool) -> String {
    if !as_json {
        return format!("error: {}", chain(error));
    }
    let described = match error {
        TellerError::Refused(it) => json!({
            "kind": "refused",
            "code": it.code,
            "field": it.field,
            "message": it.message,
        }),
        TellerError::Input(it) => json!({
            "kind": "wrong_input",
            "field": it.field,
            "message": it.rule,
        }),
        TellerError::NoAnswer(_) => json!({
            "kind": "no_answer",
            "message": chain(error),
        }),
    };
    json!({ "error": described }).to_string()
}

/// The error and its causes on one line, each once: some say what their cause says, too.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.ends_with(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text
}

impl From<TellerError> for Failure {
    fn from(error: TellerError) -> Self {
        Self::Teller(error)
    }
}

impl From<InvalidInput> for Failure {
    fn from(error: InvalidInput) -> Self {
        Self::Teller(error.into())
    }
}

#[cfg(feature = "bench")]
impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        Self::Bench(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
