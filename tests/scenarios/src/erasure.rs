//! The erasure of a closed customer's data. Promise: no table, queue or log of the bank yields the
//! holder or the texts of payments afterwards, and the books verify; nobody erases alone, nothing
//! is erased of an account that is open or was closed too recently, and a service that was away
//! erases its part later.

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use harness::{Bank, Fact, Instance, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Message as _, MessageId,
    access::RoleCode,
    accounts::{
        AccountClosed, Blocks, CloseAccount, EraseHolder, FreezeAccount, Holder, HolderErased,
        HolderErasureCompleted, OpenAccount, UnfreezeAccount, UpdateHolder,
    },
    ledger::{TextsErased, Transfer},
    notifications::RecipientErased,
    topology::SERVICES,
};
use sqlx::Row;

use crate::{
    approvals::{approve, is_requested},
    bank_client::{BankClient, cash, customer, transfer},
    cli_runner::TellerCli,
    mail_server::MailServer,
    principal::{Principal, golden_data, refusal, with_data},
    webhook_receiver::WebhookReceiver,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_closed_customer_is_erased_everywhere_and_the_books_verify,
        nobody_erases_alone_or_too_early,
        a_service_that_was_away_erases_its_part_later,
        an_erasure_that_fails_delays_no_other,
    ]
}

/// Part of every text about the holder in these facts.
const SECRET: &str = "zdislava";

fn holder(webhook: Option<String>) -> Holder {
    Holder {
        name: format!("{SECRET} Zapomenutá"),
        email: Some(format!("{SECRET}@example.com")),
        webhook,
        language: "cs".to_owned(),
    }
}

/// A transfer with both texts.
fn told(transfer: Transfer) -> Transfer {
    let text = |of: &str| Some(format!("{of} {SECRET}"));
    Transfer { reference: text("rent"), end_to_end_id: text("id"), ..transfer }
}

/// A supervisor's command to erase an account, approved by another supervisor.
async fn erase(bank: &Bank, account_id: AccountId) -> Result<MessageId> {
    let maker = Principal::of_role(bank, RoleCode::Supervisor).await?;
    let approver = Principal::of_role(bank, RoleCode::Supervisor).await?;
    let id = MessageId::new();
    let requested = maker.ask(Message::of(id, EraseHolder { account_id })).await?;
    ensure!(is_requested(&requested), "{requested}");
    let alone = approve(&maker, "accounts", id).await?;
    ensure!(refusal(&alone) == Some("not_permitted"), "nobody approves its own command: {alone}");
    let approved = approve(&approver, "accounts", id).await?;
    ensure!(approved["type"] == "accounts.approvals.approved.v1", "{approved}");
    Ok(id)
}

async fn close(client: &BankClient, account_id: AccountId, payout: AccountId) -> Result<()> {
    client.request(CloseAccount { account_id, payout: Some(payout) }).await?;
    client.wait_event(AccountClosed::TYPE, account_id).await
}

/// A customer's life that leaves texts wherever a service keeps any.
async fn live(client: &mut BankClient, webhook: String) -> Result<(AccountId, AccountId)> {
    let of_secret = |opening: &mut OpenAccount| opening.holder = holder(Some(webhook.clone()));
    let (bob, gone) = (client.account("bob").await?, client.account_with("ada", of_secret).await?);
    client.wait_recipients().await?;
    client.deposit(bob, "100").await?;
    let renamed = Holder { name: format!("{SECRET} Tichá"), ..holder(Some(webhook)) };
    client.request(UpdateHolder { account_id: gone, holder: renamed }).await?;
    let reason = format!("a court asks for {SECRET}");
    client.request(FreezeAccount { account_id: gone, reason, blocks: Blocks::Debits }).await?;
    client.request(UnfreezeAccount { account_id: gone }).await?;
    let (of_bob, of_gone) = (customer(bob), customer(gone));
    for (paid, expected) in [
        (told(transfer(cash(), of_gone.clone(), "50")?), "posted"),
        (told(transfer(of_bob.clone(), of_gone.clone(), "10")?), "posted"),
        (told(transfer(of_gone.clone(), of_bob.clone(), "5")?), "posted"),
        (told(transfer(of_gone.clone(), of_bob.clone(), "5000")?), "insufficient_funds"),
        (transfer(of_bob, cash(), "1")?, "posted"),
    ] {
        let outcome = client.submit(paid).await?;
        ensure!(outcome == expected, "{outcome} instead of {expected}");
    }
    let mut order = golden_data("ledger.order.set.v1")?;
    order["account_id"] = json!(bob);
    order["terms"]["creditor"] = json!({ "account_id": gone });
    order["terms"]["money"] = json!({ "amount": "1", "currency": "EUR" });
    order["terms"]["reference"] = json!(format!("order for {SECRET}"));
    order["terms"]["schedule"] = json!({ "first": Utc::now().date_naive() + TimeDelta::days(300) });
    let clerk = Principal::of_role(&client.bank, RoleCode::Clerk).await?;
    let ordered = clerk.ask(with_data("ledger.order.set.v1", &order)?).await?;
    ensure!(ordered["type"] == "ledger.order.changed.v1", "{ordered}");
    Ok((bob, gone))
}

/// The tables of a service whose rows have the secret, as text or as bytes.
async fn tables_with_secret(bank: &Bank, service: &str) -> Result<Vec<String>> {
    let pool = bank.pool(service).await?;
    let tables = sqlx::query(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY name",
    );
    let mut found = vec![];
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    for row in tables.fetch_all(&pool).await? {
        let table: String = row.try_get("name")?;
        let query = format!(
            "SELECT count(*) FROM {table} AS of_table
             WHERE of_table::text ILIKE '%{SECRET}%' OR of_table::text LIKE '%{hex}%'"
        );
        if bank.number(service, &query).await? > 0 {
            found.push(table);
        }
    }
    Ok(found)
}

async fn secret_is_nowhere(bank: &Bank, instances: &[Instance]) -> Result<()> {
    for service in SERVICES {
        let found = tables_with_secret(bank, service).await?;
        ensure!(found.is_empty(), "{service} still has the secret in {found:?}");
        let waiting = bank.waiting(service).await?;
        ensure!(waiting.iter().all(|(_, count)| *count == 0), "{waiting:?}");
        ensure!(bank.parked(service).await?.is_empty(), "{service} has parked messages");
    }
    for instance in instances {
        let log = instance.log()?.to_lowercase();
        let line = log.lines().find(|line| line.contains(SECRET));
        ensure!(line.is_none(), "a log has {line:?}");
    }
    Ok(())
}

async fn verifies(bank: &Bank) -> Result<Value> {
    let proof = TellerCli::of(bank)?.run(&["--json", "audit", "verify"]).await?;
    ensure!(proof.code == 0, "{} {}", proof.out, proof.err);
    Ok(serde_json::from_str(&proof.out)?)
}

async fn a_closed_customer_is_erased_everywhere_and_the_books_verify(bank: Bank) -> Result<()> {
    let (mails, receiver) =
        (MailServer::open(&[]).await?, WebhookReceiver::open(&bank, &[]).await?);
    bank.set("notifications", "BANKWIRE_SMTP__URL", mails.url());
    bank.set("accounts", "BANKWIRE_ERASURE__DAYS_AFTER_CLOSING", "0");
    let instances = bank.start_all(&SERVICES).await?;
    let mut client = BankClient::new(bank.clone())?;
    let webhook = format!("{}?{SECRET}", receiver.url());
    let (bob, gone) = live(&mut client, webhook).await?;
    close(&client, gone, bob).await?;
    wait_for("deliveries end", PATIENCE, async || {
        let pending = "SELECT count(*) FROM deliveries WHERE status = 'pending'";
        Ok(bank.number("notifications", pending).await? == 0)
    })
    .await?;
    for (service, table) in [
        ("accounts", "public.history"),
        ("ledger", "public.orders"),
        ("notifications", "public.recipients"),
    ] {
        let found = tables_with_secret(&bank, service).await?;
        ensure!(found.iter().any(|name| name == table), "{service} never had it: {found:?}");
    }
    let before = verifies(&bank).await?;
    ensure!(before["erased"] == Value::Null, "{before}");

    erase(&bank, gone).await?;
    client.wait_event(HolderErasureCompleted::TYPE, gone).await?;
    let texts = bank.events().of_kind(TextsErased::TYPE).await?;
    let texts: TextsErased = serde_json::from_str(texts[0].event.data.to_string().as_str())?;
    ensure!((texts.account_id, texts.records, texts.kept) == (gone, 5, 0), "{texts:?}");
    let told_to = bank.events().of_kind(RecipientErased::TYPE).await?;
    ensure!(told_to.len() == 1 && told_to[0].event.data["notifications"].as_u64() > Some(0));
    let left = "SELECT count(*) FROM notifications WHERE account_id = '{gone}'";
    let left = left.replace("{gone}", &gone.to_string());
    ensure!(bank.number("notifications", &left).await? == 0, "the holder's notifications stay");
    // By then, days after the closing, retention has removed answers and what others were told.
    for service in SERVICES {
        bank.execute(service, "TRUNCATE bus.inbox").await?;
    }
    bank.execute("notifications", "TRUNCATE attempts, deliveries, notifications").await?;
    secret_is_nowhere(&bank, &instances).await?;

    let after = verifies(&bank).await?;
    ensure!(after["erased"] == 5, "{after}");
    ensure!(after["ends"] == before["ends"], "the chains of the journal have not moved");
    // The one text that is left is of another customer: without an erasure it may not go.
    let others = "UPDATE journal SET reference = NULL, end_to_end_id = NULL, salt = NULL
        WHERE place = (SELECT max(place) FROM journal WHERE salt IS NOT NULL)
            AND salt IS NOT NULL";
    let paid =
        Transfer { reference: Some("for Bob".to_owned()), ..transfer(customer(bob), cash(), "2")? };
    ensure!(client.submit(paid).await? == "posted");
    bank.execute("ledger", others).await?;
    let proof = TellerCli::of(&bank)?.run(&["--json", "audit", "verify"]).await?;
    let found: Value = serde_json::from_str(&proof.out).context(proof.err)?;
    ensure!(proof.code == 4 && found["column"] == "salt", "{found}");
    Ok(())
}

async fn nobody_erases_alone_or_too_early(bank: Bank) -> Result<()> {
    let services = bank.start_all(&SERVICES).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (bob, ada) = (client.account("bob").await?, client.account("ada").await?);
    let supervisor = Principal::of_role(&bank, RoleCode::Supervisor).await?;
    let open = supervisor.command(EraseHolder { account_id: ada }).await?;
    ensure!(refusal(&open) == Some("wrong_status"), "{open}");
    close(&client, ada, bob).await?;
    let early = supervisor.command(EraseHolder { account_id: ada }).await?;
    ensure!(refusal(&early) == Some("wrong_status"), "{early}");
    let message = early["data"]["message"].as_str().context("a refusal has a message")?;
    ensure!(message.contains("closed too recently"), "{message}");
    let unknown = supervisor.command(EraseHolder { account_id: AccountId::new() }).await?;
    ensure!(refusal(&unknown) == Some("unknown_account"), "{unknown}");
    for role in [RoleCode::CustomerChannel, RoleCode::Clerk, RoleCode::Operator] {
        let who = Principal::of_role(&bank, role).await?;
        let refused = who.command(EraseHolder { account_id: ada }).await?;
        ensure!(refusal(&refused) == Some("not_permitted"), "{role:?}: {refused}");
        let who = &who.client.name;
        let mut logs = services.iter().map(Instance::log).collect::<Result<Vec<_>>>()?.into_iter();
        let is_logged = |line: &str| line.contains("refused a message") && line.contains(who);
        ensure!(logs.any(|log| log.lines().any(is_logged)), "no log names {who}");
    }
    let back = "UPDATE accounts SET changed_at = changed_at - interval '100 days'";
    bank.execute("accounts", back).await?;
    erase(&bank, ada).await?;
    client.wait_event(HolderErased::TYPE, ada).await?;
    client.wait_event(HolderErasureCompleted::TYPE, ada).await?;
    // Where a service has lost its part, or a backup has brought it back.
    erase(&bank, ada).await?;
    bank.events().wait_for(HolderErasureCompleted::TYPE, 2).await?;
    Ok(())
}

async fn a_service_that_was_away_erases_its_part_later(bank: Bank) -> Result<()> {
    bank.set("accounts", "BANKWIRE_ERASURE__DAYS_AFTER_CLOSING", "0");
    let services = bank.start_all(&SERVICES).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (bob, ada) = (client.account("bob").await?, client.account("ada").await?);
    client.wait_recipients().await?;
    ensure!(client.submit(told(transfer(cash(), customer(ada), "5")?)).await? == "posted");
    close(&client, ada, bob).await?;
    let ledger = services.iter().find(|instance| instance.label().starts_with("ledger"));
    ledger.context("the ledger runs")?.kill().await?;
    erase(&bank, ada).await?;
    client.wait_event(RecipientErased::TYPE, ada).await?;
    let completed = bank.events().of_kind(HolderErasureCompleted::TYPE).await?;
    ensure!(completed.is_empty(), "the ledger has erased nothing yet");
    bank.start("ledger").await?;
    client.wait_event(HolderErasureCompleted::TYPE, ada).await?;
    let texts = "SELECT count(*) FROM journal WHERE reference IS NOT NULL AND record LIKE '%{id}%'";
    let texts = bank.number("ledger", &texts.replace("{id}", &ada.to_string())).await?;
    ensure!(texts == 0, "{texts} texts are left");
    Ok(())
}

async fn an_erasure_that_fails_delays_no_other(bank: Bank) -> Result<()> {
    bank.set("accounts", "BANKWIRE_ERASURE__DAYS_AFTER_CLOSING", "0");
    let mut client = BankClient::with_services(bank.clone()).await?;
    let (bob, ada) = (client.account("bob").await?, client.account("ada").await?);
    let eve = client.account("eve").await?;
    client.wait_recipients().await?;
    for account in [ada, eve] {
        ensure!(client.submit(told(transfer(cash(), customer(account), "5")?)).await? == "posted");
        close(&client, account, bob).await?;
    }
    let broken = format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'this erasure fails'; END $$;
         CREATE TRIGGER fail BEFORE UPDATE ON erasures FOR EACH ROW
             WHEN (NEW.account_id = '{ada}') EXECUTE FUNCTION fail()"
    );
    bank.execute("ledger", &broken).await?;
    erase(&bank, ada).await?;
    client.wait_event(RecipientErased::TYPE, ada).await?;
    erase(&bank, eve).await?;
    client.wait_event(HolderErasureCompleted::TYPE, eve).await?;
    let completed = bank.events().of_kind(HolderErasureCompleted::TYPE).await?;
    ensure!(completed.len() == 1, "an erasure that fails is not completed");
    bank.execute("ledger", "DROP TRIGGER fail ON erasures").await?;
    client.wait_event(HolderErasureCompleted::TYPE, ada).await
}
