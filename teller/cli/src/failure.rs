//! A failure as an exit code and one line.

use std::{
    io::{self, ErrorKind},
    process::ExitCode,
};

use crate::output::{Text, note, note_json, note_text};
use serde_json::{Value, json};
use teller_client::{TellerError, input::InvalidInput};

/// The exit codes, as `--help` explains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Refused = 1,
    WrongInput = 2,
    NoAnswer = 3,
    NotVerified = 4,
    NeedsApproval = 5,
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library returned an error.
    Teller(TellerError),
    /// The command succeeded in part, and its result says so.
    Shown(Exit),
    /// The result could not be written.
    Output(io::Error),
}

impl Failure {
    /// Prints the error on standard error, and returns the exit code.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let (exit, error) = match &self {
            Self::Shown(exit) => (*exit, None),
            // A reader that closed the pipe has read enough.
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
        if let Some((described, why)) = error {
            match as_json {
                true => note_json(&as_json_line(described, &why)),
                false => note(&format!("error: {why}")),
            }
        }
        ExitCode::from(exit as u8)
    }
}

/// Prints an error of the command line, which quotes the arguments, or the help that was asked for.
/// Scripts make arguments of texts of strangers.
pub(crate) fn wrong_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    note_text(&Text::lines(error.render().to_string().trim_end()));
    ExitCode::from(Exit::WrongInput as u8)
}

/// The error for programs, with the exit code.
fn described(error: &TellerError) -> (Exit, Value) {
    match error {
        TellerError::Refused(refusal) => {
            let refused = json!({
                "kind": "refused",
                "code": refusal.code,
                "field": refusal.field,
                "message": refusal.message,
            });
            (Exit::Refused, refused)
        }
        TellerError::Input(wrong) => {
            let wrong =
                json!({ "kind": "wrong_input", "field": wrong.field, "message": wrong.rule });
            (Exit::WrongInput, wrong)
        }
        TellerError::NeedsApproval(requested) => {
            let approval = &requested.approval;
            let waits = json!({
                "kind": "needs_approval",
                "command_id": approval.command_id,
                "deadline": approval.deadline,
                "message": requested.message,
            });
            (Exit::NeedsApproval, waits)
        }
        TellerError::NoAnswer(_) => (Exit::NoAnswer, json!({ "kind": "no_answer" })),
    }
}

/// An error for programs, with the whole reason where it has no message of its own.
fn as_json_line(mut described: Value, why: &str) -> Value {
    if described.get("message").is_none() {
        described["message"] = why.into();
    }
    json!({ "error": described })
}

/// The error and its causes on one line, each once: some repeat their cause.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
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
