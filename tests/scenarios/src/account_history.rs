//! The history of accounts and grants. Promise: every change has one record, which says who has
//! changed what, on whose behalf, with whose approval and why; nobody changes a record; every row
//! follows from the last one.

mod chain;
mod database;
mod staff;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, MessageId,
    access::{Grant, RoleCode},
    accounts::{Blocks, CloseAccount, FreezeAccount, GetHistory, OpenAccount, SetAccess},
    topology::SERVICES,
};
use teller_client::Teller;

use self::{
    chain::{Proved, proved},
    staff::Staff,
};
use super::{
    approvals::{approve, is_requested, with_approval},
    bank_client::BankClient,
    cli_runner::TellerCli,
    principal::{Principal, bounded, refusal, with_data},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        each_kind_of_change_is_a_record_with_author_approver_and_reason,
        a_change_of_grants_is_a_record_with_author_and_approver,
        a_batch_of_changes_is_as_many_records_in_two_statements,
        database::a_service_killed_in_the_middle_leaves_no_gap,
        database::the_database_refuses_to_change_the_history_and_forgets_texts,
        database::a_database_of_before_the_history_begins_with_what_it_has,
        a_grant_for_a_branch_shows_the_history_of_its_accounts_alone,
        teller_shows_who_has_changed_what,
    ]
}

/// The actor in the golden messages.
const ACTOR: &str = "jana.novakova@branch-7";

/// A golden command with other data, so with an actor.
fn acted<M: shared_events::Message>(data: &M) -> Result<Message> {
    with_data(M::TYPE, &serde_json::to_value(data)?)
}

fn id_of(message: &Message) -> Result<MessageId> {
    Ok(serde_json::from_value(serde_json::from_slice::<Value>(&message.body)?["id"].clone())?)
}

/// A record as one line: `3 frozen clerk (actor) approved by supervisor: reason`.
fn line((row, record): &Proved) -> Result<String> {
    let account = record.account.as_ref().context("a record of an account")?;
    let author = &record.author;
    let actor = author.actor.as_ref().map(|actor| format!(" ({actor})")).unwrap_or_default();
    let approved = author.approved_by.as_ref().map(|by| format!(" approved by {by}"));
    let refusal = account.refusal.as_ref();
    let refusal = refusal.map(|refusal| format!("{} {}", refusal.reason, refusal.balance));
    let reason = row.texts.as_ref().and_then(|texts| texts.reason.clone()).or(refusal);
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let (number, change) = (account.number, account.change.as_str());
    let approved = approved.unwrap_or_default();
    Ok(format!("{number} {change} {}{actor}{approved}{reason}", author.principal))
}

fn of_account(records: &[Proved], account: AccountId) -> Vec<&Proved> {
    records.iter().filter(|(row, _)| row.account_id == Some(account)).collect()
}

async fn each_kind_of_change_is_a_record_with_author_approver_and_reason(bank: Bank) -> Result<()> {
    let client = BankClient::with_services(bank).await?;
    let staff = Staff::of(&client.bank).await?;
    let ada = staff.live(&client, "ada").await?;
    let records = proved(&client.bank).await?;
    let of_ada = of_account(&records, ada);
    let lines: Result<Vec<String>> = of_ada.iter().map(|record| line(record)).collect();
    let clerk = format!("{} ({ACTOR})", staff.clerk.client.name);
    let (decider, supervisor) = (&staff.decider.client.name, &staff.supervisor.client.name);
    let expected = [
        format!("1 opened {clerk}"),
        "2 activated ledger".to_owned(),
        format!("3 holder_updated {clerk}"),
        format!("4 frozen {clerk}: card lost"),
        format!("5 unfrozen {supervisor} ({ACTOR})"),
        format!("6 limits_changed {decider} ({ACTOR}) approved by {supervisor}"),
        format!("7 closing {clerk}"),
        "8 close_refused ledger: balance_not_zero 5".to_owned(),
        format!("9 closing {clerk}"),
        "10 closed ledger".to_owned(),
    ];
    let mut lines = lines?;
    // Events of the ledger have the actor of the command that they follow from.
    lines.iter_mut().for_each(|line| *line = line.replace(&format!("ledger ({ACTOR})"), "ledger"));
    ensure!(lines == expected, "{lines:#?}");
    for (_, record) in &of_ada {
        let is_command = record.author.principal != "ledger";
        ensure!(record.command_id.is_some() == is_command, "{record:?}");
    }
    let emails = of_ada.iter().map(|(row, _)| row.texts.as_ref()?.email.clone());
    ensure!(emails.skip(2).all(|email| email.as_deref() == Some("new@example.com")));
    let secret = |(row, _): &&Proved| row.record.contains("example.com");
    ensure!(!of_ada.iter().any(secret), "personal data stand in a record");
    let daily = |(_, record): &&Proved| record.account.as_ref()?.state.daily_limit.clone();
    ensure!(of_ada.iter().map(daily).nth(5).flatten().as_deref() == Some("250.5"));
    // A refused command and a repeated one change nothing.
    let count = records.len();
    let reply = staff.clerk.command(CloseAccount { account_id: ada, payout: None }).await?;
    ensure!(refusal(&reply) == Some("wrong_status"), "{reply}");
    ensure!(proved(&client.bank).await?.len() == count);
    Ok(())
}

async fn a_change_of_grants_is_a_record_with_author_and_approver(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let strict =
        with_approval(RoleCode::Operator, &["accounts.access.set"], &json!({ "none": {} }))?;
    let operator = Principal::new(&bank, vec![strict]).await?;
    let second = Principal::of_role(&bank, RoleCode::Operator).await?;
    let before = proved(&bank).await?;
    ensure!(before.iter().all(|(_, record)| record.author.principal == "accounts"), "the file");
    let grants = vec![Grant::of_role(RoleCode::Clerk)];
    let set = acted(&SetAccess { principal: "jan".to_owned(), grants: grants.clone() })?;
    let id = id_of(&set)?;
    let requested = operator.ask(set).await?;
    ensure!(is_requested(&requested), "{requested}");
    ensure!(proved(&bank).await?.len() == before.len(), "a command that waits has no record");
    approve(&second, "accounts", id).await?;
    bank.events().wait_for("accounts.access.changed.v1", 1).await?;
    let records = proved(&bank).await?;
    let (_, record) = records.last().context("a record")?;
    let author = &record.author;
    ensure!(author.principal == operator.client.name && author.actor.as_deref() == Some(ACTOR));
    ensure!(author.approved_by.as_ref() == Some(&second.client.name), "{author:?}");
    ensure!(record.command_id == Some(id.uuid()), "{record:?}");
    let recorded = record.grants.as_ref().context("grants")?;
    ensure!(recorded.principal == "jan");
    ensure!(serde_json::from_str::<Vec<Grant>>(recorded.grants.get())? == grants);
    Ok(())
}

/// Commands of one delivery are one batch.
async fn a_batch_of_changes_is_as_many_records_in_two_statements(bank: Bank) -> Result<()> {
    bank.set("accounts", "RUST_LOG", "info,sqlx::query=debug");
    bank.start("ledger").await?;
    let accounts = bank.start("accounts").await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let before = accounts.log()?.len();
    let freezes = [("first", Blocks::Both), ("second", Blocks::Debits), ("third", Blocks::Credits)];
    let changes: Vec<Message> = freezes
        .map(|(reason, blocks)| {
            let freeze = FreezeAccount { account_id: ada, reason: reason.to_owned(), blocks };
            Message::of(MessageId::new(), freeze)
        })
        .into();
    let last = id_of(&changes[2])?;
    bank.publish(&Message::joined(&changes)).await?;
    bank.events().outcome(last).await?;
    let records = proved(&bank).await?;
    let of_ada = of_account(&records, ada);
    let found = of_ada.iter().filter_map(|(row, record)| {
        let account = record.account.as_ref()?;
        let reason = row.texts.as_ref()?.reason.clone().unwrap_or_default();
        Some((account.number, account.state.blocks.clone().unwrap_or_default(), reason))
    });
    let found: Vec<_> = found.skip(2).collect();
    let is = |number, blocks: &str, reason: &str| (number, blocks.to_owned(), reason.to_owned());
    let expected = [is(3, "both", "first"), is(4, "debits", "second"), is(5, "credits", "third")];
    ensure!(found == expected, "{found:?}");
    let log = accounts.log()?;
    let log = log.get(before..).context("a log only grows")?.replace("\\n", " ");
    let log = log.split_whitespace().collect::<Vec<_>>().join(" ");
    for statement in ["FROM history_end FOR UPDATE", "INSERT INTO history"] {
        let count = log.matches(statement).count();
        ensure!(count == 1, "{count} times {statement:?}");
    }
    Ok(())
}

async fn a_grant_for_a_branch_shows_the_history_of_its_accounts_alone(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let of_web = |opening: &mut OpenAccount| opening.branch = Some("web".to_owned());
    let (ada, bob) = (client.account_with("ada", of_web).await?, client.account("bob").await?);
    let bank = client.bank.clone();
    let supervisor = bounded(RoleCode::Supervisor, &["web"], None)?;
    let auditor = bounded(RoleCode::Auditor, &["web"], None)?;
    let staff = Principal::new(&bank, vec![supervisor, auditor]).await?;
    let everybody = Principal::of_role(&bank, RoleCode::Auditor).await?;
    let get = |account_id| GetHistory { account_id, after: None, limit: None };
    let (refused, unknown) = (Some("not_permitted"), Some("not_found"));
    for (who, account, expected) in [
        (&staff, Some(ada), None),
        (&staff, Some(bob), refused),
        (&staff, Some(AccountId::new()), unknown),
        (&staff, None, refused),
        (&everybody, Some(bob), None),
        (&everybody, Some(AccountId::new()), unknown),
        (&everybody, None, None),
    ] {
        let reply = who.command(get(account)).await?;
        ensure!(refusal(&reply) == expected, "{account:?}: {reply}");
    }
    let books = with_data("accounts.books.get.v1", &json!({ "part": "accounts" }))?;
    let reply = staff.ask(books).await?;
    ensure!(refusal(&reply) == refused, "{reply}");
    let auditor = Teller::new(bank.client("auditor")?);
    ensure!(auditor.account_history(ada).await?.len() == 2);
    let wrong = json!({ "part": "accounts", "from": "ada" });
    let reply = everybody.ask(with_data("accounts.books.get.v1", &wrong)?).await?;
    ensure!(reply["data"]["field"] == "from", "{reply}");
    Ok(())
}

async fn teller_shows_who_has_changed_what(bank: Bank) -> Result<()> {
    let client = BankClient::with_services(bank).await?;
    let staff = Staff::of(&client.bank).await?;
    let ada = staff.live(&client, "ada").await?.to_string();
    let teller = TellerCli::of(&client.bank)?;
    let shown = teller.run(&["account", "history", &ada]).await?;
    ensure!(shown.code == 0, "{shown:?}");
    let clerk = format!("{} ({ACTOR})", staff.clerk.client.name);
    let supervisor = &staff.supervisor.client.name;
    for text in ["opened", "card lost", "status: active -> frozen", "daily_limit: 250.5", &clerk] {
        ensure!(shown.out.contains(text), "{text}: {}", shown.out);
    }
    let json = teller.json(&["account", "history", &ada]).await?;
    let limits = &json[5];
    ensure!(limits["change"] == "limits_changed", "{json:#}");
    ensure!(limits["author"]["approved_by"] == supervisor.as_str(), "{limits}");
    let expected = json!([{ "field": "daily_limit", "after": "250.5" }]);
    ensure!(limits["differences"] == expected, "{limits}");
    ensure!(json[3]["reason"] == "card lost" && json[7]["refusal"]["balance"] == "5", "{json:#}");
    let wrong = teller.run(&["account", "history", &AccountId::new().to_string()]).await?;
    ensure!(wrong.code == 1 && wrong.err.contains("not_found"), "{wrong:?}");
    wait_for("nothing is left", PATIENCE, async || Ok(client.bank.outbox("accounts").await? == 0))
        .await
}
