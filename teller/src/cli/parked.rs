//! `teller parked ...`: the only commands that use the user `repair`.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use shared_events::{
    bus::{ParkedMessage, ParkedQueue},
    topology::SERVICES,
};

use super::{
    failure::Failure,
    global,
    output::{Column, card, table},
    session::Session,
};
use crate::{Refusal, TellerError, input::InvalidInput};

const UNROUTED: &str = "unrouted";

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Passwords:
  TELLER_REPAIR_PASSWORD, or the content of the file that TELLER_REPAIR_PASSWORD_FILE names, or the
  one in the URL, or else the development password `repair-dev`")]
pub(crate) enum Command {
    /// List what a service has given up, oldest first, at most 1,000
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
    /// The service: accounts, ledger or notifications; or `unrouted` for what no queue asked for
    #[arg(long)]
    service: String,
    /// Where the broker is, as the user who may touch what is parked
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
    /// The message's id
    message_id: String,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The messages' ids; '' for those that have none
    #[arg(value_name = "MESSAGE_ID", required_unless_present = "all", conflicts_with = "all")]
    message_ids: Vec<String>,
    /// All that are listed
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
            Self::List(it) => {
                let found = all(&it.of.queue()?).await?;
                let shown: Vec<Shown> = found.iter().map(Shown::of).collect();
                session.out.show(&shown, || list(&found))?;
                Ok(())
            }
            Self::Show(it) => {
                let found = all(&it.of.queue()?).await?;
                let wanted = found.iter().find(|message| message.id == it.message_id);
                let message = wanted.ok_or_else(|| not_found(&[it.message_id]))?;
                session.out.show(&Shown::of(message), || describe(message))?;
                Ok(())
            }
            Self::Replay(it) => {
                let queue = it.of.queue()?;
                let ids = it.ids(&queue).await?;
                let done = queue.replay(&ids).await.map_err(TellerError::from)?;
                told(session, "replayed", &ids, &done)
            }
            Self::Drop(it) => {
                let queue = it.of.queue()?;
                let ids = it.ids(&queue).await?;
                let done = queue.drop(&ids).await.map_err(TellerError::from)?;
                told(session, "dropped", &ids, &done)
            }
        }
    }
}

async fn all(queue: &ParkedQueue) -> Result<Vec<ParkedMessage>, TellerError> {
    Ok(queue.list().await?)
}

impl Chosen {
    async fn ids(&self, queue: &ParkedQueue) -> Result<Vec<String>, TellerError> {
        match self.all {
            true => Ok(all(queue).await?.into_iter().map(|message| message.id).collect()),
            false => Ok(self.message_ids.clone()),
        }
    }
}

/// Says what was done, and refuses where something was not.
fn told(
    session: &mut Session,
    what: &'static str,
    wanted: &[String],
    done: &[String],
) -> Result<(), Failure> {
    let missing: Vec<String> = wanted.iter().filter(|id| !done.contains(id)).cloned().collect();
    let result = serde_json::json!({ what: done, "not_found": missing });
    let lines = || done.iter().map(|id| format!("{what} {id}")).collect::<Vec<_>>().join("\n");
    if session.json() || !done.is_empty() {
        session.out.show(&result, lines)?;
    }
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(not_found(missing).into()),
    }
}

fn not_found(ids: &[String]) -> TellerError {
    let message = format!("not parked here, or not from a queue: {}", ids.join(", "));
    Refusal::new("not_found", message).into()
}

/// A parked message as JSON: the body as it is where it is JSON itself, else as text.
#[derive(Serialize)]
struct Shown<'m> {
    id: &'m str,
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

fn list(found: &[ParkedMessage]) -> String {
    let columns = ["id", "type", "reason", "queue", "parked at"].map(Column::Left);
    let row = |message: &ParkedMessage| {
        let fields = [&message.id, &message.kind, &message.reason, &message.queue, &message.at];
        fields.map(Clone::clone).to_vec()
    };
    table(&columns, found.iter().map(row))
}

fn describe(message: &ParkedMessage) -> String {
    let fields = card(&[
        ("id", message.id.clone()),
        ("type", message.kind.clone()),
        ("reason", message.reason.clone()),
        ("detail", message.detail.clone()),
        ("queue", message.queue.clone()),
        ("parked at", message.at.clone()),
        ("parked by", message.by.clone()),
    ]);
    match body(message) {
        Value::String(text) => format!("{fields}\n{text}"),
        json => format!("{fields}\n{json:#}"),
    }
}
