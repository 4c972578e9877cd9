//! Grants, as the services judge them. The broker's own permissions do not stop the messages here.
//! Promise: a command without a grant has no effect, and its sender learns which right is missing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Message as _, MessageId,
    access::{Grant, Role, RoleCode, is_of_whole_bank},
    accounts::{AccessChanged, AccessRejected, AccountOpened, CloseAccount, SetAccess},
    catalogue::PUBLISHED,
    ledger::SubmitTransfers,
    message::Kind,
    topology::{COMMANDS, SERVICES},
};

use crate::{
    bank_client::{BankClient, cash, customer, opening, own, transfer},
    principal::{Principal, bounded, golden, golden_data, refusal, with_data},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_role_sends_its_own_commands_and_queries_and_no_others,
        a_grant_permits_debits_of_its_accounts_up_to_its_ceiling,
        a_grant_for_a_branch_shows_and_changes_no_account_of_another,
        a_grant_for_a_branch_permits_nothing_of_the_whole_bank,
        rights_that_were_lost_while_a_command_waited_permit_nothing,
        grants_that_are_too_old_permit_nothing,
        an_id_of_another_principal_is_a_conflict,
        grants_are_changed_by_those_who_may_and_somebody_always_may,
    ]
}

/// Every role with every command and query.
async fn a_role_sends_its_own_commands_and_queries_and_no_others(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let mut cells = 0;
    for code in RoleCode::ALL {
        let (role, principal) = (Role::of(*code), Principal::of_role(&bank, *code).await?);
        for entry in PUBLISHED {
            if !matches!(entry.kind, Kind::Command | Kind::Query) {
                continue;
            }
            let kind = entry.kind_name;
            let may = role.sends().any(|sent| sent == kind);
            // What a role may do, other facts do; an operator's golden command would leave nobody
            // who may change grants.
            if may && kind == SetAccess::TYPE {
                continue;
            }
            let reply = principal.ask(golden(kind)?).await.with_context(|| kind.to_owned())?;
            let message = reply["data"]["message"].as_str().unwrap_or_default();
            let is_refused =
                refusal(&reply) == Some("not_permitted") && message.contains("may not send");
            ensure!(is_refused != may, "{code:?} sends {kind}: {reply}");
            cells += 1;
        }
    }
    ensure!(cells > 6 * 40, "{cells} cells");
    Ok(())
}

async fn a_grant_permits_debits_of_its_accounts_up_to_its_ceiling(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let of_web = |opening: &mut shared_events::accounts::OpenAccount| {
        opening.branch = Some("web".to_owned());
    };
    let (ada, bob) = (client.account_with("ada", of_web).await?, client.account("bob").await?);
    for account in [ada, bob] {
        client.deposit(account, "5000").await?;
    }
    let bank = client.bank.clone();
    let channel = bounded(RoleCode::CustomerChannel, &["web"], Some("100"))?;
    let channel = Principal::new(&bank, vec![channel]).await?;
    let clerk = Principal::new(&bank, vec![bounded(RoleCode::Clerk, &[], Some("1000"))?]).await?;
    let treasury = Principal::of_role(&bank, RoleCode::Treasury).await?;
    let (a, b) = (|| customer(ada), || customer(bob));
    let refused = "not_permitted";
    for (name, who, debtor, creditor, amount, expected) in [
        ("a channel pays for its customer", &channel, a(), b(), "100", "posted"),
        ("up to its ceiling", &channel, a(), b(), "100.01", refused),
        ("not for a customer of another branch", &channel, b(), a(), "1", refused),
        ("it makes no money", &channel, cash(), a(), "1", refused),
        ("and takes no interest", &channel, own("interest_paid"), a(), "1", refused),
        (
            "an unknown account is unknown",
            &channel,
            customer(AccountId::new()),
            a(),
            "1",
            "unknown_account",
        ),
        ("a clerk takes cash", &clerk, cash(), a(), "1000", "posted"),
        ("up to a ceiling", &clerk, cash(), a(), "1000.01", refused),
        ("and pays cash out", &clerk, b(), cash(), "1000", "posted"),
        ("and touches no other account of the bank", &clerk, own("fees"), a(), "1", refused),
        ("treasury moves the bank's money", &treasury, own("fees"), a(), "2000", "posted"),
        ("and no customer's", &treasury, a(), own("fees"), "1", refused),
    ] {
        let outcome = who.pay(transfer(debtor, creditor, amount)?).await?;
        ensure!(outcome == expected, "{name}: {outcome}");
    }
    // What was refused shows no balance, and no customer is told of it.
    let rejected = bank.events().of_kind("ledger.transfers.rejected.v1").await?;
    let mut refusals = 0;
    for event in &rejected {
        for transfer in event.event.data["transfers"].as_array().context("a list")? {
            let is_hidden = transfer["debtor_account"].is_null();
            ensure!(transfer["reason"] != refused || is_hidden, "{transfer}");
            refusals += usize::from(transfer["reason"] == refused);
        }
    }
    ensure!(refusals == 7, "{refusals} refusals");
    // The notifications service has handled them when it has handled what came later.
    let posted = "SELECT count(*) FROM notifications WHERE topic = 'transfer_posted'";
    let before = bank.number("notifications", posted).await?;
    client.deposit(bob, "1").await?;
    wait_for("a later posting is notified", PATIENCE, async || {
        Ok(bank.number("notifications", posted).await? > before)
    })
    .await?;
    let told = "SELECT count(*) FROM notifications WHERE topic = 'transfer_rejected'";
    ensure!(bank.number("notifications", told).await? == 0, "customers hear of a stranger's try");
    reversals_and_exchanges(&channel, &treasury, ada).await
}

/// Money that a transfer has brought may be taken back by treasury; the rate of an exchange is the
/// bank's business.
async fn reversals_and_exchanges(
    channel: &Principal,
    treasury: &Principal,
    ada: AccountId,
) -> Result<()> {
    let instruct = |action: Value| {
        let id = MessageId::new();
        let data = json!({ "instructions": [{ "transfer_id": id, "action": action }] });
        let envelope = json!({
            "specversion": "1.0", "id": MessageId::new(), "source": "/clients/tests",
            "type": "ledger.instructions.submit.v1", "time": "2026-01-01T00:00:00Z",
            "datacontenttype": "application/json", "subject": "instructions",
            "correlationid": MessageId::new(), "data": data,
        });
        Message::new(COMMANDS, "ledger.instructions.submit.v1", envelope.to_string())
    };
    let paid = transfer(own("fees"), customer(ada), "10")?;
    let original = paid.transfer_id;
    ensure!(treasury.pay(paid).await? == "posted");
    let reverse = json!({ "reverse": { "original_id": original } });
    let reply = channel.ask(instruct(reverse.clone())).await?;
    ensure!(reply["type"] == "ledger.transfers.posted.v1", "its own customer pays back: {reply}");
    let paid = transfer(own("fees"), customer(ada), "200")?;
    let original = paid.transfer_id;
    ensure!(treasury.pay(paid).await? == "posted");
    let reverse = json!({ "reverse": { "original_id": original } });
    let reply = channel.ask(instruct(reverse.clone())).await?;
    let reason = |reply: &Value| reply["data"]["instructions"][0]["rejected"]["reason"].clone();
    ensure!(reason(&reply) == "not_permitted", "its ceiling: {reply}");
    let reply = treasury.ask(instruct(reverse)).await?;
    ensure!(reply["type"] == "ledger.transfers.posted.v1", "treasury takes it back: {reply}");
    let exchange = json!({ "exchange": {
        "debtor": { "account_id": ada }, "creditor": { "account_id": AccountId::new() },
        "sell": { "amount": "1", "currency": "EUR" }, "buy": "CZK", "rate": "1000000",
    } });
    let reply = channel.ask(instruct(exchange)).await?;
    ensure!(reason(&reply) == "not_permitted", "nobody names a rate for the bank: {reply}");
    Ok(())
}

/// Each command and query about an account, for the own branch and for another.
async fn a_grant_for_a_branch_shows_and_changes_no_account_of_another(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let of_web = |opening: &mut shared_events::accounts::OpenAccount| {
        opening.branch = Some("web".to_owned());
    };
    let (ada, bob) = (client.account_with("ada", of_web).await?, client.account("bob").await?);
    client.wait_recipients().await?;
    let bank = client.bank.clone();
    let roles = [RoleCode::Clerk, RoleCode::Supervisor, RoleCode::CustomerChannel];
    let grants: Result<Vec<Grant>> =
        roles.into_iter().map(|role| bounded(role, &["web"], None)).collect();
    let staff = Principal::new(&bank, grants?).await?;
    let mut cells = 0;
    for entry in PUBLISHED {
        let kind = entry.kind_name;
        let is_sent = roles.iter().any(|role| Role::of(*role).sends().any(|sent| sent == kind));
        if !is_sent {
            continue;
        }
        let mut message = golden_data(kind)?;
        // One account, by the name that the message has for it.
        let path = ["/account_id", "/key/account_id", "/account/account_id"]
            .into_iter()
            .find(|path| message.pointer(path).is_some());
        let Some(path) = path else { continue };
        if kind == "accounts.account.open.v1" {
            continue;
        }
        for (account, is_own) in [(bob, false), (ada, true)] {
            *message.pointer_mut(path).context("the path was found")? = json!(account);
            let reply = staff.ask(with_data(kind, &message)?).await?;
            let is_refused = refusal(&reply) == Some("not_permitted");
            ensure!(is_refused != is_own, "{kind} of {account}: {reply}");
            cells += 1;
        }
    }
    ensure!(cells >= 30, "{cells} cells");
    let mut new = opening("eve")?;
    let reply = staff.command(new.clone()).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "no account of another branch: {reply}");
    new.branch = Some("web".to_owned());
    let reply = staff.command(new).await?;
    ensure!(reply["type"] == AccountOpened::TYPE, "{reply}");
    let listed = staff.ask(with_data("accounts.account.list.v1", &json!({}))?).await?;
    let listed = listed["data"]["accounts"].as_array().context("a list")?;
    ensure!(listed.len() == 2 && listed.iter().all(|account| account["branch"] == "web"));
    let all = with_data("notifications.notification.list.v1", &json!({}))?;
    let reply = staff.ask(all).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "notifications of all accounts: {reply}");
    Ok(())
}

/// Neither what is about no account, nor the bank's own accounts, whose entries name every
/// customer; and nobody empties an account beyond its ceiling by closing it.
async fn a_grant_for_a_branch_permits_nothing_of_the_whole_bank(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let of_web = |opening: &mut shared_events::accounts::OpenAccount| {
        opening.branch = Some("web".to_owned());
    };
    let (ada, bob) = (client.account_with("ada", of_web).await?, client.account("bob").await?);
    client.deposit(ada, "500").await?;
    let bank = client.bank.clone();
    let all: Result<Vec<Grant>> =
        RoleCode::ALL.iter().map(|role| bounded(*role, &["web"], Some("100"))).collect();
    let staff = Principal::new(&bank, all?).await?;
    let mut cells = 0;
    for entry in PUBLISHED {
        if matches!(entry.kind, Kind::Command | Kind::Query) && is_of_whole_bank(entry.kind_name) {
            let reply = staff.ask(golden(entry.kind_name)?).await?;
            ensure!(refusal(&reply) == Some("not_permitted"), "{}: {reply}", entry.kind_name);
            cells += 1;
        }
    }
    ensure!(cells == 28, "{cells} cells");
    let of_cash = json!({ "account": { "code": "cash" }, "currency": "EUR" });
    let reply = staff.ask(with_data("ledger.balance.get.v1", &of_cash)?).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "the bank's own account: {reply}");
    let close = CloseAccount { account_id: ada, payout: Some(bob) };
    let reply = staff.command(close).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "a payout beyond the ceiling: {reply}");
    Ok(())
}

async fn rights_that_were_lost_while_a_command_waited_permit_nothing(bank: Bank) -> Result<()> {
    let services = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let transfers = vec![transfer(cash(), customer(ada), "1")?];
    let paid = Message::of(MessageId::new(), SubmitTransfers { transfers });
    let posted = clerk.ask(paid.clone()).await?;
    ensure!(posted["type"] == "ledger.transfers.posted.v1", "{posted}");
    services[0].stop().await?;
    let id = MessageId::new();
    let transfers = vec![transfer(cash(), customer(ada), "1000")?];
    let waiting = Message::of(id, SubmitTransfers { transfers }).with_user(&clerk.client.name);
    bank.publish(&waiting).await?;
    let principal = clerk.client.name.clone();
    client.request(SetAccess { principal, grants: vec![] }).await?;
    services[0].start().await?;
    let outcome = bank.events().outcome(id).await?;
    ensure!(outcome.event.kind == "ledger.command.rejected.v1", "{:?}", outcome.event);
    ensure!(outcome.event.data["reason"] == "not_permitted", "{:?}", outcome.event.data);
    let again = clerk.ask(paid).await?;
    ensure!(again["type"] == "ledger.transfers.posted.v1", "what was done stays done: {again}");
    Ok(())
}

async fn grants_that_are_too_old_permit_nothing(bank: Bank) -> Result<()> {
    let services = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    for service in services.iter().rev() {
        service.stop().await?;
    }
    bank.execute("ledger", "UPDATE bus.access SET at = at - interval '20 minutes'").await?;
    services[0].launch().await?;
    wait_for("the ledger says what it lacks", PATIENCE, async || {
        let readiness = services[0].readiness().await?;
        let why = readiness.parts.get("access").cloned().flatten().unwrap_or_default();
        Ok(!readiness.ready && why.contains("has confirmed the grants"))
    })
    .await?;
    let id = MessageId::new();
    let submit = SubmitTransfers { transfers: vec![transfer(cash(), customer(ada), "1")?] };
    bank.publish(&Message::of(id, submit)).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ensure!(bank.events().caused_by(id).await?.is_empty(), "what cannot be judged waits");
    services[1].start().await?;
    let posted = bank.events().outcome(id).await?;
    ensure!(posted.event.kind == "ledger.transfers.posted.v1", "it is posted: {posted:?}");
    Ok(())
}

async fn an_id_of_another_principal_is_a_conflict(bank: Bank) -> Result<()> {
    bank.start_all(&["accounts", "ledger"]).await?;
    let (first, second) = (
        Principal::of_role(&bank, RoleCode::Clerk).await?,
        Principal::of_role(&bank, RoleCode::Clerk).await?,
    );
    let message = || Message::of(MessageId::new(), opening("ada").expect("a command"));
    let sent = message();
    for (who, expected) in [
        (&first, "accounts.account.opened.v2"),
        (&first, "accounts.account.opened.v2"),
        (&second, "accounts.command.rejected.v1"),
    ] {
        let reply = who.ask(sent.clone()).await?;
        ensure!(reply["type"] == expected, "{reply}");
        let conflict = reply["data"]["reason"] == "idempotency_conflict";
        ensure!(conflict == (expected == "accounts.command.rejected.v1"), "{reply}");
    }
    Ok(())
}

async fn grants_are_changed_by_those_who_may_and_somebody_always_may(bank: Bank) -> Result<()> {
    bank.start_all(&["accounts", "ledger"]).await?;
    let operator = Principal::of_role(&bank, RoleCode::Operator).await?;
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let set =
        |principal: &str, grants: Vec<Grant>| SetAccess { principal: principal.to_owned(), grants };
    let supervisor = vec![Grant::of_role(RoleCode::Supervisor)];
    let reply = clerk.command(set(&clerk.client.name, supervisor.clone())).await?;
    ensure!(refusal(&reply) == Some("not_permitted"), "nobody raises itself: {reply}");
    let reply = operator.command(set(&clerk.client.name, supervisor.clone())).await?;
    ensure!(reply["type"] == AccessChanged::TYPE, "{reply}");
    ensure!(reply["data"]["changed_by"] == operator.client.name.as_str(), "{reply}");
    let announced = bank.events().of_kind(AccessChanged::TYPE).await?;
    ensure!(announced.len() == 1, "{announced:?}");
    let reply = operator.command(set("Jan", supervisor)).await?;
    ensure!(reply["type"] == AccessRejected::TYPE, "{reply}");
    ensure!(reply["data"]["field"] == "principal", "{reply}");
    let of_development = operator.command(set("teller", vec![])).await?;
    ensure!(of_development["type"] == AccessChanged::TYPE, "{of_development}");
    let reply = operator.command(set(&operator.client.name, vec![])).await?;
    ensure!(refusal(&reply) == Some("last_operator"), "{reply}");
    Ok(())
}
