//! `teller parked ...`: the only commands that use the user `repair`.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use shared_events::{
    client::{self, ParkedMessage, ParkedQueue},
    topology::SERVICES,
};
use teller_client::{Refusal, TellerError, input::InvalidInput};

use crate::{
    failure::Failure,
    global,
    output::{Column, Text, card, table},
    session::Session,
};

const UNROUTED: &str = "unrouted";

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Passwords:
  TELLER_REPAIR_PASSWORD, or the content of the file that TELLER_REPAIR_PASSWORD_FILE names, or the
  one in the URL, or else the development password `repair-dev`")]
pub(crate) enum Command {
    /// List the parked messages of a service, oldest first
    List(List),
    /// Show one message with its body
    Show(Show),
    /// Send messages back to the queues that they came from, to be tried afresh
    Replay(Chosen),
    /// Drop messages for ever
    Drop(Chosen),
}

#[derive(Debug, Args)]
struct Of {
    /// The service: accounts, ledger or notifications; or `unrouted` for messages without a queue
    #[arg(long)]
    service: String,
    /// The broker, as the user who may handle parked messages
    #[arg(
        long,
        value_name = "URL",
        env = "TELLER_REPAIR_URL",
        hide_env_values = true,
        default_value = "amqp://repair@127.0.0.1:5672/bank"
    )]
    repair_url: String,
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
    /// All that are there
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: Of,
}

impl Of {
    fn queue(&self) -> Result<ParkedQueue, InvalidInput> {
        let amqp = global::repair(&self.repair_url)?;
        match self.service.as_str() {
            UNROUTED => Ok(ParkedQueue::unrouted(amqp)),
            service if SERVICES.contains(&service) => Ok(ParkedQueue::of_service(amqp, service)),
            _ => {
                let rule = format!("must be {} or {UNROUTED}", SERVICES.join(", "));
                Err(InvalidInput::new("service", rule))
            }
        }
    }
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List(options) => {
                let queue = options.of.queue()?;
                let found = if session.json() {
                    session.in_time(queue.list(|message| message)).await?
                } else {
                    session.in_time(queue.list(without_body)).await?
                };
                let shown: Vec<Shown> = found.iter().map(Shown::of).collect();
                session.out.show(&shown, || list(&found))?;
                Ok(())
            }
            Self::Show(options) => {
                let (queue, name) = (options.of.queue()?, options.message);
                let called = |message: ParkedMessage| message.is_called(&name).then_some(message);
                let found = session.in_time(queue.list(called)).await?;
                let wanted = found.into_iter().flatten().next();
                let message = wanted.ok_or_else(|| not_found(std::slice::from_ref(&name)))?;
                session.out.show(&Shown::of(&message), || describe(&message))?;
                Ok(())
            }
            Self::Replay(options) => {
                let (queue, chosen) = (options.of.queue()?, options.chosen());
                let done = session.in_time(queue.replay(&chosen)).await?;
                report(session, "replayed", &chosen, &done)
            }
            Self::Drop(options) => {
                let (queue, chosen) = (options.of.queue()?, options.chosen());
                let done = session.in_time(queue.drop(&chosen)).await?;
                report(session, "dropped", &chosen, &done)
            }
        }
    }
}

/// A list shows no bodies, of which there may be more than memory holds.
fn without_body(message: ParkedMessage) -> ParkedMessage {
    ParkedMessage { body: vec![], ..message }
}

impl Chosen {
    fn chosen(&self) -> client::Chosen {
        match self.all {
            true => client::Chosen::All,
            false => client::Chosen::Named(self.messages.clone()),
        }
    }
}

/// Shows the handled messages, and refuses where some were not.
fn report(
    session: &mut Session,
    what: &'static str,
    wanted: &client::Chosen,
    done: &[ParkedMessage],
) -> Result<(), Failure> {
    let names: Vec<&str> = done.iter().map(ParkedMessage::name).collect();
    let missing: Vec<String> = match wanted {
        client::Chosen::All => vec![],
        client::Chosen::Named(wanted) => {
            let is_missing = |name: &&String| !done.iter().any(|message| message.is_called(name));
            wanted.iter().filter(is_missing).cloned().collect()
        }
    };
    let result = serde_json::json!({ what: names, "not_found": missing });
    let line = |name: &&str| Text::line(&format!("{what} {name}"));
    let lines = || names.iter().map(line).reduce(|above, below| above.then(&below));
    if session.json() || !done.is_empty() {
        session.out.show(&result, || lines().unwrap_or_default())?;
    }
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(not_found(missing).into()),
    }
}

fn not_found(names: &[String]) -> TellerError {
    let message = format!("not parked here, or not from a queue: {}", names.join(", "));
    Refusal::new("not_found", message).into()
}

/// A parked message as JSON: the body as it is where it is JSON itself, else as text.
#[derive(Serialize)]
struct Shown<'m> {
    id: &'m str,
    fingerprint: &'m str,
    #[serde(rename = "type")]
    kind: &'m str,
    reason: &'m str,
    detail: &'m str,
    queue: &'m str,
    at: &'m str,
    by: &'m str,
    body: Value,
}

impl<'m> Shown<'m> {
    fn of(message: &'m ParkedMessage) -> Self {
        Self {
            id: &message.id,
            fingerprint: &message.fingerprint,
            kind: &message.kind,
            reason: &message.reason,
            detail: &message.detail,
            queue: &message.queue,
            at: &message.at,
            by: &message.by,
            body: body(message),
        }
    }
}

fn body(message: &ParkedMessage) -> Value {
    serde_json::from_slice(&message.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&message.body).into_owned().into())
}

fn list(found: &[ParkedMessage]) -> Text {
    let columns = ["id", "type", "reason", "queue", "parked at", "fingerprint"].map(Column::Left);
    let row = |message: &ParkedMessage| {
        let ParkedMessage { id, kind, reason, queue, at, fingerprint, .. } = message;
        [id, kind, reason, queue, at, fingerprint].map(String::clone).to_vec()
    };
    table(&columns, found.iter().map(row))
}

fn describe(message: &ParkedMessage) -> Text {
    let fields = [
        ("id", &message.id),
        ("type", &message.kind),
        ("reason", &message.reason),
        ("detail", &message.detail),
        ("queue", &message.queue),
        ("parked at", &message.at),
        ("parked by", &message.by),
        ("fingerprint", &message.fingerprint),
    ];
    let body = match body(message) {
        Value::String(text) => Text::line(&text),
        json => Text::lines(&format!("{json:#}")),
    };
    card(&fields.map(|(name, text)| (name, text.clone()))).then(&body)
}
