//! The access log. Promise: every query of an author leaves an entry in the service that was asked,
//! before its answer leaves; without an entry nothing is answered; auditors alone read the log.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Message as _, MessageId,
    access::RoleCode,
    accounts::{AccountKey, GetAccount},
    refusal::MessageRefused,
    topology::SERVICES,
};

use crate::{
    bank_client::BankClient,
    cli_runner::TellerCli,
    principal::{Principal, bounded, refusal, with_data},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        each_query_leaves_one_entry_in_the_service_that_was_asked,
        a_query_that_comes_twice_leaves_an_entry_each_time,
        nothing_is_answered_without_an_entry,
        old_days_are_dropped_and_a_missing_day_stops_nobody,
        auditors_alone_read_the_log,
        teller_merges_the_logs_of_all_services,
    ]
}

const BALANCE: &str = "ledger.balance.get.v1";
const LIST: &str = "ledger.access_log.list.v1";

/// An entry: principal, actor, type, subject, outcome.
type Entry = (String, Option<String>, String, Option<String>, String);

async fn entries(bank: &Bank, service: &str, query: MessageId) -> Result<Vec<Entry>> {
    let statement = "SELECT principal, actor, query_type, subject, outcome FROM bus.access_log
        WHERE query_id = $1";
    let pool = bank.pool(service).await?;
    Ok(sqlx::query_as(statement).bind(query.uuid()).fetch_all(&pool).await?)
}

/// Asks, and returns the one entry of the query, which is in the log of the asked service alone.
async fn logged(bank: &Bank, who: &Principal, message: Message) -> Result<Entry> {
    let id = message.id();
    let reply = who.ask(message).await?;
    let mut found = vec![];
    for service in SERVICES {
        let entries = entries(bank, service, id).await?;
        found.extend(entries.into_iter().map(|entry| (service, entry)));
    }
    let [(service, entry)] = &found[..] else { anyhow::bail!("{reply}: {found:?}") };
    ensure!(entry.2.starts_with(service), "{found:?}");
    ensure!(entry.0 == who.client.name, "{found:?}");
    let is_refused = reply["type"] == MessageRefused::TYPE;
    let code = refusal(&reply).filter(|_| is_refused).unwrap_or("answered");
    ensure!(entry.4 == code, "{reply}: {found:?}");
    Ok(entry.clone())
}

/// Asks, and checks the subject and the outcome of the one entry.
async fn check(
    bank: &Bank,
    who: &Principal,
    message: Message,
    (subject, outcome): (Option<&str>, &str),
) -> Result<()> {
    let entry = logged(bank, who, message).await?;
    ensure!((entry.3.as_deref(), &*entry.4) == (subject, outcome), "{entry:?}");
    Ok(())
}

async fn each_query_leaves_one_entry_in_the_service_that_was_asked(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    client.deposit(ada, "5").await?;
    let bank = client.bank.clone();
    let role = async |role| Principal::of_role(&bank, role).await;
    let (clerk, auditor) = (role(RoleCode::Clerk).await?, role(RoleCode::Auditor).await?);
    let stranger = bounded(RoleCode::Clerk, &["brno"], None)?;
    let stranger = Principal::new(&bank, vec![stranger]).await?;
    let id = ada.to_string();
    let account = json!({ "account": { "account_id": ada } });
    let entry = logged(&bank, &clerk, with_data(BALANCE, &account)?).await?;
    let expected = (Some("jana.novakova@branch-7"), BALANCE, Some(&*id), "answered");
    ensure!((entry.1.as_deref(), &*entry.2, entry.3.as_deref(), &*entry.4) == expected);

    let found = client.query(GetAccount { key: AccountKey::AccountId(ada) }).await?;
    let iban = found.account.iban.to_string();
    let cash = "SELECT id::text FROM accounts WHERE code = 'cash' AND currency = 'EUR'";
    let cash: String = sqlx::query_scalar(cash).fetch_one(&bank.pool("ledger").await?).await?;
    let nobody = AccountId::new().to_string();
    let by_iban = json!({ "key": { "iban": iban } });
    let answered = |subject| (subject, "answered");
    for (who, kind, data, then) in [
        (&stranger, BALANCE, account.clone(), (Some(&*id), "not_permitted")),
        (&clerk, "ledger.books.get.v1", golden("ledger.books.get.v1")?, (None, "not_permitted")),
        (&clerk, "accounts.account.get.v1", by_iban.clone(), answered(Some(&*id))),
        (&stranger, "accounts.account.get.v1", by_iban, (Some(&*iban), "not_permitted")),
        (
            &clerk,
            BALANCE,
            json!({ "account": { "code": "cash" }, "currency": "EUR" }),
            answered(Some(&*cash)),
        ),
        (
            &clerk,
            BALANCE,
            json!({ "account": { "account_id": nobody } }),
            (Some(&*nobody), "not_found"),
        ),
        (&clerk, BALANCE, json!({ "account": 7 }), (None, "unreadable")),
        (&clerk, "accounts.account.list.v1", json!({}), answered(None)),
        (&auditor, LIST, json!({ "subject": ada }), answered(None)),
        (&clerk, "notifications.access_log.list.v1", json!({}), (None, "not_permitted")),
        (&auditor, "accounts.parked.list.v1", json!({}), answered(None)),
        (&clerk, "accounts.parked.list.v1", json!({}), (None, "not_permitted")),
        (
            &auditor,
            "ledger.parked.get.v1",
            json!({ "message": "fp-none" }),
            (Some("fp-none"), "not_found"),
        ),
        (&clerk, "notifications.approvals.list.v1", json!({}), answered(None)),
        (
            &auditor,
            "accounts.approvals.get.v1",
            json!({ "command_id": nobody }),
            (Some(&*nobody), "not_found"),
        ),
    ] {
        let checked = check(&bank, who, with_data(kind, &data)?, then).await;
        checked.with_context(|| format!("{kind} {data}"))?;
    }
    let body = with_data(BALANCE, &account)?.with_content_type("text/plain");
    check(&bank, &clerk, body, (None, "unreadable")).await?;
    commands_leave_none(&bank).await
}

async fn commands_leave_none(bank: &Bank) -> Result<()> {
    let commands = "SELECT count(*) FROM bus.access_log
        WHERE query_type !~ '\\.(get|list|find)\\.v1$' OR asked_at > now() + interval '1 minute'";
    for service in SERVICES {
        let count = bank.number(service, commands).await?;
        ensure!(count == 0, "{service}: {count} entries that are no query's");
        let rest = bank.number(service, "SELECT count(*) FROM bus.access_log_rest").await?;
        ensure!(rest == 0, "{service}: {rest} entries without a day");
    }
    Ok(())
}

fn golden(kind: &str) -> Result<Value> {
    crate::principal::golden_data(kind)
}

async fn a_query_that_comes_twice_leaves_an_entry_each_time(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let message = with_data(BALANCE, &json!({ "account": { "account_id": ada } }))?;
    let id = message.id();
    for _ in 0..2 {
        let reply = clerk.ask(message.clone()).await?;
        ensure!(reply["type"] == "ledger.balance.found.v1", "{reply}");
    }
    let found = entries(&bank, "ledger", id).await?;
    ensure!(found.len() == 2 && found[0] == found[1], "{found:?}");
    Ok(())
}

async fn nothing_is_answered_without_an_entry(bank: Bank) -> Result<()> {
    bank.start("accounts").await?;
    bank.start("notifications").await?;
    let ledger = bank.start("ledger").await?;
    let mut client = BankClient::new(bank)?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let balance = || with_data(BALANCE, &json!({ "account": { "account_id": ada } }));
    let approvals = || with_data("ledger.approvals.list.v1", &json!({}));
    let books = || with_data("ledger.books.get.v1", &golden("ledger.books.get.v1")?);
    bank.execute("ledger", "REVOKE INSERT ON bus.access_log FROM ledger").await?;
    for message in [balance()?, approvals()?, books()?] {
        let id = message.id();
        let reply = clerk.ask(message).await?;
        let why = reply["data"]["message"].as_str().unwrap_or_default();
        ensure!(refusal(&reply) == Some("unavailable"), "{reply}");
        ensure!(why.contains("the access log of this service cannot be written"), "{reply}");
        ensure!(entries(&bank, "ledger", id).await?.is_empty());
    }
    ledger.wait_log("the access log cannot be written; its queries are not answered").await?;
    ensure!(ledger.metric("bus_access_log_failures_total").await? >= 1.0);
    // Money moves, and the other services answer.
    ensure!(client.deposit(ada, "7").await? == "posted");
    client.query(GetAccount { key: AccountKey::AccountId(ada) }).await?;

    bank.execute("ledger", "GRANT INSERT ON bus.access_log TO ledger").await?;
    wait_for("the log is tried again", PATIENCE, async || {
        Ok(clerk.ask(balance()?).await?["data"]["balance"] == "7")
    })
    .await?;
    ensure!(clerk.ask(approvals()?).await?["type"] == "ledger.approvals.listed.v1");
    Ok(())
}

/// The table of the day so many days ago, with one entry.
fn old_day(days: u32) -> String {
    format!(
        "DO $$ DECLARE day constant date := (now() AT TIME ZONE 'UTC')::date - {days}; BEGIN
             EXECUTE format('CREATE TABLE bus.access_log_%s PARTITION OF bus.access_log
                 FOR VALUES FROM (%L) TO (%L)', to_char(day, 'YYYYMMDD'), bus.first_id(day),
                 bus.first_id(day + 1));
             INSERT INTO bus.access_log (entry_id, asked_at, query_type, principal, outcome)
             VALUES (bus.first_id(day), day, 'old', '{days}', 'answered');
         END $$"
    )
}

async fn old_days_are_dropped_and_a_missing_day_stops_nobody(bank: Bank) -> Result<()> {
    bank.start("accounts").await?;
    let ledger = bank.start("ledger").await?;
    let mut client = BankClient::new(bank)?;
    let ada = client.account("ada").await?;
    let bank = client.bank.clone();
    let days = r"SELECT count(*) FROM pg_class WHERE relname ~ '^access_log_[0-9]{8}$'";
    ensure!(bank.number("ledger", days).await? == 8, "today and the 7 days to come");
    for days in [401, 400, 3, 2] {
        bank.execute("ledger", &old_day(days)).await?;
    }
    let kept = async || -> Result<Vec<String>> {
        let principals = "SELECT principal FROM bus.access_log WHERE query_type = 'old' ORDER BY 1";
        Ok(sqlx::query_scalar(principals).fetch_all(&bank.pool("ledger").await?).await?)
    };
    ledger.stop().await?;
    ledger.start().await?;
    ensure!(kept().await? == ["2", "3", "400"], "{:?}", kept().await?);
    ensure!(bank.number("ledger", days).await? == 8 + 3);
    let today = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')";
    let today: String = sqlx::query_scalar(today).fetch_one(&bank.pool("ledger").await?).await?;
    bank.execute("ledger", &format!("DROP TABLE bus.access_log_{today}")).await?;
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let balance = with_data(BALANCE, &json!({ "account": { "account_id": ada } }))?;
    check(&bank, &clerk, balance, (Some(&ada.to_string()), "answered")).await?;
    ensure!(bank.number("ledger", "SELECT count(*) FROM bus.access_log_rest").await? == 1);

    ledger.stop().await?;
    bank.set("ledger", "BANKWIRE_ACCESS__LOG_DAYS", "2");
    let ledger = bank.start("ledger").await?;
    ensure!(kept().await? == ["2"], "{:?}", kept().await?);
    // Entries of today have no table, and no table is made around them.
    ensure!(bank.number("ledger", "SELECT count(*) FROM bus.access_log_rest").await? == 1);
    let role = bank.pool_of("ledger", "ledger").await?;
    let none = sqlx::query("SELECT bus.keep_access_log(7, 0)").execute(&role).await;
    let none = none.err().context("the log of today was dropped")?.to_string();
    ensure!(none.contains("keeps one day at least"), "{none}");
    ledger.stop().await
}

async fn auditors_alone_read_the_log(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let bank = client.bank.clone();
    for code in RoleCode::ALL.iter().filter(|code| **code != RoleCode::Auditor) {
        let who = Principal::of_role(&bank, *code).await?;
        for service in SERVICES {
            let kind = format!("{service}.access_log.list.v1");
            check(&bank, &who, with_data(&kind, &json!({}))?, (None, "not_permitted")).await?;
        }
    }
    let of_branch = Principal::new(&bank, vec![bounded(RoleCode::Auditor, &["main"], None)?]);
    let of_branch = of_branch.await?;
    check(&bank, &of_branch, with_data(LIST, &json!({}))?, (None, "not_permitted")).await?;

    let auditor = Principal::of_role(&bank, RoleCode::Auditor).await?;
    let clerks = [
        Principal::of_role(&bank, RoleCode::Clerk).await?,
        Principal::of_role(&bank, RoleCode::Clerk).await?,
    ];
    for (who, account) in [(0, ada), (0, bob), (1, ada), (0, ada)] {
        let data = json!({ "account": { "account_id": account } });
        clerks[who].ask(with_data(BALANCE, &data)?).await?;
    }
    let listed = async |query: Value| -> Result<Value> {
        let reply = auditor.ask(with_data(LIST, &query)?).await?;
        ensure!(reply["type"] == "ledger.access_log.listed.v1", "{reply}");
        Ok(reply["data"].clone())
    };
    let names = [&clerks[0].client.name, &clerks[1].client.name];
    let all = listed(json!({ "principal": names[0] })).await?;
    let subjects = column(&all, "subject");
    ensure!(subjects == [json!(ada), json!(bob), json!(ada)], "{all}");
    let about = listed(json!({ "subject": ada })).await?;
    let askers = column(&about, "principal");
    ensure!(askers == [json!(names[0]), json!(names[1]), json!(names[0])], "{about}");
    let both = listed(json!({ "subject": ada, "principal": names[1] })).await?;
    ensure!(column(&both, "principal") == [json!(names[1])], "{both}");

    // In pages, and in a time.
    let first = listed(json!({ "subject": ada, "limit": 2 })).await?;
    ensure!(first["entries"] == json!(about["entries"].as_array().context("a list")?[..2]));
    let rest = listed(json!({ "subject": ada, "limit": 2, "after": first["next"] })).await?;
    ensure!(rest["entries"] == json!([about["entries"][2]]) && rest["next"].is_null(), "{rest}");
    let at = &about["entries"][1]["asked_at"];
    let until = listed(json!({ "subject": ada, "until": at })).await?;
    let since = listed(json!({ "subject": ada, "since": at })).await?;
    let count = column(&until, "principal").len() + column(&since, "principal").len();
    ensure!(count == 3 && since["entries"][0] == about["entries"][1], "{until} {since}");
    let own = listed(json!({ "principal": auditor.client.name })).await?;
    ensure!(column(&own, "query_type").len() == 7, "the listings before this one: {own}");
    Ok(())
}

fn column(page: &Value, field: &str) -> Vec<Value> {
    let entries = page["entries"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry[field].clone()).collect()
}

async fn teller_merges_the_logs_of_all_services(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    bank.start("accounts").await?;
    bank.start("ledger").await?;
    let notifications = bank.start("notifications").await?;
    let mut client = BankClient::new(bank)?;
    let ada = client.account("ada").await?;
    client.wait_recipients().await?;
    let bank = client.bank.clone();
    let clerk = Principal::of_role(&bank, RoleCode::Clerk).await?;
    let name = &*clerk.client.name;
    let account = json!({ "account_id": ada });
    for (kind, data) in [
        ("notifications.preferences.get.v1", account.clone()),
        (BALANCE, json!({ "account": account })),
        ("accounts.account.get.v1", json!({ "key": account })),
    ] {
        check(&bank, &clerk, with_data(kind, &data)?, (Some(&ada.to_string()), "answered")).await?;
    }
    let log = ["access", "log", "--principal", name];
    let found = teller.json(&log).await?;
    let services = column(&found, "service");
    ensure!(services == ["notifications", "ledger", "accounts"], "{found}");
    ensure!(found["more"] == false && found["unanswered"] == json!([]), "{found}");
    let subject = ada.to_string();
    let of_ledger = ["access", "log", "--subject", &subject, "--service", "ledger"];
    let found = teller.json(&of_ledger).await?;
    ensure!(column(&found, "query_type") == [BALANCE], "{found}");
    let table = teller.run(&[&log[..], &["--limit", "2"]].concat()).await?;
    ensure!(table.code == 0 && table.err.contains("there are more: --after "), "{table:?}");
    ensure!(table.out.contains("(jana.novakova@branch-7)") && table.out.contains(&subject));
    ensure!(!table.out.contains("accounts.account.get.v1"), "{table:?}");

    notifications.stop().await?;
    wait_for("the service is gone", PATIENCE, async || Ok(!notifications.is_running().await?))
        .await?;
    let part = teller.run(&[&["--timeout", "3"][..], &log].concat()).await?;
    ensure!(part.code == 3 && part.out.contains(BALANCE), "{part:?}");
    ensure!(part.err.contains("error: entries of notifications are missing: "), "{part:?}");
    let part = teller.run(&[&["--json", "--timeout", "3"][..], &log].concat()).await?;
    let shown = part.json()?;
    ensure!(column(&shown, "service") == ["ledger", "accounts"], "{part:?}");
    ensure!(shown["unanswered"][0]["service"] == "notifications", "{part:?}");
    Ok(())
}
