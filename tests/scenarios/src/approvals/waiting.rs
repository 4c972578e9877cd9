//! Each kind of command: set aside and not done, then approved, and done.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Message, PATIENCE, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Message as _, MessageId,
    access::{Grant, RoleCode},
    accounts::{
        Blocks, CloseAccount, EraseHolder, FreezeAccount, OpenAccount, SetAccess, SetLimits,
        UnfreezeAccount,
    },
    approvals::REQUESTS,
    catalogue::PUBLISHED,
    ledger::SubmitTransfers,
    message::Kind,
    topology::{COMMANDS, SERVICES},
};

use super::{LIMITS, about, approve, clerk, is_requested, no_ceilings, state_of, with_approval};
use crate::{
    bank_client::{BankClient, amount, cash, customer, opening, own, transfer},
    principal::{Principal, golden_data, refusal, with_data},
};

pub(super) async fn an_instruction_or_an_arrangement_waits_for_its_approval(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (ada, eve) = (client.account("ada").await?, client.account("eve").await?);
    client.deposit(ada, "500").await?;
    let bank = client.bank.clone();
    let clerk = Principal::new(&bank, vec![clerk()?]).await?;
    let terms = ["ledger.terms.set"];
    let decider = with_approval(RoleCode::Supervisor, &terms, &no_ceilings())?;
    let decider = Principal::new(&bank, vec![decider]).await?;
    let all_debits = json!({ "up_to": [] });
    let treasurer = with_approval(RoleCode::Treasury, &[], &all_debits)?;
    let treasurer = Principal::new(&bank, vec![treasurer]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let treasury = Principal::of_role(&bank, RoleCode::Treasury).await?;
    let submit = |debtor, creditor, amount| -> Result<Message> {
        let transfers = vec![transfer(debtor, creditor, amount)?];
        Ok(Message::of(MessageId::new(), SubmitTransfers { transfers }))
    };
    let at_once = clerk.pay(transfer(cash(), customer(ada), "100")?).await?;
    ensure!(at_once == "posted", "up to 100 EUR nobody is asked: {at_once}");
    let posted = "ledger.transfers.posted.v1";
    for (name, staff, message, done) in [
        ("cash", (&clerk, &supervisor), submit(cash(), customer(ada), "101")?, posted),
        ("a withdrawal", (&clerk, &supervisor), submit(customer(ada), cash(), "250")?, posted),
        ("an order", (&clerk, &supervisor), order(ada, eve)?, "ledger.order.changed.v1"),
        (
            "the bank's own money",
            (&treasurer, &treasury),
            submit(own("fees"), customer(ada), "1")?,
            posted,
        ),
        (
            "terms",
            (&decider, &supervisor),
            of_account("ledger.terms.set.v1", ada)?,
            "ledger.terms.changed.v1",
        ),
    ] {
        let done = waits_then_is_done(&bank, staff, &message, done).await;
        done.with_context(|| name.to_owned())?;
    }
    Ok(())
}

pub(super) async fn a_change_of_an_account_waits_for_its_approval(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (ada, eve) = (client.account("ada").await?, client.account("eve").await?);
    client.wait_recipients().await?;
    let bank = client.bank.clone();
    let commands =
        ["accounts.account.open", "accounts.account.freeze", "notifications.preferences.set"];
    let payouts = json!({ "up_to": [] });
    let clerk = with_approval(RoleCode::Clerk, &commands, &payouts)?;
    let clerk = Principal::new(&bank, vec![clerk]).await?;
    let decider = with_approval(RoleCode::Supervisor, &LIMITS, &no_ceilings())?;
    let decider = Principal::new(&bank, vec![decider]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let limits = SetLimits { account_id: ada, overdraft_limit: amount(700), ..limits_of(ada)? };
    let close = CloseAccount { account_id: eve, payout: Some(ada) };
    let new = MessageId::new;
    for (maker, message, done) in [
        (&clerk, Message::of(new(), opening("zoe")?), "accounts.account.opened.v2"),
        (&clerk, Message::of(new(), close), "accounts.account.closing.v1"),
        (&decider, Message::of(new(), limits), "accounts.limits.changed.v1"),
        (
            &clerk,
            of_account("notifications.preferences.set.v1", ada)?,
            "notifications.preferences.changed.v1",
        ),
        (&clerk, of_account("accounts.account.freeze.v1", ada)?, "accounts.account.frozen.v1"),
    ] {
        let done_once = waits_then_is_done(&bank, (maker, &supervisor), &message, done).await;
        done_once.with_context(|| done.to_owned())?;
    }
    let refused = CloseAccount { account_id: AccountId::new(), payout: None };
    let reply = clerk.command(refused).await?;
    ensure!(refusal(&reply) == Some("unknown_account"), "what is refused needs none: {reply}");
    Ok(())
}

pub(super) async fn an_operators_command_waits_for_its_approval(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let commands = ["accounts.access.set", "accounts.parked.drop"];
    let operator = with_approval(RoleCode::Operator, &commands, &no_ceilings())?;
    let operator = Principal::new(&bank, vec![operator]).await?;
    let second = Principal::of_role(&bank, RoleCode::Operator).await?;
    let broken = MessageId::new().to_string();
    let unreadable = Message::new(COMMANDS, "accounts.account.open.v1", "{}").with_id(&broken);
    bank.publish(&unreadable).await?;
    wait_for("it is parked", PATIENCE, async || Ok(bank.parked("accounts").await?.len() == 1))
        .await?;
    let drop = with_data("accounts.parked.drop.v1", &json!({ "chosen": { "named": [broken] } }))?;
    let set = SetAccess { principal: "jan".to_owned(), grants: vec![] };
    let set = Message::of(MessageId::new(), set);
    for (message, done) in
        [(drop, "accounts.parked.dropped.v1"), (set, "accounts.access.changed.v1")]
    {
        let done_once = waits_then_is_done(&bank, (&operator, &second), &message, done).await;
        done_once.with_context(|| done.to_owned())?;
    }
    ensure!(bank.parked("accounts").await?.is_empty(), "it is dropped");
    Ok(())
}

/// One id has one content, in one delivery and in two: a large payment is not approved as a small
/// one.
pub(super) async fn an_approver_approves_what_it_has_seen(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let clerk = Principal::new(&bank, vec![clerk()?]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let (joined, apart) = (MessageId::new(), MessageId::new());
    let pays = |id, amount| -> Result<Message> {
        let transfers = vec![transfer(cash(), customer(ada), amount)?];
        Ok(Message::of(id, SubmitTransfers { transfers }))
    };
    let both = Message::joined(&[pays(joined, "101")?, pays(joined, "9000")?]);
    bank.publish(&both.with_user(&clerk.client.name)).await?;
    bank.events().wait_for("ledger.approvals.requested.v1", 1).await?;
    let reply = clerk.ask(pays(apart, "101")?).await?;
    ensure!(is_requested(&reply), "{reply}");
    let reply = clerk.ask(pays(apart, "9000")?).await?;
    ensure!(reply["type"] == "ledger.command.rejected.v1", "{reply}");
    ensure!(refusal(&reply) == Some("idempotency_conflict"), "{reply}");
    for id in [joined, apart] {
        approve(&supervisor, "ledger", id).await?;
        wait_for("it is handled", PATIENCE, async || {
            Ok(state_of(&clerk, "ledger", id).await? == "handled")
        })
        .await?;
    }
    let requested = bank.events().of_kind("ledger.approvals.requested.v1").await?;
    ensure!(requested.len() == 2, "each id is asked for once: {requested:?}");
    let balance = json!({ "account": { "account_id": ada }, "currency": "EUR" });
    let balance = clerk.ask(with_data("ledger.balance.get.v1", &balance)?).await?;
    ensure!(balance["data"]["balance"] == "202", "{balance}");
    Ok(())
}

/// Every command of the contract: one that its handler does not judge would be done at once.
pub(super) async fn every_command_can_need_an_approval(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (ada, eve) = (client.account("ada").await?, client.account("eve").await?);
    client.wait_recipients().await?;
    client.deposit(ada, "500").await?;
    let freeze =
        FreezeAccount { account_id: eve, reason: "lost card".to_owned(), blocks: Blocks::Both };
    client.request(freeze).await?;
    let bank = client.bank.clone();
    let of_approvals = |kind: &str| REQUESTS.iter().flatten().any(|request| *request == kind);
    let commands: Vec<&str> = PUBLISHED
        .iter()
        .filter(|entry| entry.kind == Kind::Command && !of_approvals(entry.kind_name))
        .map(|entry| entry.kind_name)
        // It always needs an approval, and a closed account: `erasure::`.
        .filter(|kind| *kind != EraseHolder::TYPE)
        .collect();
    let names: Vec<&str> = commands.iter().filter_map(|kind| kind.strip_suffix(".v1")).collect();
    let grants: Result<Vec<Grant>> =
        RoleCode::ALL.iter().map(|role| with_approval(*role, &names, &no_ceilings())).collect();
    let everybody = Principal::new(&bank, grants?).await?;
    for kind in commands {
        let mut data = golden_data(kind)?;
        match kind {
            OpenAccount::TYPE => data = serde_json::to_value(opening("zoe")?)?,
            UnfreezeAccount::TYPE => data["account_id"] = json!(eve),
            _ => place(&mut data, ada, eve),
        }
        let reply = everybody.ask(with_data(kind, &data)?).await?;
        ensure!(is_requested(&reply), "{kind}: {reply}");
        let id: MessageId =
            serde_json::from_value(reply["data"]["approval"]["command_id"].clone())?;
        let caused = bank.events().caused_by(id).await?;
        ensure!(caused.len() <= 1, "{kind} has an effect: {caused:?}");
    }
    Ok(())
}

/// Puts an account in the place of every account, and another one in that of creditors.
fn place(data: &mut Value, account: AccountId, creditor: AccountId) {
    match data {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "account_id" => *value = json!(account),
                    "payout" => *value = json!(creditor),
                    "creditor" => place(value, creditor, creditor),
                    _ => place(value, account, creditor),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| place(item, account, creditor)),
        _ => {}
    }
}

/// The golden command for this account.
fn of_account(kind: &str, account: AccountId) -> Result<Message> {
    let mut data = golden_data(kind)?;
    data["account_id"] = json!(account);
    with_data(kind, &data)
}

/// A standing order above the ceiling.
fn order(debtor: AccountId, creditor: AccountId) -> Result<Message> {
    let terms = json!({
        "creditor": { "account_id": creditor },
        "money": { "amount": "250", "currency": "EUR" },
        "schedule": { "first": "2030-01-31" },
    });
    let data = json!({ "account_id": debtor, "order_id": MessageId::new(), "terms": terms });
    with_data("ledger.order.set.v1", &data)
}

/// All limits of the golden command, for this account.
fn limits_of(account: AccountId) -> Result<SetLimits> {
    let mut data = golden_data(SetLimits::TYPE)?;
    data["account_id"] = json!(account);
    Ok(serde_json::from_value(data)?)
}

async fn waits_then_is_done(
    bank: &Bank,
    (maker, approver): (&Principal, &Principal),
    message: &Message,
    done: &str,
) -> Result<()> {
    let envelope: Value = serde_json::from_slice(&message.body)?;
    let id: MessageId = envelope["id"].as_str().context("an id")?.parse()?;
    let service = envelope["type"].as_str().and_then(|kind| kind.split('.').next());
    let service = service.context("a type")?;
    let reply = maker.ask(message.clone()).await?;
    ensure!(is_requested(&reply), "it is set aside: {reply}");
    let approval = &reply["data"]["approval"];
    ensure!(approval["principal"] == maker.client.name.as_str(), "{reply}");
    let may = format!("{} ", approver.client.name);
    let text = reply["data"]["message"].as_str().unwrap_or_default();
    ensure!(text.contains(may.trim()) || text.contains("more may"), "who may approve it: {reply}");
    let shown = approver.ask(about(service, "get", &json!({ "command_id": id }))?).await?;
    let mut content = envelope["data"].clone();
    if content["webhook_secret"].is_string() {
        content["webhook_secret"] = json!("(hidden)");
    }
    ensure!(shown["data"]["data"] == content, "the approver sees the content: {shown}");
    let again = maker.ask(message.clone()).await?;
    ensure!(is_requested(&again), "a repeated command waits, too: {again}");
    let approved = approve(approver, service, id).await?;
    let kind = approved["type"].as_str().unwrap_or_default();
    ensure!(kind.ends_with(".approvals.approved.v1"), "{approved}");
    let by = &approved["data"]["approval"]["decided_by"];
    ensure!(*by == approver.client.name.as_str(), "{approved}");
    wait_for("the command is handled", PATIENCE, async || {
        Ok(state_of(maker, service, id).await? == "handled")
    })
    .await?;
    let done_once = async || Ok(bank.events().caused_by(id).await?.len() == 2);
    wait_for("it is announced", PATIENCE, done_once).await?;
    let caused = bank.events().caused_by(id).await?;
    let count = |kind: &str| caused.iter().filter(|event| event.event.kind.ends_with(kind)).count();
    ensure!(count(".approvals.requested.v1") == 1, "asked once: {caused:?}");
    ensure!(count(done) == 1, "done once: {caused:?}");
    let again = maker.ask(message.clone()).await?;
    ensure!(again["type"] == done, "its own answer is repeated: {again}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let events = bank.events().caused_by(id).await?;
    ensure!(events.len() == caused.len(), "and nothing is done again: {events:?}");
    Ok(())
}
