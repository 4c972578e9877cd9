//! `teller client ...`: the clients of the bank, in the file of principals and on the running
//! broker. Promise: each command can be repeated, and then completes what an earlier run left
//! undone; the file is written first, so that it never has less than the broker.

mod file;
mod management;
mod state;

use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    documents::definitions_for,
    topology::{ClientPrincipal, InvalidPrincipals, Principals, guard_limits},
};
use teller_client::{TellerError, input::InvalidInput};

use crate::{
    failure::Failure,
    output::{Column, Text, card, table},
    session::Session,
};
use file::{PasswordOutput, PrincipalsFile};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Password of the broker's administrator:
  TELLER_MANAGEMENT_PASSWORD, or the content of the file that
  TELLER_MANAGEMENT_PASSWORD_FILE names")]
pub(crate) enum Command {
    /// Add a client, or change its roles and limits, without a restart of the broker
    Add(Add),
    /// List the clients, and what differs between the file of principals and the broker
    List(Where),
    /// Give a client a new password; its open connections stay until --close
    Rotate(Rotate),
    /// Remove a client with its connections and queues
    Remove(Named),
    /// Print the broker's definitions for the file of principals
    Definitions(PrincipalsFile),
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    #[command(flatten)]
    file: PrincipalsFile,
    #[command(flatten)]
    management: management::Options,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The client's name
    name: String,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    /// A role: customer_channel, clerk, supervisor, treasury, auditor, operator or
    /// witness; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The most connections at a time
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<u32>,
    /// The most channels at a time
    #[arg(long, value_name = "COUNT")]
    max_channels: Option<u32>,
    /// The most queues
    #[arg(long, value_name = "COUNT")]
    max_queues: Option<u32>,
    /// The most KiB a second that it sends
    #[arg(long, value_name = "COUNT")]
    max_kib_per_second: Option<u32>,
    #[command(flatten)]
    password: PasswordOutput,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    named: Named,
    /// Close the connections that were opened with the old password
    #[arg(long)]
    close: bool,
    #[command(flatten)]
    password: PasswordOutput,
}

/// What a command did to a client.
#[derive(Serialize)]
struct Done {
    name: String,
    done: &'static str,
    roles: Vec<String>,
    connections_closed: usize,
    queues_deleted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let done = match self {
            Self::Add(add) => add.run().await?,
            Self::Rotate(rotate) => rotate.run().await?,
            Self::Remove(named) => remove(named).await?,
            Self::List(at) => return list(at, session).await,
            Self::Definitions(file) => {
                let definitions = definitions_for(&file.read()?);
                session.out.text(&Text::lines(definitions.trim_end()))?;
                return Ok(());
            }
        };
        session.out.show(&done, || done.card())?;
        Ok(())
    }
}

impl Add {
    async fn run(self) -> Result<Done, TellerError> {
        let Named { name, at } = self.named;
        let mut principals = at.file.read()?;
        let before = principals.find(&name).cloned();
        let mut client = before.clone().unwrap_or_else(|| ClientPrincipal::new(&name, vec![]));
        if !self.roles.is_empty() {
            client.roles = self.roles;
        }
        client.max_connections = self.max_connections.unwrap_or(client.max_connections);
        client.max_channels = self.max_channels.unwrap_or(client.max_channels);
        client.max_queues = self.max_queues.unwrap_or(client.max_queues);
        let rate = self.max_kib_per_second.unwrap_or(client.max_kib_per_second);
        client.max_kib_per_second = rate;
        check(&client, &principals)?;
        let broker = at.management.connect()?;
        let found = broker.get(&["users", &name]).await?;
        let mut shown = None;
        if client.password_hash.is_none() {
            // A password that the broker knows stays: somebody uses it.
            client.password_hash = match found["password_hash"].as_str() {
                Some(hash) => Some(hash.to_owned()),
                None => {
                    let new = self.password.make()?;
                    shown = new.shown;
                    Some(new.hash)
                }
            };
        }
        put(&mut principals, &client);
        at.file.write(&principals)?;
        let differences = state::differences(&client, &state::Found::read(&broker).await?);
        broker.put_client(&client).await?;
        // An open channel remembers the rights that were checked on it.
        let connections_closed = match state::has_other_rights(&differences) {
            true => broker.close_connections(&name).await?,
            false => 0,
        };
        let done = match (before, differences.as_slice()) {
            (None, _) => "added",
            (Some(before), []) if before == client => "unchanged",
            (Some(_), _) => "changed",
        };
        let roles = client.roles;
        Ok(Done { name, done, roles, connections_closed, queues_deleted: 0, password: shown })
    }
}

impl Rotate {
    async fn run(self) -> Result<Done, TellerError> {
        let Named { name, at } = self.named;
        let mut principals = at.file.read()?;
        let mut client = known(&principals, &name)?;
        let broker = at.management.connect()?;
        // Learn that the broker cannot be used before there is a new password.
        broker.get(&["users", &name]).await?;
        let new = self.password.make()?;
        client.password_hash = Some(new.hash);
        put(&mut principals, &client);
        at.file.write(&principals)?;
        // The rights stay: `add` changes them, and ends the connections with the old ones.
        broker.put_login(&client).await?;
        let connections_closed = match self.close {
            true => broker.close_connections(&name).await?,
            false => 0,
        };
        let (done, roles) = ("rotated", client.roles);
        Ok(Done { name, done, roles, connections_closed, queues_deleted: 0, password: new.shown })
    }
}

async fn remove(Named { name, at }: Named) -> Result<Done, TellerError> {
    let mut principals = at.file.read()?;
    let client = principals.find(&name).cloned();
    // No other user is removed by this command: a service's, an administrator's.
    let client = client.unwrap_or_else(|| ClientPrincipal::new(&name, vec!["auditor".to_owned()]));
    check(&client, &principals)?;
    let broker = at.management.connect()?;
    principals.clients.retain(|other| other.name != name);
    at.file.write(&principals)?;
    // First the user, so that no connection comes back.
    let was_user = broker.delete(&["users", &name]).await?;
    let connections_closed = broker.close_connections(&name).await?;
    let prefix = client.queue_prefix();
    let mut queues_deleted = 0;
    for queue in broker.queues().await?.iter().filter(|queue| queue.starts_with(&prefix)) {
        if broker.delete(&["queues", &broker.vhost, queue]).await? {
            queues_deleted += 1;
        }
    }
    for limit in guard_limits(&client) {
        let parameter = limit["name"].as_str().unwrap_or_default();
        broker.delete(&["global-parameters", parameter]).await?;
    }
    let done = if was_user { "removed" } else { "not there" };
    Ok(Done { name, done, roles: vec![], connections_closed, queues_deleted, password: None })
}

async fn list(at: Where, session: &mut Session) -> Result<(), Failure> {
    let principals = at.file.read()?;
    let broker = at.management.connect()?;
    let state = state::compare(&principals, &state::Found::read(&broker).await?);
    session.out.show(&state, || {
        let columns = [
            Column::Left("client"),
            Column::Left("roles"),
            Column::Right("connections"),
            Column::Right("queues"),
            Column::Left("differences"),
        ];
        let row = |client: &state::ClientState| {
            let of = |count: usize, max: u32| format!("{count} of {max}");
            vec![
                client.name.clone(),
                client.roles.join(", "),
                of(client.connections, client.max_connections),
                of(client.queues, client.max_queues),
                client.differences.join("; "),
            ]
        };
        let clients = table(&columns, state.clients.iter().map(row));
        let strange = state.not_in_the_file.iter().map(|strange| Text::line(strange));
        strange.fold(clients, |above, below| above.then(&below))
    })?;
    Ok(())
}

/// Adds or replaces a client.
fn put(principals: &mut Principals, client: &ClientPrincipal) {
    match principals.clients.iter_mut().find(|other| other.name == client.name) {
        Some(found) => found.clone_from(client),
        None => principals.clients.push(client.clone()),
    }
}

fn known(principals: &Principals, name: &str) -> Result<ClientPrincipal, InvalidInput> {
    let found = principals.find(name).cloned();
    found.ok_or_else(|| InvalidInput::new("name", format!("{name:?} is not in the file")))
}

fn check(client: &ClientPrincipal, principals: &Principals) -> Result<(), InvalidInput> {
    if principals.monitoring.contains(&client.name) {
        return Err(InvalidInput::new("name", "is the name of a user who watches the broker"));
    }
    client.check().map_err(|InvalidPrincipals { field, rule }| {
        let option = if field == "roles" { "role".to_owned() } else { field.replace('_', "-") };
        InvalidInput::new(option, rule)
    })
}

impl Done {
    fn card(&self) -> Text {
        let count = |count: usize| if count == 0 { String::new() } else { count.to_string() };
        card(&[
            ("client", self.name.clone()),
            ("", self.done.to_owned()),
            ("roles", self.roles.join(", ")),
            ("connections closed", count(self.connections_closed)),
            ("queues deleted", count(self.queues_deleted)),
            ("password", self.password.clone().unwrap_or_default()),
        ])
    }
}
