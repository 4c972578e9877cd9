//! Every kind of instruction by the command line. Promise: each command works as its help says, a
//! dry run shows the later result and changes no row, and a second run under the same id has the
//! same result.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, binaries::scratch_file, facts};
use serde_json::{Value, json};
use shared_events::{MessageId, topology::SERVICES};

use super::{cli::refused, cli_runner::TellerCli};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_hold_is_placed_captured_and_released_by_teller,
        money_is_reversed_split_exchanged_and_dated_back_by_teller,
    ]
}

/// A bank in which ada has 100 euros, bob none, and yuki no yen.
async fn open(bank: Bank) -> Result<TellerCli> {
    bank.start_all(&SERVICES).await?;
    let teller = TellerCli::of(&bank)?;
    for (name, currency) in [("ada", "EUR"), ("bob", "EUR"), ("yuki", "JPY")] {
        let open = ["account", "open", "--name", name, "--external-reference", name];
        teller.json(&[&open[..], &["--currency", currency]].concat()).await?;
    }
    teller.json(&["deposit", "ada", "100", "EUR"]).await?;
    Ok(teller)
}

/// Runs a command dry, in earnest, and again: the result is the same each time.
async fn run(teller: &TellerCli, arguments: &[&str]) -> Result<Value> {
    let id = MessageId::new().to_string();
    let with_id = [arguments, &["--id", &id]].concat();
    let tried = teller.json(&[&with_id[..], &["--dry-run"]].concat()).await?;
    let done = teller.json(&with_id).await?;
    let again = teller.json(&with_id).await?;
    ensure!(done == again && done["id"] == id.as_str(), "{done}\nand then\n{again}");
    ensure!(tried["dry_run"] == true && tried["id"].is_null(), "{tried}");
    if done["outcome"].is_object() {
        ensure!(tried["outcome"] == done["outcome"], "{tried}\nand then\n{done}");
    }
    Ok(done)
}

async fn balances(teller: &TellerCli, account: &str) -> Result<(String, String)> {
    let found = teller.json(&["balance", account]).await?;
    let text = |field: &str| found[field].as_str().map(str::to_owned).context("an amount");
    Ok((text("balance")?, text("available")?))
}

fn id_of(actual: &Value) -> Result<&str> {
    actual["id"].as_str().context("the id is told")
}

async fn a_hold_is_placed_captured_and_released_by_teller(bank: Bank) -> Result<()> {
    let teller = open(bank).await?;
    let place = ["hold", "place", "ada", "code:cards"];
    let held = run(&teller, &[&place[..], &["60", "EUR", "--expires-in", "2h"]].concat()).await?;
    let id = id_of(&held)?;
    ensure!(held["outcome"]["held"]["debtor"]["available"] == "40", "{held}");
    ensure!(balances(&teller, "ada").await? == ("100".into(), "40".into()));
    let some = run(&teller, &["hold", "capture", id, "12.50", "--keep-rest"]).await?;
    let hold = &some["outcome"]["posted"]["hold"];
    ensure!(hold["remaining"] == "47.5" && hold["released"] == "0", "{some}");
    let rest = run(&teller, &["hold", "capture", id, "7.50"]).await?;
    let hold = &rest["outcome"]["posted"]["hold"];
    ensure!(hold["remaining"] == "0" && hold["released"] == "40", "{rest}");
    refused(&teller, &["hold", "capture", id], "hold_captured").await?;
    ensure!(balances(&teller, "ada").await? == ("80".into(), "80".into()));

    let held = run(&teller, &[&place[..], &["500", "EUR", "--up-to"]].concat()).await?;
    let id = id_of(&held)?;
    ensure!(held["outcome"]["held"]["money"]["amount"] == "80.00", "{held}");
    let released = run(&teller, &["hold", "release", id]).await?;
    ensure!(released["outcome"]["released"]["debtor"]["available"] == "80", "{released}");
    let shown = teller.json(&["hold", "show", id]).await?;
    ensure!(shown["hold"]["status"] == "released", "{shown}");
    let card = teller.run(&["hold", "show", id]).await?;
    ensure!(card.code == 0 && card.out.contains("80.00 EUR"), "{card:?}");
    refused(&teller, &["hold", "release", id], "hold_released").await?;
    let reserved = "01890a5d-ac96-874b-bcce-b302099a8057";
    refused(&teller, &["deposit", "ada", "1", "EUR", "--id", reserved], "reserved_id").await?;
    Ok(())
}

async fn money_is_reversed_split_exchanged_and_dated_back_by_teller(bank: Bank) -> Result<()> {
    let teller = open(bank).await?;
    let day = "2026-01-15";
    let paid = run(&teller, &["transfer", "ada", "bob", "40", "EUR", "--value-date", day]).await?;
    let on = |day| ["balance", "bob", "--value-date", day];
    ensure!(teller.json(&on("2026-01-14")).await?["balance"] == "0");
    ensure!(teller.json(&on(day)).await?["balance"] == "40");
    let id = id_of(&paid)?;
    let back = run(&teller, &["reverse", id, "--amount", "15"]).await?;
    ensure!(back["outcome"]["posted"]["reverses"] == id, "{back}");
    run(&teller, &["reverse", id]).await?;
    refused(&teller, &["reverse", id, "--amount", "0.01"], "exceeds_original").await?;
    ensure!(balances(&teller, "bob").await? == ("0".into(), "0".into()));

    let legs = ["--debit", "ada=30", "--credit", "bob=29", "--credit", "code:fees=1"];
    let split = [&["split", "--currency", "EUR"][..], &legs].concat();
    let split = run(&teller, &split).await?;
    ensure!(split["outcome"]["posted"]["legs"].as_array().map(Vec::len) == Some(3), "{split}");
    let up_to = run(&teller, &["transfer", "bob", "ada", "1000", "EUR", "--up-to"]).await?;
    ensure!(up_to["transfer"]["money"]["amount"] == "29.00", "{up_to}");
    let exchange = ["exchange", "ada", "yuki", "10", "EUR", "--buy", "JPY", "--rate", "162.345"];
    run(&teller, &exchange).await?;
    ensure!(balances(&teller, "yuki").await? == ("1623".into(), "1623".into()));
    ensure!(balances(&teller, "ada").await? == ("89".into(), "89".into()));

    statements_say_what_happened(&teller, day).await?;

    let account = |name: &'static str| {
        let teller = teller.clone();
        async move { teller.json(&["account", "show", name]).await }
    };
    let (ada, bob) = (account("ada").await?, account("bob").await?);
    let pay = |euros: &str, group: u32| {
        let [debtor, creditor] =
            [&ada, &bob].map(|account| json!({"account_id": account["account_id"]}));
        let money = json!({"amount": euros, "currency": "EUR"});
        let transfer = json!({"debtor": debtor, "creditor": creditor, "money": money});
        json!({"group": group, "action": {"transfer": transfer}})
    };
    let list = json!([pay("1", 1), pay("2", 2), pay("1000", 2)]);
    let file = scratch_file("json")?;
    std::fs::write(&file, list.to_string())?;
    let path = file.to_str().context("a path is text")?;
    let actual = teller.run(&["--json", "instruct", path]).await?;
    std::fs::remove_file(&file)?;
    let outcomes = &actual.json()?["instructions"];
    ensure!(actual.code == 1 && outcomes[0]["outcome"]["posted"].is_object(), "{actual:?}");
    let reasons = [1, 2].map(|n: usize| &outcomes[n]["outcome"]["rejected"]["reason"]);
    ensure!(reasons == ["group_rejected", "insufficient_funds"], "{actual:?}");
    ensure!(balances(&teller, "bob").await? == ("1".into(), "1".into()));
    Ok(())
}

/// Reversals, splits and exchanges as camt.053, for customers and for an internal account.
async fn statements_say_what_happened(teller: &TellerCli, from: &str) -> Result<()> {
    let days = ["--from", from, "--to", "2199-12-31", "--format", "camt053"];
    for (of, codes) in [
        (vec!["ada"], vec!["<RvslInd>true", "<Cd>FORX", "<SubFmlyCd>BOOK", "<SubFmlyCd>CDPT"]),
        (vec!["yuki"], vec!["<Amt Ccy=\"JPY\">1623</Amt>", "<Cd>FORX"]),
        (vec!["code:fees", "--currency", "EUR"], vec!["<Id>fees</Id>", "<Nm>Fees</Nm>"]),
    ] {
        let actual = teller.run(&[&["statement"], &of[..], &days].concat()).await?;
        let is_told = |code: &&str| actual.out.contains(*code);
        ensure!(actual.code == 0 && codes.iter().all(is_told), "{codes:?} in {actual:?}");
    }
    Ok(())
}
