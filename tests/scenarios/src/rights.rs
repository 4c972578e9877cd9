//! Permissions on the broker. Promise: each user can do its own work, and none of another user.

use anyhow::{Context, Result, bail, ensure};
use harness::{Bank, Fact, facts};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use shared_events::topology::SERVICES;
use tokio::process::Command;

use Act::{Bind, Declare, DeclareExchange, Delete, Publish, Purge, Read, Speak};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_service_speaks_for_itself_and_hears_what_is_its_own,
        a_client_asks_and_listens_and_reads_no_services_queue,
        repair_moves_what_is_parked_and_nothing_else,
        an_operator_sees_everything_and_changes_nothing,
    ]
}

const REFUSED: &str = "ACCESS_REFUSED";
const EVENTS: &str = "bank.events";
const COMMANDS: &str = "bank.commands";
const ACCOUNTS_EVENT: &str = "accounts.account.frozen.v1";
const LEDGER_EVENT: &str = "ledger.transfers.posted.v1";

/// Something that a user of the broker tries to do.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// To this exchange, with this routing key.
    Publish(&'static str, &'static str),
    /// The same in the name of this user.
    Speak(&'static str, &'static str, &'static str),
    Read(&'static str),
    Declare(&'static str),
    DeclareExchange(&'static str),
    /// The queue to the exchange.
    Bind(&'static str, &'static str),
    Purge(&'static str),
    Delete(&'static str),
}

async fn a_service_speaks_for_itself_and_hears_what_is_its_own(bank: Bank) -> Result<()> {
    let accounts = User { bank: &bank, name: "accounts" };
    accounts
        .may(&[
            Publish(EVENTS, ACCOUNTS_EVENT),
            Publish("bank.retry", "accounts.commands.retry.5s"),
            Publish("bank.parked", "accounts"),
            Publish("bank.replies", "client.somebody"),
            Read("accounts.commands"),
            Read("accounts.queries"),
        ])
        .await?;
    accounts
        .may_not(&[
            Publish(EVENTS, LEDGER_EVENT),
            Publish(EVENTS, "notifications.delivery.failed.v1"),
            Publish(COMMANDS, "ledger.transfers.submit.v1"),
            Publish("bank.retry", "ledger.commands.0"),
            Publish("bank.parked", "ledger"),
            Publish("", "ledger.commands.0"),
            Speak("ledger", EVENTS, ACCOUNTS_EVENT),
            Read("ledger.commands.0"),
            Read("notifications.events"),
            Read("accounts.parked"),
            Declare("accounts.more"),
            DeclareExchange("accounts.more"),
            Bind("accounts.commands", EVENTS),
            Purge("ledger.commands.0"),
            Delete("accounts.commands"),
        ])
        .await?;
    let own = |service: &str| match service {
        "accounts" => ACCOUNTS_EVENT,
        "ledger" => LEDGER_EVENT,
        _ => "notifications.delivery.failed.v1",
    };
    for name in SERVICES {
        let user = User { bank: &bank, name };
        user.may(&[Publish(EVENTS, own(name))]).await?;
        for other in SERVICES.into_iter().filter(|service| *service != name) {
            user.may_not(&[Publish(EVENTS, own(other))]).await?;
        }
    }
    Ok(())
}

async fn a_client_asks_and_listens_and_reads_no_services_queue(bank: Bank) -> Result<()> {
    let client = User { bank: &bank, name: "client" };
    client
        .may(&[
            Publish(COMMANDS, "accounts.account.freeze.v1"),
            Declare("client.mine"),
            Bind("client.mine", EVENTS),
            Bind("client.mine", "bank.replies"),
            Read("client.mine"),
            Purge("client.mine"),
            Delete("client.mine"),
        ])
        .await?;
    client
        .may_not(&[
            Publish(EVENTS, LEDGER_EVENT),
            Publish("bank.replies", "client.somebody"),
            Publish("bank.retry", "ledger.commands.0"),
            Publish("bank.parked", "ledger"),
            Publish("ledger.commands", "1"),
            Publish("", "ledger.commands.0"),
            Speak("ledger", COMMANDS, "accounts.account.freeze.v1"),
            Read("ledger.commands.0"),
            Read("accounts.commands"),
            Read("notifications.queries"),
            Read("accounts.parked"),
            Read("bank.unrouted"),
            Declare("ledger.more"),
            DeclareExchange("bank.more"),
            Purge("ledger.commands.0"),
            Delete("ledger.commands.0"),
        ])
        .await?;
    client.may(&[Declare("client.ear")]).await?;
    client.may_not(&[Bind("client.ear", COMMANDS), Bind("client.ear", "ledger.commands")]).await
}

async fn repair_moves_what_is_parked_and_nothing_else(bank: Bank) -> Result<()> {
    let repair = User { bank: &bank, name: "repair" };
    let own = [Read("ledger.parked"), Read("bank.unrouted"), Publish("bank.retry", "x")];
    repair.may(&own).await?;
    repair
        .may_not(&[
            Publish(COMMANDS, "accounts.account.freeze.v1"),
            Publish(EVENTS, LEDGER_EVENT),
            Publish("bank.replies", "client.somebody"),
            Read("ledger.commands.0"),
            Read("accounts.queries"),
            Declare("client.mine"),
            Delete("ledger.parked"),
        ])
        .await
}

async fn an_operator_sees_everything_and_changes_nothing(bank: Bank) -> Result<()> {
    let operator = User { bank: &bank, name: "operator" };
    operator
        .may_not(&[
            Publish(COMMANDS, "accounts.account.freeze.v1"),
            Publish(EVENTS, LEDGER_EVENT),
            Read("ledger.parked"),
            Read("ledger.commands.0"),
            Declare("client.mine"),
            Purge("ledger.parked"),
            Delete("ledger.parked"),
        ])
        .await?;
    let vhost = bank.vhost();
    let management = management(&bank).await?;
    let http = reqwest::Client::new();
    // A body with every field that one of these requests needs.
    let body = json!({
        "durable": true, "password": "x", "tags": "", "pattern": "x",
        "definition": {"max-length": 1}, "properties": {}, "routing_key": "x", "payload": "x",
        "payload_encoding": "string",
    });
    let ask = async |method: Method, path: String| -> Result<(StatusCode, String)> {
        let url = format!("{management}/api/{path}");
        let request = http.request(method, url).basic_auth("operator", Some("operator-dev"));
        let answer = request.json(&body).send().await?;
        Ok((answer.status(), answer.text().await?))
    };
    let parked = format!("queues/{vhost}/ledger.parked");
    for what in ["overview", "nodes", "connections", "consumers", "exchanges", &parked] {
        let (status, text) = ask(Method::GET, what.to_owned()).await?;
        ensure!(status == StatusCode::OK, "{what}: {status} {text}");
    }
    for (method, path) in [
        (Method::PUT, format!("queues/{vhost}/more")),
        (Method::DELETE, format!("queues/{vhost}/ledger.parked")),
        (Method::DELETE, format!("queues/{vhost}/ledger.parked/contents")),
        (Method::POST, format!("exchanges/{vhost}/{EVENTS}/publish")),
        (Method::PUT, format!("policies/{vhost}/more")),
        (Method::PUT, "users/mallory".to_owned()),
        (Method::DELETE, format!("vhosts/{vhost}")),
        (Method::GET, "definitions".to_owned()),
    ] {
        let (status, text) = ask(method.clone(), path.clone()).await?;
        let no = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
        ensure!(no || text.contains(REFUSED), "{method} {path}: {status} {text}");
    }
    // After every attempt the queue is still there.
    ensure!(bank.broker().api(Method::GET, &parked, None).await?["name"] == "ledger.parked");
    Ok(())
}

/// A user of the broker in one virtual host.
#[derive(Clone, Copy)]
struct User<'b> {
    bank: &'b Bank,
    name: &'static str,
}

impl User<'_> {
    async fn may(self, acts: &[Act]) -> Result<()> {
        for act in acts {
            let tried = self.attempt(*act).await;
            tried.with_context(|| format!("{} may {act:?}", self.name))?;
        }
        Ok(())
    }

    /// It must be refused for want of rights, and for nothing else.
    async fn may_not(self, acts: &[Act]) -> Result<()> {
        for act in acts {
            match self.attempt(*act).await {
                Ok(()) => bail!("{} must not {act:?}", self.name),
                Err(error) => {
                    let why = format!("{error:#}");
                    let spoke = matches!(act, Speak(..)) && why.contains("user_id");
                    ensure!(why.contains(REFUSED) || spoke, "{} {act:?}: {why}", self.name);
                }
            }
        }
        Ok(())
    }

    /// On a connection of its own: a refusal ends the channel.
    async fn attempt(self, act: Act) -> Result<()> {
        let named = ConnectionProperties::default()
            .with_connection_name(format!("integration-tests/rights of {}", self.name).into());
        let connection = Connection::connect(&self.bank.amqp_url(self.name), named).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let done = self.act(&channel, act).await;
        connection.close(200, "done".into()).await?;
        done
    }

    async fn act(self, channel: &Channel, act: Act) -> Result<()> {
        let none = FieldTable::default;
        match act {
            Publish(exchange, key) => publish(channel, exchange, key, self.name).await?,
            Speak(user, exchange, key) => publish(channel, exchange, key, user).await?,
            Read(queue) => {
                let (queue, tag) = (queue.into(), "rights".into());
                channel.basic_consume(queue, tag, BasicConsumeOptions::default(), none()).await?;
            }
            Declare(queue) => {
                let options = QueueDeclareOptions { durable: true, ..Default::default() };
                let mut arguments = none();
                arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
                channel.queue_declare(queue.into(), options, arguments).await?;
            }
            DeclareExchange(exchange) => {
                let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
                let (name, kind) = (exchange.into(), ExchangeKind::Topic);
                channel.exchange_declare(name, kind, options, none()).await?;
            }
            Bind(queue, exchange) => {
                let (queue, options) = (queue.into(), QueueBindOptions::default());
                channel.queue_bind(queue, exchange.into(), "x".into(), options, none()).await?;
            }
            Purge(queue) => {
                channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
            }
            Delete(queue) => {
                channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
            }
        }
        Ok(())
    }
}

/// Where no queue is bound, as in the replies' exchange, the broker confirms all the same.
async fn publish(channel: &Channel, exchange: &str, key: &str, user: &str) -> Result<()> {
    let properties = BasicProperties::default().with_user_id(user.into());
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
    match sent.await?.await? {
        Confirmation::Ack(None) => Ok(()),
        other => bail!("not confirmed: {other:?}"),
    }
}

/// Where the broker's management is: beside its AMQP port, on the same container.
async fn management(bank: &Bank) -> Result<String> {
    let port = bank.broker().amqp().address().port();
    let (publishes, here) = (format!("publish={port}"), format!("0.0.0.0:{port}"));
    // Another container may have the same number on the other version of IP.
    for container in docker(&["ps", "--quiet", "--filter", &publishes]).await?.lines() {
        let amqp = docker(&["port", container, "5672/tcp"]).await.unwrap_or_default();
        if amqp.lines().any(|address| address == here) {
            let address = docker(&["port", container, "15672/tcp"]).await?;
            let address = address.lines().next().context("management is published")?;
            return Ok(format!("http://{address}"));
        }
    }
    bail!("no container publishes AMQP on {here}")
}

async fn docker(arguments: &[&str]) -> Result<String> {
    let done = Command::new("docker").args(arguments).output().await?;
    ensure!(done.status.success(), "docker {arguments:?}: {done:?}");
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}
