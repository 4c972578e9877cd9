//! The bank by its command line. Promise: each group of commands works as documented, the exit code
//! tells a script how to go on, and a fault is named.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, binaries::scratch_file, facts, today, wait_for};
use serde_json::{Value, json};
use shared_events::{MessageId, topology::SERVICES};

use super::{
    cli_runner::{CliOutput, TellerCli},
    mail_server::MailServer,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        an_account_is_led_through_its_life,
        money_is_moved_and_accounted_for,
        a_file_of_payments_is_paid_row_by_row,
        the_same_id_sent_twice_happens_once,
        a_refusal_is_1_and_wrong_input_2_and_no_answer_3,
        preferences_are_set_and_notifications_listed,
        standing_orders_are_set_shown_and_cancelled,
    ]
}

async fn standing_orders_are_set_shown_and_cancelled(bank: Bank) -> Result<()> {
    let teller = open(bank.clone()).await?;
    account(&teller, "ada").await?;
    account(&teller, "bob").await?;
    teller.json(&["deposit", "ada", "100", "EUR"]).await?;
    let today = today(&bank).await?.to_string();
    let set = ["order", "set", "ada", "ref:bob", "40", "EUR", "--first", &today];
    let daily = ["--every", "2days", "--times", "3", "--on-holiday", "same", "--reference", "rent"];
    let actual = teller.json(&[&set[..], &daily].concat()).await?;
    let order = actual["order_id"].as_str().context("the reply has an id")?;
    ensure!(actual["id"] == order && actual["next_date"] == today.as_str(), "{actual}");
    wait_for("the first date is executed", PATIENCE, async || {
        let shown = teller.run(&["--json", "order", "show", "ada", order]).await?.json()?;
        Ok(shown["executions"][0]["status"] == "executed")
    })
    .await?;
    ensure!(teller.json(&["balance", "ref:bob"]).await?["balance"] == "40");
    let shown = teller.run(&["order", "show", "ada", order]).await?;
    let said = ["every 2 days", "3 times", "40.00 EUR", "executed", "rent"];
    ensure!(said.iter().all(|word| shown.out.contains(word)), "{shown:?}");
    let weekly = ["--every", "week", "--on", "fri", "--order", order, "--retry-days", "2"];
    let actual = teller.json(&[&set[..], &weekly].concat()).await?;
    let weeks = json!({"weeks": {"every": 1, "on": "friday"}});
    ensure!(
        actual["terms"]["schedule"]["repeat"] == weeks && actual["order_id"] == order,
        "{actual}"
    );
    let listed = teller.json(&["order", "list", "ada"]).await?;
    ensure!(listed["orders"][0]["last_execution"]["due_date"] == today.as_str(), "{listed}");
    let table = teller.run(&["order", "list", "ada"]).await?;
    ensure!(table.out.contains("every week on friday"), "{table:?}");
    teller.json(&["order", "cancel", "ada", order]).await?;
    let listed = teller.json(&["order", "list", "ada"]).await?;
    ensure!(listed["orders"] == json!([]), "{listed}");
    refused(&teller, &["order", "cancel", "ada", order], "unknown_order").await?;
    refused(&teller, &[&set[..], &["--retry-days", "31"]].concat(), "invalid_field").await?;
    let wrong = teller.run(&[&set[..], &["--every", "fortnight"]].concat()).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("every"), "{wrong:?}");
    let wrong = teller.run(&[&set[..], &["--on-holiday", "never"]].concat()).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("on_holiday"), "{wrong:?}");
    Ok(())
}

async fn open(bank: Bank) -> Result<TellerCli> {
    bank.start_all(&SERVICES).await?;
    TellerCli::of(&bank)
}

/// Opens an account that is called by its external reference from then on.
async fn account(teller: &TellerCli, reference: &str) -> Result<Value> {
    let (name, currency) = (["--name", reference], ["--currency", "EUR"]);
    let called = ["--external-reference", reference];
    let arguments = [&["account", "open"][..], &name, &currency, &called].concat();
    Ok(teller.json(&arguments).await?["account"].clone())
}

async fn an_account_is_led_through_its_life(bank: Bank) -> Result<()> {
    let teller = open(bank).await?;
    let ada = account(&teller, "ada").await?;
    ensure!(ada["status"] == "active" && ada["holder"]["name"] == "ada", "{ada}");
    account(&teller, "bob").await?;
    for name in ["account_id", "iban", "external_reference"] {
        let name = ada[name].as_str().context("the account has this name")?;
        let shown = teller.json(&["account", "show", name]).await?;
        ensure!(shown == ada, "{name}: {shown}");
    }
    let frozen = teller.json(&["account", "freeze", "ada", "--reason", "lost card"]).await?;
    ensure!(frozen["account"]["status"] == "frozen", "{frozen}");
    let list = teller.json(&["account", "list", "--status", "frozen"]).await?;
    ensure!(list == json!([frozen["account"]]), "{list}");
    refused(&teller, &["withdraw", "ada", "1", "EUR"], "account_frozen").await?;
    refused(&teller, &["account", "close", "ada"], "wrong_status").await?;
    let unfrozen = teller.json(&["account", "unfreeze", "ada"]).await?;
    ensure!(unfrozen["account"]["status"] == "active", "{unfrozen}");
    let limited = teller.json(&["limits", "set", "ada", "--overdraft", "12.50"]).await?;
    ensure!(limited["account"]["overdraft_limit"] == "12.5", "{limited}");
    let language = ["holder", "update", "ada", "--name", "Ada King", "--language", "de"];
    let holder = &teller.json(&language).await?["account"]["holder"];
    ensure!(*holder == json!({"name": "Ada King", "language": "de"}), "{holder}");
    teller.json(&["deposit", "ada", "5", "EUR"]).await?;
    refused(&teller, &["account", "close", "ada"], "balance_not_zero").await?;
    teller.json(&["withdraw", "ada", "5", "EUR"]).await?;
    let closed = teller.json(&["account", "close", "ada"]).await?;
    ensure!(closed["account"]["status"] == "closed", "{closed}");
    refused(&teller, &["deposit", "ada", "1", "EUR"], "account_closed").await?;
    let table = teller.run(&["account", "list"]).await?;
    ensure!(table.code == 0 && table.out.contains("Ada King"), "{table:?}");
    ensure!(table.out.contains("closed") && table.out.contains("bob"), "{table:?}");
    Ok(())
}

async fn money_is_moved_and_accounted_for(bank: Bank) -> Result<()> {
    let teller = open(bank).await?;
    let ada = account(&teller, "ada").await?;
    account(&teller, "bob").await?;
    teller.json(&["deposit", "ada", "100", "EUR", "--booking-date", "2026-01-10"]).await?;
    let rent = ["transfer", "ada", "bob", "30.50", "EUR", "--reference", "Rent"];
    let rent = [&rent[..], &["--booking-date", "2026-01-31", "--end-to-end-id", "r-1"]].concat();
    let rent = teller.json(&rent).await?;
    ensure!(rent["transfer"]["debtor"]["balance"] == "69.5", "{rent}");
    let id = rent["id"].as_str().context("the id is told")?;
    let status = teller.json(&["transfer-status", id]).await?;
    ensure!(status["status"] == "posted" && status["reference"] == "Rent", "{status}");
    refused(&teller, &["transfer", "bob", "ada", "31", "EUR"], "insufficient_funds").await?;
    teller.json(&["transfer", "bob", "code:fees", "0.50", "EUR"]).await?;
    let balance = teller.json(&["balance", "bob"]).await?;
    ensure!(balance["balance"] == "30" && balance["version"] == 3, "{balance}");
    let cash = teller.run(&["balance", "code:cash", "--currency", "EUR"]).await?;
    ensure!(cash.code == 0 && cash.out.contains("-100.00 EUR"), "{cash:?}");
    let statement = teller.json(&["statement", "ada"]).await?;
    let entry = |entry: &Value| {
        let fields = ["direction", "amount", "balance_after", "booking_date", "end_to_end_id"];
        fields.map(|field| entry[field].as_str().unwrap_or("-").to_owned()).join(" ")
    };
    let actual: Vec<String> =
        statement["entries"].as_array().into_iter().flatten().map(entry).collect();
    let expected = ["credit 100 100 2026-01-10 -", "debit 30.5 69.5 2026-01-31 r-1"];
    ensure!(actual == expected && statement["account_id"] == ada["account_id"], "{statement}");
    let january = ["statement", "ada", "--from", "2026-01-11", "--to", "2026-01-31"];
    let table = teller.run(&january).await?;
    ensure!(table.out.contains("Rent") && !table.out.contains("2026-01-10"), "{table:?}");
    let sums = teller.json(&["trial-balance"]).await?;
    let balances: Vec<&Value> =
        sums["lines"].as_array().into_iter().flatten().map(|line| &line["balance"]).collect();
    ensure!(balances == ["99.5", "-100", "0.5"], "{sums}");
    Ok(())
}

async fn a_file_of_payments_is_paid_row_by_row(bank: Bank) -> Result<()> {
    let teller = open(bank).await?;
    account(&teller, "ada").await?;
    account(&teller, "bob").await?;
    teller.json(&["deposit", "ada", "100", "EUR"]).await?;
    let file = scratch_file("csv")?;
    let path = file.to_str().context("a path is text")?;
    let good = "debtor,creditor,amount,currency,reference\nada,bob,10.00,EUR,One\n";
    let bad = "ada,bob,1.234,EUR,Two\nada,bob,5,EURO,Three\n";
    let poor = "bob,ada,10.01,EUR,Four\nada,bob,20,EUR,Five\n";
    let id = MessageId::new().to_string();
    let pay = ["--json", "pay", path, "--id", &id];
    // The file as written, corrected in part, and corrected in full. A decision on a row stays.
    for (content, code, posted, rejected, bad_rows) in [
        (format!("{good}{bad}{poor}"), 1, 2, 1, json!([[3, "amount"], [4, "currency"]])),
        (format!("{good}{bad}"), 2, 1, 0, json!([[3, "amount"], [4, "currency"]])),
        (good.to_owned(), 0, 1, 0, json!([])),
    ] {
        std::fs::write(&file, content)?;
        for _again in 0..2 {
            let output = teller.run(&pay).await?;
            let paid = output.json()?;
            ensure!(output.code == code, "{output:?}");
            ensure!(paid["posted"] == posted && paid["rejected"] == rejected, "{paid}");
            let named = paid["bad_rows"].as_array().into_iter().flatten();
            let named: Vec<Value> = named.map(|row| json!([row["line"], row["field"]])).collect();
            ensure!(json!(named) == bad_rows, "{paid}");
        }
    }
    std::fs::write(&file, format!("{good}{bad}{poor}"))?;
    let table = teller.run(&["pay", path, "--id", &id]).await?;
    ensure!(table.out.contains("insufficient_funds"), "{table:?}");
    ensure!(table.out.contains("more digits than EUR has (2)"), "{table:?}");
    let balance = teller.json(&["balance", "bob"]).await?;
    ensure!(balance["balance"] == "30", "a row was paid more than once: {balance}");
    std::fs::remove_file(&file)?;
    Ok(())
}

async fn the_same_id_sent_twice_happens_once(bank: Bank) -> Result<()> {
    let teller = open(bank.clone()).await?;
    account(&teller, "ada").await?;
    let id = MessageId::new().to_string();
    let deposit = |amount| ["deposit", "ada", amount, "EUR", "--id", &id];
    let first = teller.json(&deposit("10")).await?;
    ensure!(first["id"] == id.as_str(), "{first}");
    let second = teller.json(&deposit("10")).await?;
    ensure!(first == second, "{first} and then {second}");
    refused(&teller, &deposit("11"), "idempotency_conflict").await?;
    let balance = teller.json(&["balance", "ada"]).await?;
    ensure!(balance["balance"] == "10", "{balance}");
    let id = MessageId::new().to_string();
    let open = ["account", "open", "--name", "Bob", "--currency", "EUR", "--id", &id];
    let first = teller.json(&open).await?;
    ensure!(first == teller.json(&open).await?, "{first}");
    let accounts = bank.number("accounts", "SELECT count(*) FROM accounts").await?;
    ensure!(accounts == 2, "{accounts} accounts");
    Ok(())
}

async fn a_refusal_is_1_and_wrong_input_2_and_no_answer_3(bank: Bank) -> Result<()> {
    let instances = bank.start_all(&SERVICES).await?;
    let teller = TellerCli::of(&bank)?;
    account(&teller, "ada").await?;
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (arguments, code, said) in [
        (vec!["balance", "nobody"], 1, "refused: not_found: "),
        (vec!["account", "unfreeze", "ada"], 1, "refused: wrong_status: "),
        (vec!["transfer", "ada", nobody, "1", "EUR"], 1, "refused: unknown_account: "),
        (vec!["transfer", "ada", "code:tea", "1", "EUR"], 2, "creditor: "),
        (vec!["deposit", "ada", "1", "CZK"], 1, "refused: currency_mismatch: "),
        (vec!["deposit", "ada", "1.005", "EUR"], 2, "amount: more digits than EUR has (2)"),
        (vec!["limits", "set", "ada", "--overdraft", "-1"], 2, "overdraft"),
        (vec!["holder", "update", "ada", "--email", "ada"], 2, "email: not an e-mail address"),
        (vec!["account", "freeze", "ada", "--reason", ""], 2, "reason: "),
        (vec!["statement", "ada", "--from", "tomorrow"], 2, "from: not a date"),
        (vec!["preferences", "set", "ada", "--topics", "rain"], 2, "topics: "),
    ] {
        let output = teller.run(&arguments).await?;
        ensure!(output.code == code && output.out.is_empty(), "{arguments:?}: {output:?}");
        ensure!(output.err.contains(said), "{arguments:?}: {output:?}");
    }
    let ledger = instances.iter().find(|instance| instance.label().starts_with("ledger"));
    ledger.context("the instance was started")?.stop().await?;
    let output = teller.run(&["deposit", "ada", "1", "EUR", "--timeout", "1"]).await?;
    ensure!(output.code == 3 && output.err.contains("again with the same id"), "{output:?}");
    Ok(())
}

async fn preferences_are_set_and_notifications_listed(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    bank.set("notifications", "BANKWIRE_SMTP__URL", mail_server.url());
    let teller = open(bank).await?;
    let person = ["--name", "Ada", "--email", "ada@example.com", "--currency", "EUR"];
    let arguments = [&["account", "open", "--external-reference", "ada"][..], &person].concat();
    teller.json(&arguments).await?;
    teller.json(&["deposit", "ada", "1", "EUR"]).await?;
    mail_server.wait(1).await?;
    let topics = ["preferences", "set", "ada", "--topics", "transfer_rejected", "--no-webhook"];
    let set = teller.json(&topics).await?;
    let topics = &set["preferences"]["topics"];
    ensure!(*topics == json!(["transfer_rejected"]), "{set}");
    ensure!(set["preferences"]["webhook"] == false, "{set}");
    teller.json(&["deposit", "ada", "1", "EUR"]).await?;
    refused(&teller, &["withdraw", "ada", "5", "EUR"], "insufficient_funds").await?;
    mail_server.wait(2).await?;
    let list = teller.json(&["notifications", "list", "--account", "ada"]).await?;
    let actual: Vec<String> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(|notification| {
            format!("{} {}", notification["topic"], notification["deliveries"][0]["channel"])
        })
        .collect();
    let newest_first = [
        r#""transfer_rejected" "email""#,
        r#""transfer_posted" null"#,
        r#""transfer_posted" "email""#,
    ];
    ensure!(actual == newest_first, "{list}");
    let table = teller.run(&["notifications", "list"]).await?;
    ensure!(table.code == 0 && table.out.contains("transfer_rejected"), "{table:?}");
    Ok(())
}

/// The bank says no, for this reason, to people and to programs.
pub(super) async fn refused(
    teller: &TellerCli,
    arguments: &[&str],
    reason: &str,
) -> Result<CliOutput> {
    let output = teller.run(&[&["--json"], arguments].concat()).await?;
    let last = output.err.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(last).with_context(|| format!("{output:?}"))?;
    ensure!(output.code == 1 && error["error"]["code"] == reason, "{arguments:?}: {output:?}");
    Ok(output)
}
