//! `teller parked ...`: the parked messages of a service, by queries and commands to that service.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value};
use shared_events::parked::{EditParked, ParkedMessage};
use teller_client::{Moved, OwningService, Refusal, TellerError, input::InvalidInput};

use crate::{
    failure::Failure,
    output::{Column, Text, card, or_empty, table},
    session::{SendId, Session},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the parked messages of a service, oldest first
    List(List),
    /// Show one message with its body
    Show(Show),
    /// Send messages back to the queues that they came from, to be tried afresh for their authors
    Replay(Chosen),
    /// Drop messages for ever
    Drop(Chosen),
    /// Give a message other data and send it back; its id, type, source and author stay
    Edit(Edit),
}

#[derive(Debug, Args)]
struct Of {
    /// The service: accounts, ledger or notifications
    #[arg(long)]
    service: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The message's id, or its fingerprint (`fp-...`)
    #[arg(value_name = "MESSAGE")]
    message: String,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The messages' ids, or their fingerprints (`fp-...`); '' for messages without an id
    #[arg(value_name = "MESSAGE", required_unless_present = "all", conflicts_with = "all")]
    messages: Vec<String>,
    /// All that are there; a replay passes over messages without an author
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The message's id, or its fingerprint (`fp-...`)
    #[arg(value_name = "MESSAGE")]
    message: String,
    /// The file with the new data, a JSON object
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    id: SendId,
}

impl Of {
    fn owner(&self) -> Result<OwningService, InvalidInput> {
        OwningService::named(&self.service)
    }
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List(options) => {
                let of = options.of.owner()?;
                let found = session.bank().await?.list_parked(of).await?;
                session.out.show(&found, || list(&found))?;
                Ok(())
            }
            Self::Show(options) => {
                let of = options.of.owner()?;
                let found = session.bank().await?.parked_message(of, &options.message).await?;
                let shown = Shown { message: &found.message, body: body(&found.body) };
                session.out.show(&shown, || describe(&shown))?;
                Ok(())
            }
            Self::Replay(options) => {
                let (of, names) = (options.of.owner()?, options.names());
                let bank = session.bank().await?;
                let done = bank.replay_parked(of, session.id(&options.id), names).await?;
                report(session, "replayed", &done)
            }
            Self::Drop(options) => {
                let (of, names) = (options.of.owner()?, options.names());
                let bank = session.bank().await?;
                let done = bank.drop_parked(of, session.id(&options.id), names).await?;
                report(session, "dropped", &done)
            }
            Self::Edit(options) => {
                let of = options.of.owner()?;
                let command = EditParked { message: options.message, data: data(&options.data)? };
                let bank = session.bank().await?;
                let done = bank.edit_parked(of, session.id(&options.id), command).await?;
                let fields = [
                    ("message", name(&done.message).to_owned()),
                    ("digest before", done.digest_before.clone()),
                    ("digest after", done.digest_after.clone()),
                ];
                session.out.show(&done, || card(&fields))?;
                Ok(())
            }
        }
    }
}

impl Chosen {
    fn names(&self) -> Option<&[String]> {
        (!self.all).then_some(&self.messages)
    }
}

fn data(path: &std::path::Path) -> Result<Map<String, Value>, InvalidInput> {
    let invalid = |why: String| InvalidInput::new("data", format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))
}

/// The name of a message for people: its id, or its fingerprint without one.
fn name(message: &shared_events::parked::NamedParked) -> &str {
    if message.id.is_empty() { &message.fingerprint } else { &message.id }
}

/// Shows the handled messages, and refuses where some were not.
fn report(session: &mut Session, what: &'static str, done: &Moved) -> Result<(), Failure> {
    let names: Vec<&str> = done.messages.iter().map(name).collect();
    let refused: Vec<String> = done
        .refused
        .iter()
        .map(|refused| format!("{} ({})", name(&refused.message), refused.reason))
        .collect();
    let result = serde_json::json!({
        what: names, "refused": refused, "not_found": done.not_found,
    });
    let line = |name: &&str| Text::line(&format!("{what} {name}"));
    let lines = || names.iter().map(line).reduce(|above, below| above.then(&below));
    if session.json() || !names.is_empty() {
        session.out.show(&result, || lines().unwrap_or_default())?;
    }
    if let [_, ..] = refused.as_slice() {
        let why = format!("not replayed: {}", refused.join(", "));
        return Err(TellerError::from(Refusal::new("not_replayed", why)).into());
    }
    match done.not_found.as_slice() {
        [] => Ok(()),
        missing => {
            let why = format!("not parked here: {}", missing.join(", "));
            Err(TellerError::from(Refusal::new("not_found", why)).into())
        }
    }
}

/// A parked message as JSON: the body as it is where it is JSON itself, else as text.
#[derive(Serialize)]
struct Shown<'m> {
    #[serde(flatten)]
    message: &'m ParkedMessage,
    body: Value,
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn list(found: &[ParkedMessage]) -> Text {
    let columns = ["id", "type", "principal", "reason", "queue", "parked at", "fingerprint"];
    let row = |message: &ParkedMessage| {
        let message = message.clone();
        vec![
            message.id,
            message.kind,
            message.principal.unwrap_or_default(),
            message.reason.to_string(),
            message.queue,
            or_empty(message.at.as_ref()),
            message.fingerprint,
        ]
    };
    table(&columns.map(Column::Left), found.iter().map(row))
}

fn describe(shown: &Shown<'_>) -> Text {
    let message = shown.message;
    let fields = [
        ("id", message.id.clone()),
        ("type", message.kind.clone()),
        ("principal", or_empty(message.principal.as_ref())),
        ("reason", message.reason.to_string()),
        ("detail", message.detail.clone()),
        ("queue", message.queue.clone()),
        ("parked at", or_empty(message.at.as_ref())),
        ("parked by", message.by.clone()),
        ("fingerprint", message.fingerprint.clone()),
    ];
    let body = match &shown.body {
        Value::String(text) => Text::line(text),
        json => Text::lines(&format!("{json:#}")),
    };
    card(&fields).then(&body)
}
