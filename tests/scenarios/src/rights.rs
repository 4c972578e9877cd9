//! Permissions on the broker. Promise: each user can do its own work, and none of another user.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, facts};
use reqwest::{Method, StatusCode};
use serde_json::json;
use shared_events::topology::SERVICES;

use acts::{
    Act::{
        Bind, BindExchange, Declare, DeclareExchange, Delete, Publish, PublishCopy, Purge, Read,
        Speak, Unbind,
    },
    User,
};

pub(crate) mod acts;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_service_speaks_for_itself_and_hears_what_is_its_own,
        a_client_sends_and_reads_the_types_of_its_roles,
        a_client_touches_nothing_of_a_service_or_of_another_client,
        an_operator_sees_everything_and_changes_nothing,
    ]
}

const REFUSED: &str = "ACCESS_REFUSED";
const EVENTS: &str = "bank.events";
const COMMANDS: &str = "bank.commands";
const PERSONAL: &str = "bank.personal";
const HOLDER_EVENT: &str = "accounts.holder.current.v1";
const ACCOUNTS_EVENT: &str = "accounts.account.frozen.v1";
const LEDGER_EVENT: &str = "ledger.transfers.posted.v1";

async fn a_service_speaks_for_itself_and_hears_what_is_its_own(bank: Bank) -> Result<()> {
    let accounts = User { bank: &bank, name: "accounts" };
    accounts
        .may(&[
            Publish(EVENTS, ACCOUNTS_EVENT),
            Publish(PERSONAL, HOLDER_EVENT),
            Publish("bank.retry", "accounts.commands.retry.5s"),
            Publish("bank.parked", "accounts"),
            Publish("bank.replies", "client.somebody"),
            Read("accounts.commands"),
            Read("accounts.queries"),
            Read("accounts.parked"),
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
            Read("ledger.parked"),
            Declare("accounts.more"),
            DeclareExchange("accounts.more"),
            Bind("accounts.commands", EVENTS, "#"),
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
            user.may_not(&[Publish(EVENTS, own(other)), Publish(PERSONAL, own(other))]).await?;
        }
    }
    Ok(())
}

async fn a_client_sends_and_reads_the_types_of_its_roles(bank: Bank) -> Result<()> {
    let channel = User { bank: &bank, name: "channel" };
    channel
        .may(&[
            Publish(COMMANDS, "ledger.transfers.submit.v1"),
            Publish(COMMANDS, "ledger.balance.get.v7"),
            Declare("client.channel.mine"),
            Bind("client.channel.mine", EVENTS, LEDGER_EVENT),
            Bind("client.channel.mine", EVENTS, "ledger.transfers.posted.*"),
            Bind("client.channel.mine", "bank.replies", "client.channel.mine"),
            Unbind("client.channel.mine", EVENTS, LEDGER_EVENT),
            Read("client.channel.mine"),
            Purge("client.channel.mine"),
        ])
        .await?;
    channel
        .may_not(&[
            // Types of other roles.
            Publish(COMMANDS, "accounts.account.freeze.v1"),
            Publish(COMMANDS, "ledger.period.close.v1"),
            Publish(COMMANDS, "ledger.transfers.submit.v1x"),
            Publish(COMMANDS, "accounts.limits.changed.v1"),
            PublishCopy(COMMANDS, "ledger.transfers.submit.v1", "ledger.period.close.v1"),
            // Names and addresses of holders, by any pattern that contains them.
            Bind("client.channel.mine", EVENTS, "accounts.account.opened.v1"),
            Bind("client.channel.mine", EVENTS, "accounts.account.opened.*"),
            Bind("client.channel.mine", EVENTS, "accounts.#"),
            Bind("client.channel.mine", EVENTS, "*.account.opened.v1"),
            Bind("client.channel.mine", EVENTS, "#"),
            Bind("client.channel.mine", EVENTS, ""),
            Bind("client.channel.mine", PERSONAL, HOLDER_EVENT),
            Bind("client.channel.mine", PERSONAL, "#"),
            Publish(PERSONAL, HOLDER_EVENT),
            Read("bank.audit"),
        ])
        .await?;
    let clerk = User { bank: &bank, name: "clerk" };
    clerk
        .may(&[
            Publish(COMMANDS, "accounts.account.freeze.v1"),
            Declare("client.clerk.names"),
            Bind("client.clerk.names", EVENTS, "accounts.account.opened.v1"),
            Bind("client.clerk.names", PERSONAL, HOLDER_EVENT),
            Bind("client.clerk.names", PERSONAL, "accounts.holder.current.*"),
        ])
        .await?;
    clerk
        .may_not(&[
            Publish(COMMANDS, "accounts.limits.set.v1"),
            Bind("client.clerk.names", EVENTS, "#"),
            Bind("client.clerk.names", PERSONAL, "#"),
            Publish(PERSONAL, HOLDER_EVENT),
            Read("bank.audit"),
        ])
        .await?;
    let auditor = User { bank: &bank, name: "auditor" };
    let all = Bind("client.auditor.all", EVENTS, "#");
    auditor.may(&[Declare("client.auditor.all"), all]).await?;
    auditor.may_not(&[Publish(COMMANDS, "ledger.transfers.submit.v1")]).await?;
    // A stream is read with a prefetch, which this attempt lacks: no right is refused.
    let Err(error) = auditor.attempt(Read("bank.audit")).await else { return Ok(()) };
    let why = format!("{error:#}");
    ensure!(why.contains("prefetch"), "the auditor reads the stream: {why}");
    Ok(())
}

async fn a_client_touches_nothing_of_a_service_or_of_another_client(bank: Bank) -> Result<()> {
    let clerk = User { bank: &bank, name: "clerk" };
    clerk
        .may(&[
            Declare("client.clerk.mine"),
            Bind("client.clerk.mine", EVENTS, ACCOUNTS_EVENT),
            Bind("client.clerk.mine", "bank.replies", "client.clerk.mine"),
        ])
        .await?;
    let channel = User { bank: &bank, name: "channel" };
    channel.may(&[Declare("client.channel.ear")]).await?;
    channel
        .may_not(&[
            Declare("client.clerk.mine"),
            Declare("client.clerk.more"),
            Declare("client.channels.more"),
            Declare("client.channel"),
            Declare("client.more"),
            Read("client.clerk.mine"),
            Purge("client.clerk.mine"),
            Bind("client.clerk.mine", EVENTS, LEDGER_EVENT),
            Unbind("client.clerk.mine", EVENTS, ACCOUNTS_EVENT),
            Delete("client.clerk.mine"),
            Publish("", "client.clerk.mine"),
            // Replies to others.
            Bind("client.channel.ear", "bank.replies", "client.clerk.mine"),
            Bind("client.channel.ear", "bank.replies", "client.*.mine"),
            Bind("client.channel.ear", "bank.replies", "client.#"),
            Bind("client.channel.ear", "bank.replies", "#"),
            Publish("bank.replies", "client.clerk.mine"),
            BindExchange(EVENTS, "bank.replies", LEDGER_EVENT),
            BindExchange(EVENTS, COMMANDS, "#"),
            // The services' queues and exchanges.
            Publish(EVENTS, LEDGER_EVENT),
            Publish("bank.retry", "ledger.commands.0"),
            Publish("bank.parked", "ledger"),
            Publish("ledger.commands", "1"),
            Publish("", "ledger.commands.0"),
            Speak("ledger", COMMANDS, "ledger.transfers.submit.v1"),
            Speak("clerk", COMMANDS, "ledger.transfers.submit.v1"),
            Read("ledger.commands.0"),
            Read("accounts.commands"),
            Read("notifications.queries"),
            Read("accounts.parked"),
            Read("bank.unrouted"),
            Declare("ledger.more"),
            DeclareExchange("bank.more"),
            Purge("ledger.commands.0"),
            Delete("ledger.commands.0"),
            Bind("client.channel.ear", COMMANDS, "#"),
            Bind("client.channel.ear", "ledger.commands", "1"),
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
            Declare("client.operator.mine"),
            Purge("ledger.parked"),
            Delete("ledger.parked"),
        ])
        .await?;
    let vhost = bank.vhost();
    let management = bank.broker().management_url();
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
