//! Every kind of instruction by the command line. Promise: each does what its help says, a dry run
//! shows the same as then happens and changes nothing, and the same id again is the same.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, binaries::scratch_file, facts};
use serde_json::{Value, json};
use shared_events::{MessageId, topology::SERVICES};

use super::{clerk::Clerk, cli::refused};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_hold_is_placed_captured_and_released_by_teller,
        money_is_reversed_split_exchanged_and_dated_back_by_teller,
    ]
}

/// A bank in which ada has 100 euros, bob none, and yuki no yen.
async fn open(bank: Bank) -> Result<Clerk> {
    bank.start_all(&SERVICES).await?;
    let clerk = Clerk::of(&bank)?;
    for (name, currency) in [("ada", "EUR"), ("bob", "EUR"), ("yuki", "JPY")] {
        let open = ["account", "open", "--name", name, "--external-reference", name];
        clerk.json(&[&open[..], &["--currency", currency]].concat()).await?;
    }
    clerk.json(&["deposit", "ada", "100", "EUR"]).await?;
    Ok(clerk)
}

/// Tries a command out, runs it, and runs it again: what was told is each time the same.
async fn run(clerk: &Clerk, arguments: &[&str]) -> Result<Value> {
    let id = MessageId::new().to_string();
    let with_id = [arguments, &["--id", &id]].concat();
    let tried = clerk.json(&[&with_id[..], &["--dry-run"]].concat()).await?;
    let done = clerk.json(&with_id).await?;
    let again = clerk.json(&with_id).await?;
    ensure!(done == again && done["id"] == id.as_str(), "{done}\nand then\n{again}");
    ensure!(tried["dry_run"] == true && tried["id"].is_null(), "{tried}");
    if done["outcome"].is_object() {
        ensure!(tried["outcome"] == done["outcome"], "{tried}\nand then\n{done}");
    }
    Ok(done)
}

async fn balances(clerk: &Clerk, account: &str) -> Result<(String, String)> {
    let found = clerk.json(&["balance", account]).await?;
    let text = |field: &str| found[field].as_str().map(str::to_owned).context("an amount");
    Ok((text("balance")?, text("available")?))
}

fn id_of(told: &Value) -> Result<&str> {
    told["id"].as_str().context("the id is told")
}

async fn a_hold_is_placed_captured_and_released_by_teller(bank: Bank) -> Result<()> {
    let clerk = open(bank).await?;
    let place = ["hold", "place", "ada", "code:cards"];
    let held = run(&clerk, &[&place[..], &["60", "EUR", "--expires-in", "2h"]].concat()).await?;
    let id = id_of(&held)?;
    ensure!(held["outcome"]["held"]["debtor"]["available"] == "40", "{held}");
    ensure!(balances(&clerk, "ada").await? == ("100".into(), "40".into()));
    let some = run(&clerk, &["hold", "capture", id, "12.50", "--keep-rest"]).await?;
    let hold = &some["outcome"]["posted"]["hold"];
    ensure!(hold["remaining"] == "47.5" && hold["released"] == "0", "{some}");
    let rest = run(&clerk, &["hold", "capture", id, "7.50"]).await?;
    let hold = &rest["outcome"]["posted"]["hold"];
    ensure!(hold["remaining"] == "0" && hold["released"] == "40", "{rest}");
    refused(&clerk, &["hold", "capture", id], "hold_captured").await?;
    ensure!(balances(&clerk, "ada").await? == ("80".into(), "80".into()));

    let held = run(&clerk, &[&place[..], &["500", "EUR", "--up-to"]].concat()).await?;
    let id = id_of(&held)?;
    ensure!(held["outcome"]["held"]["money"]["amount"] == "80.00", "{held}");
    let released = run(&clerk, &["hold", "release", id]).await?;
    ensure!(released["outcome"]["released"]["debtor"]["available"] == "80", "{released}");
    let shown = clerk.json(&["hold", "show", id]).await?;
    ensure!(shown["hold"]["status"] == "released", "{shown}");
    let card = clerk.run(&["hold", "show", id]).await?;
    ensure!(card.code == 0 && card.out.contains("80.00 EUR"), "{card:?}");
    refused(&clerk, &["hold", "release", id], "hold_released").await?;
    let reserved = "01890a5d-ac96-874b-bcce-b302099a8057";
    refused(&clerk, &["deposit", "ada", "1", "EUR", "--id", reserved], "reserved_id").await?;
    Ok(())
}

async fn money_is_reversed_split_exchanged_and_dated_back_by_teller(bank: Bank) -> Result<()> {
    let clerk = open(bank).await?;
    let day = "2026-01-15";
    let paid = run(&clerk, &["transfer", "ada", "bob", "40", "EUR", "--value-date", day]).await?;
    let on = |day| ["balance", "bob", "--value-date", day];
    ensure!(clerk.json(&on("2026-01-14")).await?["balance"] == "0");
    ensure!(clerk.json(&on(day)).await?["balance"] == "40");
    let id = id_of(&paid)?;
    let back = run(&clerk, &["reverse", id, "--amount", "15"]).await?;
    ensure!(back["outcome"]["posted"]["reverses"] == id, "{back}");
    run(&clerk, &["reverse", id]).await?;
    refused(&clerk, &["reverse", id, "--amount", "0.01"], "exceeds_original").await?;
    ensure!(balances(&clerk, "bob").await? == ("0".into(), "0".into()));

    let legs = ["--debit", "ada=30", "--credit", "bob=29", "--credit", "code:fees=1"];
    let split = [&["split", "--currency", "EUR"][..], &legs].concat();
    let split = run(&clerk, &split).await?;
    ensure!(split["outcome"]["posted"]["legs"].as_array().map(Vec::len) == Some(3), "{split}");
    let up_to = run(&clerk, &["transfer", "bob", "ada", "1000", "EUR", "--up-to"]).await?;
    ensure!(up_to["transfer"]["money"]["amount"] == "29.00", "{up_to}");
    let exchange = ["exchange", "ada", "yuki", "10", "EUR", "--buy", "JPY", "--rate", "162.345"];
    run(&clerk, &exchange).await?;
    ensure!(balances(&clerk, "yuki").await? == ("1623".into(), "1623".into()));
    ensure!(balances(&clerk, "ada").await? == ("89".into(), "89".into()));

    statements_say_what_happened(&clerk, day).await?;

    let account = |name: &'static str| {
        let clerk = clerk.clone();
        async move { clerk.json(&["account", "show", name]).await }
    };
    let (ada, bob) = (account("ada").await?, account("bob").await?);
    let pay = |euros: &str, group: u32| {
        let [debtor, creditor] = [&ada, &bob].map(|it| json!({"account_id": it["account_id"]}));
        let money = json!({"amount": euros, "currency": "EUR"});
        let transfer = json!({"debtor": debtor, "creditor": creditor, "money": money});
        json!({"group": group, "action": {"transfer": transfer}})
    };
    let list = json!([pay("1", 1), pay("2", 2), pay("1000", 2)]);
    let file = scratch_file("json")?;
    std::fs::write(&file, list.to_string())?;
    let path = file.to_str().context("a path is text")?;
    let told = clerk.run(&["--json", "instruct", path]).await?;
    std::fs::remove_file(&file)?;
    let outcomes = &told.json()?["instructions"];
    ensure!(told.code == 1 && outcomes[0]["outcome"]["posted"].is_object(), "{told:?}");
    let reasons = [1, 2].map(|n: usize| &outcomes[n]["outcome"]["rejected"]["reason"]);
    ensure!(reasons == ["group_rejected", "insufficient_funds"], "{told:?}");
    ensure!(balances(&clerk, "bob").await? == ("1".into(), "1".into()));
    Ok(())
}

/// What was reversed, split and exchanged, as camt.053: of customers and of the bank's own account.
async fn statements_say_what_happened(clerk: &Clerk, from: &str) -> Result<()> {
    let days = ["--from", from, "--to", "2199-12-31", "--format", "camt053"];
    for (of, codes) in [
        (vec!["ada"], vec!["<RvslInd>true", "<Cd>FORX", "<SubFmlyCd>BOOK", "<SubFmlyCd>CDPT"]),
        (vec!["yuki"], vec!["<Amt Ccy=\"JPY\">1623</Amt>", "<Cd>FORX"]),
        (vec!["code:fees", "--currency", "EUR"], vec!["<Id>fees</Id>", "<Nm>Fees</Nm>"]),
    ] {
        let told = clerk.run(&[&["statement"], &of[..], &days].concat()).await?;
        let is_told = |code: &&str| told.out.contains(*code);
        ensure!(told.code == 0 && codes.iter().all(is_told), "{codes:?} in {told:?}");
    }
    Ok(())
}
