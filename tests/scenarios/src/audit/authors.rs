//! The author of an instruction. Promise: each record names the principal, the person behind it,
//! and the approver; people find them in statements; no record contains a text of people.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, facts};
use serde_json::json;
use shared_events::{MessageId, TransferId, access::RoleCode, ledger::SubmitTransfers};

use crate::{
    approvals::clerk,
    audit::books,
    bank_client::{BankClient, cash, customer, transfer},
    cli_runner::TellerCli,
    principal::{Principal, with_data},
};

pub(super) fn facts() -> Vec<Fact> {
    facts![
        a_record_names_the_author_and_the_approver_of_its_instruction,
        every_record_names_an_author_and_contains_no_text,
        a_transfer_of_another_principal_is_a_conflict,
    ]
}

async fn a_record_names_the_author_and_the_approver_of_its_instruction(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let clerk = Principal::new(&bank, vec![clerk()?]).await?;
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let auditor = Principal::of_role(&bank, RoleCode::Auditor).await?;
    let pay_in = |amount: &str, actor: Option<&str>| -> Result<(TransferId, Message)> {
        let transfer = transfer(cash(), customer(ada), amount)?;
        let id = transfer.transfer_id;
        let message = Message::of(MessageId::new(), SubmitTransfers { transfers: vec![transfer] });
        Ok((id, message.edited(|envelope| envelope["actor"] = json!(actor))))
    };
    let (alone, first) = pay_in("99", None)?;
    let (approved, second) = pay_in("101", Some("jana.novak\u{202e}"))?;
    clerk.ask(first).await?;
    let waits = clerk.ask(second.clone()).await?;
    ensure!(waits["type"] == "ledger.approvals.requested.v1", "{waits}");
    let approval = json!({ "command_id": second.id() });
    supervisor.ask(with_data("ledger.approvals.approve.v1", &approval)?).await?;
    bank.events().wait_for("ledger.transfers.posted.v1", 2).await?;

    let (clerk, supervisor) = (&clerk.client.name, &supervisor.client.name);
    let expected = [
        (alone, json!({ "principal": clerk })),
        (
            approved,
            json!({
                "principal": clerk, "actor": "jana.novak\u{fffd}", "approved_by": supervisor,
            }),
        ),
    ];
    let of_ada = json!({ "account": { "account_id": ada }, "currency": "EUR" });
    let statement = auditor.ask(with_data("ledger.statement.get.v1", &of_ada)?).await?;
    for (id, author) in &expected {
        let asked = json!({ "transfer_id": id });
        let found = auditor.ask(with_data("ledger.instruction.get.v1", &asked)?).await?;
        ensure!(found["data"]["record"]["author"] == *author, "{found}");
        let entries = statement["data"]["entries"].as_array().context("a list")?;
        let entry = entries.iter().find(|entry| entry["transfer_id"] == json!(id));
        ensure!(entry.is_some_and(|entry| entry["author"] == *author), "{statement}");
    }
    let gateway = Principal::of_role(&bank, RoleCode::CustomerChannel).await?;
    for asked in [
        with_data("ledger.instruction.get.v1", &json!({ "transfer_id": approved }))?,
        with_data("ledger.statement.get.v1", &of_ada)?,
        with_data("ledger.entries.find.v1", &of_ada)?,
    ] {
        let found = gateway.ask(asked).await?.to_string();
        ensure!(found.contains(&approved.to_string()), "a customer's channel reads it: {found}");
        ensure!(!found.contains(clerk.as_str()), "and not which clerk it was: {found}");
    }
    let teller = TellerCli::of(&bank)?;
    let account = ada.to_string();
    let shown = teller.run(&["statement", &account, "--authors"]).await?;
    let line = format!("{clerk} (jana.novak\u{fffd}), approved by {supervisor}");
    ensure!(shown.out.contains(&line), "{shown:?}");
    let shown = teller.run(&["instruction", "show", &approved.to_string()]).await?;
    ensure!(shown.out.contains(&line), "{shown:?}");
    let shown = teller.run(&["statement", &account]).await?;
    ensure!(!shown.out.contains(clerk.as_str()), "nobody has asked for authors: {shown:?}");
    Ok(())
}

async fn every_record_names_an_author_and_contains_no_text(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    books::write(&mut client).await?;
    let count = async |condition: &str| {
        let query = format!("SELECT count(*) FROM journal WHERE {condition}");
        client.bank.number("ledger", &query).await
    };
    let begin = r#"record LIKE '{"version":2,"author":{"principal":""#;
    let named = count(&format!("{begin}%'")).await?;
    let own = count(&format!(r#"{begin}ledger"}}%'"#)).await?;
    let all = count("true").await?;
    ensure!(named == all && own > 0 && own < all, "{named} of {all}, {own} of the ledger's own");
    let texts = count("coalesce(reference, end_to_end_id) IS NOT NULL").await?;
    let committed = r#"salt IS NOT NULL AND record LIKE '%"texts":"%'"#;
    ensure!(texts > 1 && count(committed).await? == count("salt IS NOT NULL").await?, "{texts}");
    let uncommitted = "coalesce(reference, end_to_end_id) IS NOT NULL AND salt IS NULL";
    ensure!(count(uncommitted).await? == 0, "a text beside a record that does not commit to it");
    let contained = "position(reference IN record) > 0 OR position(end_to_end_id IN record) > 0";
    ensure!(count(contained).await? == 0, "a record contains its text");
    let twins = "EXISTS (SELECT FROM journal AS other
        WHERE other.salt = journal.salt AND other.transfer_id <> journal.transfer_id)";
    ensure!(count(twins).await? == 0, "two records have one salt");
    Ok(())
}

/// The outcome of an id is shown to its own principal only.
async fn a_transfer_of_another_principal_is_a_conflict(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let clerks = [
        Principal::of_role(&bank, RoleCode::Clerk).await?,
        Principal::of_role(&bank, RoleCode::Clerk).await?,
    ];
    let transfer = transfer(cash(), customer(ada), "10")?;
    let command = || SubmitTransfers { transfers: vec![transfer.clone()] };
    let sent = Message::of(MessageId::new(), command());
    for (clerk, message, expected) in [
        (0, sent.clone(), None),
        (0, sent.clone(), None),
        (0, Message::of(MessageId::new(), command()), None),
        (1, sent, Some("idempotency_conflict")),
        (1, Message::of(MessageId::new(), command()), Some("idempotency_conflict")),
    ] {
        let reply = clerks[clerk].ask(message).await?;
        let reason = reply["data"]["transfers"][0]["reason"].as_str();
        ensure!(reason == expected, "{clerk}, {expected:?}: {reply}");
    }
    let posted = bank.number("ledger", "SELECT count(*) FROM journal").await?;
    ensure!(posted == 1, "{posted} records");
    Ok(())
}
