//! What went wrong, as an exit code and one line.

use std::{
    io::{self, ErrorKind},
    process::ExitCode,
};

use crate::output::note;
use serde_json::{Value, json};
use teller_client::{TellerError, input::InvalidInput};

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
}

impl Failure {
    /// Says why on standard error, and gives the exit code.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let (exit, told) = match &self {
            Self::Shown(exit) => (*exit, None),
            // Whoever read our output has seen enough.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Output(error) => {
                let why = format!("the result cannot be written: {error}");
                (Exit::NoAnswer, Some((json!({ "kind": "not_written" }), why)))
            }
            Self::Teller(error) => {
                let (exit, described) = described(error);
                (exit, Some((described, chain(error))))
            }
        };
        if let Some((described, why)) = told {
            note(&if as_json { as_line(described, &why) } else { format!("error: {why}") });
        }
        ExitCode::from(exit as u8)
    }
}

/// What a program is told of an error, with the exit code.
fn described(error: &TellerError) -> (Exit, Value) {
    match error {
        TellerError::Refused(it) => {
            let refused = json!({
                "kind": "refused",
                "code": it.code,
                "field": it.field,
                "message": it.message,
            });
            (Exit::Refused, refused)
        }
        TellerError::Input(it) => {
            let wrong = json!({ "kind": "wrong_input", "field": it.field, "message": it.rule });
            (Exit::WrongInput, wrong)
        }
        TellerError::NoAnswer(_) => (Exit::NoAnswer, json!({ "kind": "no_answer" })),
    }
}

/// A JSON line, with the whole reason where the error has no message of its own.
fn as_line(mut described: Value, why: &str) -> String {
    if described.get("message").is_none() {
        described["message"] = why.into();
    }
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

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
