//! Commands that need the approval of another principal. Promise: nothing of them is done before
//! the approval, which neither their author nor a principal without the right can give, nor
//! anybody after the deadline; an approved command is done once.

mod waiting;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, MessageId,
    access::{Grant, RoleCode},
    accounts::{ChangeLimits, SetAccess},
    ledger::SubmitTransfers,
    topology::SERVICES,
};

use crate::{
    bank_client::{BankClient, cash, customer, transfer},
    principal::{Principal, refusal, with_data},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        waiting::an_instruction_or_an_arrangement_waits_for_its_approval,
        waiting::a_change_of_an_account_waits_for_its_approval,
        waiting::an_operators_command_waits_for_its_approval,
        waiting::every_command_can_need_an_approval,
        waiting::an_approver_approves_what_it_has_seen,
        who_has_edited_a_command_does_not_approve_it,
        nobody_approves_its_own_command_or_beyond_its_grants,
        who_may_approve_sees_what_waits_and_a_stranger_does_not,
        an_approval_after_the_deadline_is_refused,
        a_declined_command_is_never_done,
        an_approved_command_is_done_once_whatever_dies,
        a_right_that_was_lost_before_the_approval_permits_nothing,
        grants_that_need_an_approval_leave_two_who_can_change_grants,
    ]
}

/// A grant of this role for all branches, which needs approvals for these commands and for debits
/// above these ceilings.
pub(crate) fn with_approval(role: RoleCode, commands: &[&str], ceilings: &Value) -> Result<Grant> {
    let approval = json!({ "needed": { "commands": commands, "ceilings": ceilings } });
    Ok(serde_json::from_value(json!({
        "role": role, "branches": { "all": {} }, "ceilings": { "none": {} }, "approval": approval,
    }))?)
}

/// A clerk whose debits above 100 EUR need an approval.
pub(crate) fn clerk() -> Result<Grant> {
    let ceilings = json!({ "up_to": [{ "amount": "100", "currency": "EUR" }] });
    with_approval(RoleCode::Clerk, &[], &ceilings)
}

/// The commands that change limits.
const LIMITS: [&str; 2] = ["accounts.limits.set", "accounts.limits.change"];

fn no_ceilings() -> Value {
    json!({ "none": {} })
}

pub(crate) fn is_requested(reply: &Value) -> bool {
    reply["type"].as_str().is_some_and(|kind| kind.ends_with(".approvals.requested.v1"))
}

/// A query or a command about an approval, with these data.
fn about(service: &str, verb: &str, data: &Value) -> Result<Message> {
    with_data(&format!("{service}.approvals.{verb}.v1"), data)
}

pub(crate) async fn approve(who: &Principal, service: &str, command: MessageId) -> Result<Value> {
    who.ask(about(service, "approve", &json!({ "command_id": command }))?).await
}

/// The state of an approval, as its own author sees it.
async fn state_of(who: &Principal, service: &str, command: MessageId) -> Result<Value> {
    let found = who.ask(about(service, "get", &json!({ "command_id": command }))?).await?;
    Ok(found["data"]["approval"]["state"].clone())
}

fn pay_in(account: AccountId, amount: &str) -> Result<SubmitTransfers> {
    Ok(SubmitTransfers { transfers: vec![transfer(cash(), customer(account), amount)?] })
}

async fn nobody_approves_its_own_command_or_beyond_its_grants(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let of_web = |opening: &mut shared_events::accounts::OpenAccount| {
        opening.branch = Some("web".to_owned());
    };
    let ada = client.account_with("ada", of_web).await?;
    client.deposit(ada, "5000").await?;
    let bank = client.bank.clone();
    let grant = |role: RoleCode, branches: Value, ceilings: Value| -> Result<Grant> {
        Ok(serde_json::from_value(json!({
            "role": role, "branches": branches, "ceilings": ceilings, "approval": { "none": {} },
        }))?)
    };
    let both = vec![clerk()?, Grant::of_role(RoleCode::Supervisor)];
    let maker = Principal::new(&bank, both).await?;
    let all = || json!({ "all": {} });
    let up_to = |amount| json!({ "up_to": [{ "amount": amount, "currency": "EUR" }] });
    let none = || json!({ "none": {} });
    let supervisor = RoleCode::Supervisor;
    let low = Principal::new(&bank, vec![grant(supervisor, all(), up_to("199"))?]).await?;
    let other = grant(supervisor, json!({ "only": ["north"] }), none())?;
    let other = Principal::new(&bank, vec![other]).await?;
    let treasury = Principal::of_role(&bank, RoleCode::Treasury).await?;
    let operator = Principal::of_role(&bank, RoleCode::Operator).await?;
    let auditor = Principal::of_role(&bank, RoleCode::Auditor).await?;
    let other_clerk = Principal::new(&bank, vec![clerk()?]).await?;
    let right = grant(supervisor, json!({ "only": ["web"] }), up_to("200"))?;
    let right = Principal::new(&bank, vec![right]).await?;

    let id = MessageId::new();
    let withdrawal = vec![transfer(customer(ada), cash(), "200")?];
    let reply = maker.ask(Message::of(id, SubmitTransfers { transfers: withdrawal })).await?;
    ensure!(is_requested(&reply), "{reply}");
    let (not_permitted, not_found) = (Some("not_permitted"), Some("not_found"));
    for (name, who, expected) in [
        ("its author", &maker, not_permitted),
        ("a supervisor with a lower ceiling", &low, not_found),
        ("a supervisor of another branch", &other, not_found),
        ("treasury", &treasury, not_found),
        ("an operator", &operator, not_found),
        ("an auditor", &auditor, not_permitted),
        ("a clerk", &other_clerk, not_permitted),
    ] {
        let reply = approve(who, "ledger", id).await?;
        ensure!(refusal(&reply) == expected, "{name}: {reply}");
    }
    let balance = json!({ "account": { "account_id": ada }, "currency": "EUR" });
    let balance = maker.ask(with_data("ledger.balance.get.v1", &balance)?).await?;
    ensure!(balance["data"]["balance"] == "5000", "nothing was paid: {balance}");
    let approved = approve(&right, "ledger", id).await?;
    ensure!(approved["type"] == "ledger.approvals.approved.v1", "{approved}");
    let unknown = approve(&right, "ledger", MessageId::new()).await?;
    ensure!(refusal(&unknown) == Some("not_found"), "{unknown}");
    let elsewhere = approve(&right, "accounts", id).await?;
    ensure!(refusal(&elsewhere) == Some("not_found"), "{elsewhere}");
    Ok(())
}

async fn who_may_approve_sees_what_waits_and_a_stranger_does_not(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let first = Principal::new(&bank, vec![clerk()?]).await?;
    let second = Principal::new(&bank, vec![clerk()?]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let auditor = Principal::of_role(&bank, RoleCode::Auditor).await?;
    let mut commands = vec![];
    for who in [&first, &first, &second] {
        let id = MessageId::new();
        who.ask(Message::of(id, pay_in(ada, "1000")?)).await?;
        commands.push(id);
    }
    let listed = async |who: &Principal, query: Value| -> Result<(Vec<String>, Value)> {
        let listed = who.ask(about("ledger", "list", &query)?).await?;
        let approvals = listed["data"]["approvals"].as_array().context("a list")?;
        let ids = approvals.iter().filter_map(|approval| approval["command_id"].as_str());
        Ok((ids.map(str::to_owned).collect(), listed["data"]["next"].clone()))
    };
    let names: Vec<String> = commands.iter().map(ToString::to_string).collect();
    for (who, expected) in [
        (&first, &names[..2]),
        (&second, &names[2..]),
        (&supervisor, &names[..]),
        (&auditor, &names[..]),
    ] {
        let (seen, next) = listed(who, json!({})).await?;
        ensure!(seen == expected && next.is_null(), "{seen:?} instead of {expected:?}");
    }
    let (page, next) = listed(&supervisor, json!({ "limit": 2 })).await?;
    ensure!(page == names[..2], "{page:?}");
    let (page, next) = listed(&supervisor, json!({ "limit": 2, "after": next })).await?;
    ensure!(page == names[2..] && next.is_null(), "{page:?}");
    let hidden = second.ask(about("ledger", "get", &json!({ "command_id": commands[0] }))?).await?;
    ensure!(refusal(&hidden) == Some("not_found"), "{hidden}");
    approve(&supervisor, "ledger", commands[0]).await?;
    wait_for("one is handled", PATIENCE, async || {
        Ok(state_of(&first, "ledger", commands[0]).await? == "handled")
    })
    .await?;
    let (waiting, _) = listed(&supervisor, json!({ "state": "waiting" })).await?;
    ensure!(waiting == names[1..], "{waiting:?}");
    let done = auditor.ask(about("ledger", "get", &json!({ "command_id": commands[0] }))?).await?;
    ensure!(done["data"]["data"].is_null(), "no copy is kept: {done}");
    let kept = "SELECT count(*) FROM bus.approvals WHERE body IS NOT NULL";
    ensure!(bank.number("ledger", kept).await? == 2, "no copy is kept");
    Ok(())
}

async fn an_approval_after_the_deadline_is_refused(bank: Bank) -> Result<()> {
    bank.set("ledger", "BANKWIRE_ACCESS__APPROVAL_SECONDS_MAX", "3");
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let maker = Principal::new(&bank, vec![clerk()?]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let id = MessageId::new();
    let message = Message::of(id, pay_in(ada, "1000")?);
    let reply = maker.ask(message.clone()).await?;
    ensure!(is_requested(&reply), "{reply}");
    let expired = bank.events().wait_for("ledger.approvals.expired.v1", 1).await?;
    ensure!(expired[0].event.causationid == Some(id), "{expired:?}");
    let late = approve(&supervisor, "ledger", id).await?;
    ensure!(refusal(&late) == Some("invalid_field"), "{late}");
    ensure!(late["data"]["message"].as_str().is_some_and(|text| text.contains("deadline")));
    let again = maker.ask(message).await?;
    ensure!(again["type"] == "ledger.approvals.expired.v1", "{again}");
    let journal = "SELECT count(*) FROM journal";
    ensure!(bank.number("ledger", journal).await? == 0, "nothing is posted");
    Ok(())
}

async fn a_declined_command_is_never_done(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let maker = Principal::new(&bank, vec![clerk()?]).await?;
    let stranger = Principal::new(&bank, vec![clerk()?]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let decline = |id, reason: &str| -> Result<Message> {
        about("ledger", "decline", &json!({ "command_id": id, "reason": reason }))
    };
    for (name, who) in
        [("an approver declines it", &supervisor), ("its author withdraws it", &maker)]
    {
        let id = MessageId::new();
        let message = Message::of(id, pay_in(ada, "1000")?);
        maker.ask(message.clone()).await?;
        let reply = stranger.ask(decline(id, "no")?).await?;
        ensure!(refusal(&reply) == Some("not_found"), "{name}: {reply}");
        let reply = supervisor.ask(decline(id, "")?).await?;
        ensure!(reply["data"]["field"] == "reason", "{name}: {reply}");
        for _ in 0..2 {
            let reply = who.ask(decline(id, "not today")?).await?;
            ensure!(reply["type"] == "ledger.approvals.declined.v1", "{name}: {reply}");
        }
        let late = approve(&supervisor, "ledger", id).await?;
        ensure!(refusal(&late) == Some("invalid_field"), "{name}: {late}");
        let again = maker.ask(message).await?;
        ensure!(again["type"] == "ledger.approvals.declined.v1", "{name}: {again}");
        ensure!(again["data"]["approval"]["reason"] == "not today", "{name}: {again}");
    }
    ensure!(bank.number("ledger", "SELECT count(*) FROM journal").await? == 0);
    let declined = bank.events().of_kind("ledger.approvals.declined.v1").await?;
    ensure!(declined.len() == 2, "each is announced once: {declined:?}");
    Ok(())
}

/// Services die between each step: the ledger, which knows a transfer by its id, and the accounts
/// service, which knows a command by its inbox.
async fn an_approved_command_is_done_once_whatever_dies(bank: Bank) -> Result<()> {
    let services = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let limits = with_approval(RoleCode::Supervisor, &LIMITS, &no_ceilings())?;
    let maker = Principal::new(&bank, vec![clerk()?, limits]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let version = "SELECT version FROM accounts";
    let before = bank.number("accounts", version).await?;
    let mut commands = vec![];
    for round in 0..6 {
        let (id, of_ledger) = (MessageId::new(), round % 2 == 0);
        let (place, service, message) = match of_ledger {
            true => (0, "ledger", Message::of(id, pay_in(ada, "1000")?)),
            false => (1, "accounts", Message::of(id, limit_of(ada, round)?)),
        };
        ensure!(is_requested(&maker.ask(message.clone()).await?));
        services[place].kill().await?;
        services[place].start().await?;
        for _ in 0..2 {
            let approved = approve(&supervisor, service, id).await?;
            let kind = approved["type"].as_str().unwrap_or_default();
            ensure!(kind.ends_with(".approvals.approved.v1"), "{approved}");
        }
        services[place].kill().await?;
        services[place].start().await?;
        commands.push((id, service, message));
    }
    for (id, service, message) in commands {
        wait_for("it is handled", PATIENCE, async || {
            Ok(state_of(&maker, service, id).await? == "handled")
        })
        .await?;
        let again = maker.ask(message).await?;
        let kind = again["type"].as_str().unwrap_or_default();
        let is_done = ["ledger.transfers.posted.v1", "accounts.limits.changed.v1"].contains(&kind);
        ensure!(is_done, "{again}");
    }
    ensure!(bank.number("ledger", "SELECT count(*) FROM journal").await? == 3);
    ensure!(bank.number("accounts", version).await? == before + 3, "each change once");
    Ok(())
}

/// A change of the overdraft limit.
fn limit_of(account: AccountId, units: i64) -> Result<ChangeLimits> {
    let limits = json!({ "account_id": account, "overdraft_limit": units.to_string() });
    Ok(serde_json::from_value(limits)?)
}

async fn a_right_that_was_lost_before_the_approval_permits_nothing(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let maker = Principal::new(&bank, vec![clerk()?]).await?;
    let lost = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let (first, second) = (MessageId::new(), MessageId::new());
    for id in [first, second] {
        ensure!(is_requested(&maker.ask(Message::of(id, pay_in(ada, "1000")?)).await?));
    }
    let revoke = async |who: &Principal| -> Result<()> {
        let principal = who.client.name.clone();
        client.request(SetAccess { principal, grants: vec![] }).await?;
        // A service reads the grants twice a second.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    };
    revoke(&lost).await?;
    let reply = approve(&lost, "ledger", first).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "{reply}");
    revoke(&maker).await?;
    let approved = approve(&supervisor, "ledger", second).await?;
    ensure!(approved["type"] == "ledger.approvals.approved.v1", "{approved}");
    wait_for("it is refused", PATIENCE, async || {
        let caused = bank.events().caused_by(second).await?;
        Ok(caused.iter().any(|event| {
            event.event.kind == "ledger.command.rejected.v1"
                && event.event.data["reason"] == "not_permitted"
        }))
    })
    .await?;
    ensure!(bank.number("ledger", "SELECT count(*) FROM journal").await? == 0);
    let ended = "SELECT count(*) FROM bus.approvals WHERE state = 'handled' AND body IS NULL";
    ensure!(bank.number("ledger", ended).await? == 1, "it has ended");
    Ok(())
}

/// An operator writes what another one will have said.
async fn who_has_edited_a_command_does_not_approve_it(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let strict = || with_approval(RoleCode::Operator, &["accounts.access.set"], &no_ceilings());
    let author = Principal::new(&bank, vec![strict()?]).await?;
    let editor = Principal::new(&bank, vec![strict()?]).await?;
    let third = Principal::new(&bank, vec![strict()?]).await?;
    let unreadable = with_data("accounts.access.set.v1", &json!({ "principal": "jan" }))?;
    let id: MessageId =
        serde_json::from_value(serde_json::from_slice::<Value>(&unreadable.body)?["id"].clone())?;
    bank.publish(&unreadable.with_user(&author.client.name)).await?;
    bank.wait_parked("accounts", 1).await?;
    let edited = json!({ "principal": "jan", "grants": [] });
    let edit = json!({ "message": id.to_string(), "data": edited });
    let reply = editor.ask(with_data("accounts.parked.edit.v1", &edit)?).await?;
    ensure!(reply["type"] == "accounts.parked.edited.v1", "{reply}");
    bank.events().wait_for("accounts.approvals.requested.v1", 1).await?;
    for who in [&author, &editor] {
        let reply = approve(who, "accounts", id).await?;
        ensure!(refusal(&reply) == Some("not_permitted"), "{reply}");
    }
    let approved = approve(&third, "accounts", id).await?;
    ensure!(approved["type"] == "accounts.approvals.approved.v1", "{approved}");
    ensure!(approved["data"]["approval"]["edited_by"] == editor.client.name.as_str());
    bank.events().wait_for("accounts.access.changed.v1", 1).await?;
    let word = with_data("accounts.approvals.approve.v1", &json!({ "command_id": 7 }))?;
    let name = serde_json::from_slice::<Value>(&word.body)?["id"].clone();
    bank.publish(&word.with_user(&author.client.name)).await?;
    bank.wait_parked("accounts", 1).await?;
    let edit = json!({ "message": name, "data": { "command_id": id } });
    let reply = editor.ask(with_data("accounts.parked.edit.v1", &edit)?).await?;
    ensure!(refusal(&reply) == Some("invalid_field"), "nobody speaks for another: {reply}");
    Ok(())
}

async fn grants_that_need_an_approval_leave_two_who_can_change_grants(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let strict = || with_approval(RoleCode::Operator, &["accounts.access.set"], &no_ceilings());
    let one = Principal::of_role(&bank, RoleCode::Operator).await?;
    let two = Principal::of_role(&bank, RoleCode::Operator).await?;
    let set = |who: &Principal, grants| SetAccess { principal: who.client.name.clone(), grants };
    let nobody = SetAccess { principal: "teller".to_owned(), grants: vec![] };
    let reply = one.command(nobody).await?;
    ensure!(reply["type"] == "accounts.access.changed.v1", "{reply}");
    let reply = one.command(set(&two, vec![strict()?])).await?;
    ensure!(reply["type"] == "accounts.access.changed.v1", "{reply}");
    let reply = one.command(set(&one, vec![])).await?;
    ensure!(refusal(&reply) == Some("last_operator"), "one cannot approve alone: {reply}");
    let reply = one.command(set(&one, vec![strict()?])).await?;
    ensure!(reply["type"] == "accounts.access.changed.v1", "two approve each other: {reply}");
    Ok(())
}
