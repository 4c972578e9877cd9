//! A principal with grants, and what it sends: past the broker's own permissions, in its name.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use harness::{Bank, Message, PATIENCE, Recorder, wait_value};
use serde_json::{Value, json};
use shared_events::{
    MessageId,
    access::{Grant, RoleCode},
    ledger::SubmitTransfers,
    topology::{COMMANDS, ClientPrincipal},
};

/// A principal, whose messages are published in its name.
pub(crate) struct Principal {
    bank: Bank,
    pub(crate) client: ClientPrincipal,
    replies: Recorder,
}

impl Principal {
    pub(crate) async fn new(bank: &Bank, grants: Vec<Grant>) -> Result<Self> {
        let first = grants.first().context("a principal has a grant")?.role.to_string();
        let mut client = bank.add_client(&[first.as_str()]).await?;
        client.roles.clear();
        client.grants = grants;
        bank.put_client(&client).await?;
        let replies = bank.replies_of(&client.name, "asks").await?;
        Ok(Self { bank: bank.clone(), client, replies })
    }

    pub(crate) async fn of_role(bank: &Bank, role: RoleCode) -> Result<Self> {
        Self::new(bank, vec![Grant::of_role(role)]).await
    }

    /// Sends a message, and returns the first event of the answer to this sending.
    pub(crate) async fn ask(&self, message: Message) -> Result<Value> {
        let id: MessageId = serde_json::from_slice::<Value>(&message.body)?["id"]
            .as_str()
            .context("a message has an id")?
            .parse()?;
        let message = message.with_user(&self.client.name).with_reply_to(self.replies.address());
        let before = self.replies.caused_by(id).await?.len();
        self.bank.publish(&message).await?;
        let what = format!("the answer to {id}");
        let reply = wait_value(&what, PATIENCE, async || {
            Ok(self.replies.caused_by(id).await?.into_iter().nth(before))
        });
        let reply = reply.await?;
        Ok(json!({ "type": reply.event.kind, "data": reply.event.data }))
    }

    pub(crate) async fn command<M: shared_events::Message>(&self, data: M) -> Result<Value> {
        self.ask(Message::of(MessageId::new(), data)).await
    }

    /// `posted`, or the reason why not.
    pub(crate) async fn pay(&self, transfer: shared_events::ledger::Transfer) -> Result<String> {
        let reply = self.command(SubmitTransfers { transfers: vec![transfer] }).await?;
        let rejected = reply["data"]["transfers"][0]["reason"].as_str();
        Ok(rejected.unwrap_or("posted").to_owned())
    }
}

/// The reason why a message was refused as a whole, if it was.
pub(crate) fn refusal(reply: &Value) -> Option<&str> {
    reply["data"]["code"].as_str().or_else(|| reply["data"]["reason"].as_str())
}

/// The golden message of a type under a new id.
pub(crate) fn golden(kind: &str) -> Result<Message> {
    with_data(kind, &golden_data(kind)?)
}

/// A grant with these bounds; for all branches if none is named.
pub(crate) fn bounded(role: RoleCode, branches: &[&str], ceiling: Option<&str>) -> Result<Grant> {
    let branches = match branches {
        [] => json!({ "all": {} }),
        names => json!({ "only": names }),
    };
    let ceilings = match ceiling {
        None => json!({ "none": {} }),
        Some(amount) => json!({ "up_to": [{ "amount": amount, "currency": "EUR" }] }),
    };
    let approval = json!({ "none": {} });
    let grant = json!({
        "role": role, "branches": branches, "ceilings": ceilings, "approval": approval,
    });
    Ok(serde_json::from_value(grant)?)
}

/// The data of the golden message.
pub(crate) fn golden_data(kind: &str) -> Result<Value> {
    Ok(envelope(kind)?["data"].clone())
}

fn envelope(kind: &str) -> Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared-events/tests/golden");
    let text = fs::read_to_string(folder.join(format!("{kind}.json")))?;
    Ok(serde_json::from_str(&text)?)
}

/// The golden message with other data, under a new id.
pub(crate) fn with_data(kind: &str, data: &Value) -> Result<Message> {
    let (mut envelope, id) = (envelope(kind)?, MessageId::new().to_string());
    (envelope["id"], envelope["data"]) = (json!(id), data.clone());
    Ok(Message::new(COMMANDS, kind, envelope.to_string()).with_id(&id))
}
