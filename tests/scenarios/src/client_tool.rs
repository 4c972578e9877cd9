//! `teller client` on a running broker, and new definitions on a broker with older ones. Promise: a
//! client is added, changed, given a new password and removed without a restart; a repeated command
//! completes the last one.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Fact, PATIENCE,
    broker::{CLIENT, TESTER},
    facts, wait_for,
};
use lapin::{
    BasicProperties, Connection, ConnectionProperties, options::ConfirmSelectOptions,
    types::FieldTable,
};
use reqwest::Method;
use serde_json::{Value, json};
use shared_events::topology::{COMMANDS, EVENTS, REPLIES, VIRTUAL_HOST};

use crate::{
    cli_runner::{CliOutput, TellerCli, wait_output},
    rights::acts::publish,
};

pub(crate) fn facts() -> Vec<Fact> {
    let mut facts = facts![
        a_client_is_added_changed_rotated_and_removed,
        a_role_that_is_taken_away_ends_on_open_channels,
        wrong_input_names_the_field_and_changes_nothing,
        what_nobody_should_have_made_is_listed,
    ];
    facts.extend(
        facts![a_broker_with_older_definitions_gets_the_new_ones]
            .into_iter()
            .map(Fact::with_own_broker),
    );
    facts
}

/// `teller client` with a file of principals of its own.
struct Clients {
    bank: Bank,
    teller: TellerCli,
    folder: PathBuf,
    /// The client's name: users are shared by all facts.
    name: String,
}

impl Clients {
    fn of(bank: &Bank) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("clients-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(&folder)?;
        let clients = Self {
            bank: bank.clone(),
            teller: TellerCli::of(bank)?,
            folder,
            name: format!("branch-{}", bank.vhost()),
        };
        fs::write(clients.file(), r#"{"clients": []}"#)?;
        Ok(clients)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("principals.json")
    }

    fn out(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn principals(&self) -> Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(self.file())?)?)
    }

    async fn run(&self, arguments: &[&str]) -> Result<CliOutput> {
        let mut command = self.teller.command(&[&["--json", "client"], arguments].concat());
        command
            .env("BANKWIRE_PRINCIPALS", self.file())
            .env("TELLER_MANAGEMENT_URL", self.bank.broker().management_url())
            .env("TELLER_MANAGEMENT_USER", TESTER)
            .env("TELLER_MANAGEMENT_PASSWORD", TESTER)
            .env("TELLER_VHOST", self.bank.vhost());
        wait_output(command.spawn()?).await
    }

    async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.run(arguments).await?;
        ensure!(output.code == 0, "teller client {arguments:?}: {output:?}");
        output.json()
    }

    async fn connect(&self, password: &str) -> Result<Connection> {
        let (address, vhost) = (self.bank.broker().amqp().address(), self.bank.vhost());
        let url = format!("amqp://{}:{password}@{address}/{vhost}", self.name);
        Ok(Connection::connect(&url, ConnectionProperties::default()).await?)
    }

    /// The client as `list` has it.
    async fn listed(&self) -> Result<Value> {
        let listed = self.json(&["list"]).await?;
        let clients = listed["clients"].as_array().into_iter().flatten();
        let mut own = clients.filter(|client| client["name"] == self.name.as_str());
        own.next().cloned().with_context(|| format!("{} is not listed: {listed}", self.name))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn a_client_is_added_changed_rotated_and_removed(bank: Bank) -> Result<()> {
    let clients = Clients::of(&bank)?;
    let (name, out) = (clients.name.as_str(), clients.out("password"));
    let add = ["add", name, "--role", "clerk", "--max-connections", "3"];
    let added = clients.json(&[&add[..], &["--out", &out]].concat()).await?;
    ensure!(added["done"] == "added" && added.get("password").is_none(), "{added}");
    let password = fs::read_to_string(&out)?;
    let mode = fs::metadata(&out)?.permissions().mode();
    ensure!(mode & 0o777 == 0o600 && password.len() == 64, "{mode:o}, {} chars", password.len());
    let file = clients.principals()?;
    ensure!(file["clients"][0]["max_connections"] == 3, "{file}");
    ensure!(!file.to_string().contains(&password), "the file holds the password itself");

    let connection = clients.connect(&password).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mine = || BasicProperties::default().with_user_id(name.into());
    publish(&channel, COMMANDS, "accounts.account.freeze.v1", mine()).await?;
    let queue = format!("client.{name}.mine");
    channel.queue_declare(queue.as_str().into(), durable(), FieldTable::default()).await?;

    // The same again changes nothing, and needs no new password.
    let again = clients.json(&add).await?;
    ensure!(again["done"] == "unchanged" && again["connections_closed"] == 0, "{again}");
    let listed = clients.listed().await?;
    ensure!(listed["differences"] == json!([]) && listed["roles"] == json!(["clerk"]), "{listed}");
    wait_for("the connection is counted", PATIENCE, async || {
        let listed = clients.listed().await?;
        Ok(listed["connections"] == 1 && listed["queues"] == 1)
    })
    .await?;

    let second = clients.out("second");
    let rotated = clients.json(&["rotate", name, "--out", &second]).await?;
    ensure!(rotated["connections_closed"] == 0, "{rotated}");
    ensure!(clients.connect(&password).await.is_err(), "the old password opens a connection");
    publish(&channel, COMMANDS, "accounts.account.freeze.v1", mine()).await?;
    clients.connect(&fs::read_to_string(&second)?).await?;
    let third = clients.out("third");
    clients.json(&["rotate", name, "--out", &third, "--close"]).await?;
    wait_for("the old connections are closed", PATIENCE, async || {
        Ok(!connection.status().connected())
    })
    .await?;

    let alive = clients.connect(&fs::read_to_string(&third)?).await?;
    let removed = clients.json(&["remove", name]).await?;
    ensure!(removed["done"] == "removed" && removed["queues_deleted"] == 1, "{removed}");
    wait_for("the client is disconnected", PATIENCE, async || Ok(!alive.status().connected()))
        .await?;
    ensure!(clients.connect(&fs::read_to_string(&third)?).await.is_err(), "it is back");
    ensure!(clients.principals()?["clients"] == json!([]), "it is in the file");
    let again = clients.json(&["remove", name]).await?;
    ensure!(again["done"] == "not there", "{again}");
    Ok(())
}

/// A channel does not ask again for a right that it has checked: without the end of the connection,
/// the client would send for as long as it stays connected.
async fn a_role_that_is_taken_away_ends_on_open_channels(bank: Bank) -> Result<()> {
    let clients = Clients::of(&bank)?;
    let (name, out) = (clients.name.as_str(), clients.out("password"));
    clients.json(&["add", name, "--role", "clerk", "--role", "treasury", "--out", &out]).await?;
    let password = fs::read_to_string(&out)?;
    let connection = clients.connect(&password).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mine = || BasicProperties::default().with_user_id(name.into());
    publish(&channel, COMMANDS, "ledger.period.close.v1", mine()).await?;
    wait_for("the connection is counted", PATIENCE, async || {
        Ok(clients.listed().await?["connections"] == 1)
    })
    .await?;
    let changed = clients.json(&["add", name, "--role", "clerk"]).await?;
    ensure!(changed["done"] == "changed" && changed["connections_closed"] == 1, "{changed}");
    wait_for("the open channel is refused", PATIENCE, async || {
        Ok(publish(&channel, COMMANDS, "ledger.period.close.v1", mine()).await.is_err())
    })
    .await?;
    let channel = clients.connect(&password).await?.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let refused = publish(&channel, COMMANDS, "ledger.period.close.v1", mine()).await;
    let why = format!("{:#}", refused.err().context("the role is gone, and sends")?);
    ensure!(why.contains("ACCESS_REFUSED"), "{why}");
    clients.json(&["remove", name]).await?;
    Ok(())
}

async fn wrong_input_names_the_field_and_changes_nothing(bank: Bank) -> Result<()> {
    let clients = Clients::of(&bank)?;
    let (name, taken) = (clients.name.as_str(), clients.out("taken"));
    fs::write(&taken, "mine")?;
    let before = clients.principals()?;
    for (arguments, field) in [
        (vec!["add", name], "role"),
        (vec!["add", name, "--role", "king"], "role"),
        (vec!["add", "ledger", "--role", "clerk"], "name"),
        (vec!["add", "a.b", "--role", "clerk"], "name"),
        (vec!["add", name, "--role", "clerk"], "out"),
        (vec!["add", name, "--role", "clerk", "--out", &taken], "out"),
        (vec!["add", name, "--role", "clerk", "--max-queues", "0"], "max-queues"),
        (vec!["rotate", name, "--show-password"], "name"),
        (vec!["remove", "ledger"], "name"),
        (vec!["remove", "administrator"], "name"),
        (vec!["list", "--management-user", "nobody"], "management-user"),
        (vec!["list", "--principals", "/nowhere"], "principals"),
    ] {
        let output = clients.run(&arguments).await?;
        ensure!(output.code == 2, "{arguments:?}: {output:?}");
        let error: Value = serde_json::from_str(output.err.trim())?;
        ensure!(error["error"]["field"] == field, "{arguments:?}: {error}");
    }
    ensure!(clients.principals()? == before, "the file has changed");
    ensure!(fs::read_to_string(&taken)? == "mine", "a file was overwritten");
    let away = ["list", "--management-url", "http://127.0.0.1:9"];
    ensure!(clients.run(&away).await?.code == 3, "nobody answers there");
    Ok(())
}

async fn what_nobody_should_have_made_is_listed(bank: Bank) -> Result<()> {
    let clients = Clients::of(&bank)?;
    let (name, broker) = (clients.name.as_str(), bank.broker());
    clients.json(&["add", name, "--role", "clerk", "--out", &clients.out("password")]).await?;
    let permission = json!({ "configure": "", "write": "", "read": ".*" });
    let path = format!("permissions/{}/{name}", bank.vhost());
    broker.api(Method::PUT, &path, Some(permission)).await?;
    let limit = format!("user-limits/{name}/max-connections");
    broker.api(Method::PUT, &limit, Some(json!({ "value": 0 }))).await?;
    let listed = clients.listed().await?;
    let differences = listed["differences"].to_string();
    ensure!(differences.contains("other permissions"), "{listed}");
    ensure!(differences.contains("locked out by the guard"), "{listed}");
    let all = clients.json(&["list"]).await?;
    let strangers = all["not_in_the_file"].to_string();
    ensure!(strangers.contains(&format!("user {TESTER} is not in the file")), "{all}");
    // The guard would remove such a binding, and may be faster than this.
    let binding = format!("bindings/{}/e/{EVENTS}/e/{COMMANDS}", bank.vhost());
    wait_for("the binding is listed", PATIENCE, async || {
        broker.api(Method::POST, &binding, Some(json!({ "routing_key": "x" }))).await?;
        let all = clients.json(&["list"]).await?["not_in_the_file"].to_string();
        Ok(all.contains("binding from bank.events to bank.commands with key x"))
    })
    .await?;
    let repaired = clients.json(&["add", name]).await?;
    ensure!(repaired["done"] == "changed", "{repaired}");
    ensure!(clients.listed().await?["differences"] == json!([]), "add repairs what differs");
    clients.json(&["remove", name]).await?;
    Ok(())
}

/// Replies were on a direct exchange, which checks no keys, and one user served all clients.
async fn a_broker_with_older_definitions_gets_the_new_ones(bank: Bank) -> Result<()> {
    let broker = bank.broker();
    let everything = json!({ "configure": ".*", "write": ".*", "read": ".*" });
    let permission = format!("permissions/{VIRTUAL_HOST}/{TESTER}");
    broker.api(Method::PUT, &permission, Some(everything)).await?;
    let exchange = format!("exchanges/{VIRTUAL_HOST}/{REPLIES}");
    broker.api(Method::DELETE, &exchange, None).await?;
    let direct = json!({ "type": "direct", "durable": true });
    broker.api(Method::PUT, &exchange, Some(direct)).await?;
    let old = json!({ "password": "client-dev", "tags": "" });
    broker.api(Method::PUT, "users/client", Some(old)).await?;
    let applied = "/var/lib/rabbitmq/definitions.applied.json";
    let edit = format!(r#"s/"name": "{CLIENT}"/"name": "client"/"#);
    // The file is there when the guard runs.
    wait_for("the broker is up to date", PATIENCE, async || {
        broker.exec(&["sed", "-i", &edit, applied]).await.map(|_| true)
    })
    .await?;
    broker.kill().await?;
    broker.start_again().await?;
    wait_for("the exchange has the new type", PATIENCE, async || {
        Ok(broker.api(Method::GET, &exchange, None).await?["type"] == "topic")
    })
    .await?;
    wait_for("the old user is gone", PATIENCE, async || {
        Ok(broker.api(Method::GET, "users/client", None).await.is_err())
    })
    .await?;
    broker.api(Method::GET, &format!("users/{CLIENT}"), None).await?;
    Ok(())
}

fn durable() -> lapin::options::QueueDeclareOptions {
    lapin::options::QueueDeclareOptions { durable: true, ..Default::default() }
}
